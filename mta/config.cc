#include "mta/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <optional>

#include "mta/auth/prepare.h"
#include "mta/base/text.h"
#include "mta/mail/address.h"

namespace postproof {

namespace {

// Bounds that keep a slip of the pen from becoming a promise that cannot be kept.
constexpr Duration kTimeoutMax = 24h;
constexpr Duration kLifetimeMax = 365 * 24h;

template <class T>
void set(T& into, std::optional<T> value) {
  if (value) into = std::move(*value);
}

template <class T>
void set_integer(TomlReader& table, std::string_view key, T& into, std::int64_t min, std::int64_t max) {
  if (const auto value = table.integer(key, min, max)) into = static_cast<T>(*value);
}

void set_duration(TomlReader& table, std::string_view key, Duration& into, Duration min, Duration max) {
  const auto value = table.duration(key);
  if (!value) return;
  if (*value < min || *value > max) {
    table.complain(key, fmt::format("{} is out of range; expected {} to {}", format_duration(*value),
                                    format_duration(min), format_duration(max)));
    return;
  }
  into = *value;
}

bool good_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (const std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > 63) return false;
    for (const char c : label) {
      if (!is_alnum(c) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

void read_endpoints(TomlReader& table, std::string_view key, std::size_t least, std::vector<Endpoint>& into) {
  const auto list = table.strings(key);
  if (!list) return;
  into.clear();
  for (const std::string& text : *list) {
    if (auto endpoint = Endpoint::parse(text)) {
      into.push_back(std::move(*endpoint));
    } else {
      table.complain(key, fmt::format("\"{}\" is no endpoint; expected \"192.0.2.1:25\", \"[2001:db8::1]:25\", "
                                      "\"unix:/path\" or \"fd:3\"", escape(text)));
    }
  }
  if (list->size() < least) table.complain(key, "expected at least one endpoint");
}

void read_networks(TomlReader& table, std::string_view key, std::vector<IpNetwork>& into) {
  const auto list = table.strings(key);
  if (!list) return;
  into.clear();
  for (const std::string& text : *list) {
    if (const auto network = IpNetwork::parse(text)) {
      into.push_back(*network);
    } else {
      table.complain(key, fmt::format("\"{}\" is no network; expected \"192.0.2.0/24\" or \"2001:db8::/32\"", escape(text)));
    }
  }
}

// "relay.example.net" (its MX records), "[relay.example.net]:587" (that host), "[192.0.2.1]", "[2001:db8::1]:25"; of a host
// that speaks LMTP "lmtp:[store.example.net]:24" or "lmtp:unix:/path".
std::optional<route::Smarthost> parse_smarthost(std::string_view text) {
  route::Smarthost smarthost;
  constexpr std::string_view kLmtp = "lmtp:", kUnix = "unix:";
  if (text.starts_with(kLmtp)) {
    text.remove_prefix(kLmtp.size());
    smarthost.lmtp = true;
    smarthost.port = 24;
    if (text.starts_with(kUnix)) {
      smarthost.socket = text.substr(kUnix.size());
      if (!smarthost.socket.starts_with('/')) return std::nullopt;
      return smarthost;
    }
    if (!text.starts_with('[')) return std::nullopt;  // RFC 2033 section 5: not for port 25, nor for who is found by MX
  }
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = parse_decimal(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    smarthost.port = static_cast<std::uint16_t>(*port);
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) {
    const std::string_view inner = text.substr(1, text.size() - 2);
    const bool address = IpAddress::parse(inner).has_value();
    if (!address && !good_host_name(inner)) return std::nullopt;
    smarthost.host = address ? std::string(text) : std::string(inner);
    return smarthost;
  }
  if (!good_host_name(text)) return std::nullopt;
  smarthost.host = std::string(text);
  smarthost.lookup_mx = true;
  return smarthost;
}

// RFC 5321 has no limit on a header; less than 64 KiB is found in the wild.
void read_header_limit(TomlReader& table, intake::Policy& policy) {
  constexpr std::uint64_t kMin = 64 * 1024, kMax = 64 * 1024 * 1024;
  const auto size = table.size("header_size_max");
  if (!size) return;
  if (*size < kMin || *size > kMax) {
    table.complain("header_size_max", "out of range; expected \"64KiB\" to \"64MiB\"");
  } else {
    policy.header_size_max = static_cast<std::size_t>(*size);
  }
}

void read_data_rate(TomlReader& table, smtp::ServerSettings& server) {
  constexpr std::uint64_t kMax = 1024 * 1024;
  const auto rate = table.size("data_rate_min");
  if (!rate) return;
  if (*rate > kMax) {
    table.complain("data_rate_min", "out of range; expected 0 to \"1MiB\", octets a second");
  } else {
    server.data_rate_min = *rate;
  }
}

void read_server(TomlReader table, smtp::ServerSettings& server, intake::Policy& policy) {
  set(server.message_size_max, table.size("message_size_max"));
  read_header_limit(table, policy);
  set_integer(table, "recipients_max", server.recipients_max, 1, 100'000);
  set_integer(table, "sessions_max", server.sessions_max, 1, 100'000);
  set_integer(table, "sessions_per_client_max", server.sessions_per_client_max, 1, 100'000);
  set_integer(table, "transactions_max", server.transactions_max, 0, 1'000'000);
  set_integer(table, "errors_max", server.errors_max, 1, 100'000);
  set_duration(table, "error_delay", server.error_delay, 0s, 1min);
  set_duration(table, "command_timeout", server.command_timeout, 1s, kTimeoutMax);
  set_duration(table, "data_timeout", server.data_timeout, 1s, kTimeoutMax);
  read_data_rate(table, server);
  set_duration(table, "session_timeout", server.session_timeout, 1s, 7 * kTimeoutMax);
  set_duration(table, "greeting_delay", server.greeting_delay, 0s, 1min);
  read_networks(table, "refused_clients", server.refused_clients);
  read_networks(table, "xclient_from", server.xclient_from);
  read_networks(table, "proxy_from", server.proxy_from);
  set(server.pipelining, table.boolean("pipelining"));
  set(server.chunking, table.boolean("chunking"));
  set(server.submission, table.boolean("submission"));
  set_duration(table, "hold_max", server.hold_max, 0s, kLifetimeMax);
  if (const auto word = table.word("bare_newline", {"refuse", "convert"})) server.bare_newline_ok = *word == "convert";
  table.finish();
}

void read_submission(TomlReader table, Submission& submission) {
  read_endpoints(table, "listen", 0, submission.listen);
  read_endpoints(table, "listen_tls", 0, submission.listen_tls);
  table.finish();
}

std::optional<Address> read_address(TomlReader& table, std::string_view key) {
  const auto text = table.string(key);
  if (!text) return std::nullopt;
  auto address = Address::parse(*text);
  if (address && address->is_ascii()) return std::move(*address);
  table.complain(key, fmt::format("\"{}\" is no address: {}; expected one like \"postmaster@example.org\"", escape(*text),
                                  address ? "it is not US-ASCII" : address.error()));
  return std::nullopt;
}

void read_relay(TomlReader table, intake::Policy& policy) {
  read_networks(table, "clients", policy.relay_clients);
  if (auto domains = table.strings("domains")) {
    policy.relay_domains.clear();
    for (const std::string& domain : *domains) {
      const std::string key = domain_key(domain);
      if (domain != "*" && !good_host_name(key)) {
        table.complain("domains", fmt::format("\"{}\" is no domain; expected a name like \"example.org\", or \"*\"", escape(domain)));
      }
      policy.relay_domains.push_back(key);
    }
  }
  set(policy.refuse_null_mx_senders, table.boolean("refuse_null_mx_senders"));
  policy.postmaster = read_address(table, "postmaster");
  set_integer(table, "received_max", policy.received_max, 2, 1000);
  table.finish();
}

void read_dns(TomlReader table, dns::ResolverSettings& resolver) {
  if (const auto servers = table.strings("servers")) {
    resolver.servers.clear();
    for (const std::string& text : *servers) {
      auto endpoint = Endpoint::parse(text);
      if (!endpoint) {
        if (const auto address = IpAddress::parse(text)) endpoint = Endpoint(*address, 53);
      }
      if (endpoint && endpoint->kind() == Endpoint::Kind::ip) {
        resolver.servers.push_back(*endpoint);
      } else {
        table.complain("servers", fmt::format("\"{}\" is no server; expected \"127.0.0.1\", \"192.0.2.53:5353\" or "
                                              "\"[2001:db8::53]:53\"", escape(text)));
      }
    }
    if (servers->empty()) table.complain("servers", "expected at least one server");
  }
  set_duration(table, "timeout", resolver.timeout, 100ms, 1min);
  set_integer(table, "rounds", resolver.rounds, 1, 10);
  set_integer(table, "cache_entries_max", resolver.cache_entries_max, 1, 10'000'000);
  set_duration(table, "ttl_max", resolver.ttl_max, 0s, 7 * 24h);
  table.finish();
}

void read_route(TomlReader table, Config& config) {
  route::RouterSettings& router = config.router;
  if (const auto text = table.string("smarthost")) {
    router.smarthost = parse_smarthost(*text);
    if (!router.smarthost) {
      table.complain("smarthost", "expected \"relay.example.net\" (its MX records), \"[relay.example.net]:587\" (that "
                                  "host), \"[192.0.2.1]:25\", \"lmtp:[store.example.net]:24\" or \"lmtp:unix:/path\"");
    }
  }
  set(config.smarthost_login.login, table.string("smarthost_login"));
  set(config.smarthost_login.password_file, table.string("smarthost_password_file"));
  set(config.client.auth_without_tls, table.boolean("smarthost_auth_without_tls"));
  const bool no_login = config.smarthost_login.login.empty();
  if (no_login != config.smarthost_login.password_file.empty()) {
    table.complain(no_login ? "smarthost_password_file" : "smarthost_login",
                   fmt::format("expected {} beside it", no_login ? "smarthost_login" : "smarthost_password_file"));
  }
  if (!no_login && !router.smarthost) table.complain("smarthost_login", "expected smarthost beside it: nobody else is told a password");
  set_integer(table, "port", router.port, 1, 65535);
  set(router.ipv4, table.boolean("ipv4"));
  set(router.ipv6, table.boolean("ipv6"));
  set(router.loopback_mx, table.boolean("loopback_mx"));
  if (!router.ipv4 && !router.ipv6) table.complain("ipv4", "both ipv4 and ipv6 are off; expected one of them on");
  table.finish();
}

void read_spool(TomlReader table, queue::SpoolSettings& spool) {
  set(spool.directory, table.string("directory"));
  set_integer(table, "node", spool.node, 1, 65535);
  if (const auto size = table.size("segment_size")) {
    constexpr std::uint64_t kMin = 1024 * 1024, kMax = 1024 * 1024 * 1024;
    if (*size < kMin || *size > kMax) {
      table.complain("segment_size", "out of range; expected \"1MiB\" to \"1GiB\"");
    } else {
      spool.segment_size = *size;
    }
  }
  set_duration(table, "sync_delay_max", spool.sync_delay_max, 0s, 1s);
  set(spool.free_min, table.size("free_min"));
  table.finish();
}

void read_retry(TomlReader table, queue::RetrySettings& retry) {
  if (auto schedule = table.durations("schedule")) {
    bool good = !schedule->empty();
    for (const Duration wait : *schedule) good = good && wait >= 1s && wait <= 30 * 24h;
    if (good) {
      retry.schedule = std::move(*schedule);
    } else {
      table.complain("schedule", "expected at least one wait, each of \"1s\" to \"30d\"");
    }
  }
  set(retry.jitter, table.number("jitter", 0.0, 0.5));
  set_duration(table, "lifetime", retry.lifetime, 0s, kLifetimeMax);
  set_duration(table, "bounce_lifetime", retry.bounce_lifetime, 0s, kLifetimeMax);
  table.finish();
}

void read_delivery(TomlReader table, Config& config) {
  set_integer(table, "lanes_per_site_max", config.scheduler.lanes_per_site_max, 1, 10'000);
  set_integer(table, "lanes_max", config.scheduler.lanes_max, 1, 100'000);
  set_integer(table, "routing_max", config.scheduler.routing_max, 1, 100'000);
  set_integer(table, "messages_per_connection_max", config.deliver.messages_per_connection_max, 1, 1'000'000);
  set_integer(table, "recipients_per_transaction_max", config.deliver.recipients_per_transaction_max, 1, 100'000);
  set_integer(table, "hosts_per_attempt_max", config.deliver.hosts_per_attempt_max, 1, 1000);
  set(config.client.pipelining, table.boolean("pipelining"));
  set(config.client.chunking, table.boolean("chunking"));
  if (const auto from = read_address(table, "report_from")) config.deliver.report_from = from->to_string();
  table.finish();
}

void read_tls_rule(TomlReader table, tls::Policy& policy) {
  tls::Rule rule;
  if (const auto domains = table.strings("domains"); domains && !domains->empty()) {
    for (const std::string& domain : *domains) {
      const std::string_view name = std::string_view(domain).substr(domain.starts_with("*.") ? 2 : 0);
      if (!good_host_name(name) && !domain.starts_with('[')) {
        table.complain("domains", fmt::format("\"{}\" is no domain; expected a name like \"example.org\", or \"*.example.org\" "
                                              "for all below it", escape(domain)));
      }
      rule.domains.push_back(ascii_lower(domain));
    }
  } else {
    table.complain("domains", "expected at least one domain that the rule is for");
  }
  if (const auto word = table.word("level", {"none", "may", "require", "verify"})) {
    rule.level = *tls::parse_level(*word);
  } else if (!table.has("level")) {
    table.complain("level", "missing; expected \"none\", \"may\", \"require\" or \"verify\"");
  }
  policy.rules.push_back(std::move(rule));
  table.finish();
}

void read_tls_identity(TomlReader table, TlsSettings& settings) {
  TlsSettings::Pair pair;
  set(pair.certificate, table.string("certificate"));
  set(pair.key, table.string("key"));
  for (const char* key : {"certificate", "key"}) {
    if (!table.has(key)) table.complain(key, "missing; expected the path of a PEM file");
  }
  settings.others.push_back(std::move(pair));
  table.finish();
}

void read_tls(TomlReader table, Config& config) {
  set(config.tls.own.certificate, table.string("certificate"));
  set(config.tls.own.key, table.string("key"));
  set(config.tls.trusted, table.string("ca"));
  set(config.tls.client_roots, table.string("client_ca"));
  if (const auto word = table.word("server", {"may", "require"})) config.server.tls = *tls::parse_level(*word);
  tls::Policy& policy = config.router.tls;
  if (const auto word = table.word("client", {"none", "may", "require", "verify"})) policy.level = *tls::parse_level(*word);
  if (table.has("policy")) policy.rules.clear();
  for (TomlReader& rule : table.tables("policy")) read_tls_rule(std::move(rule), policy);
  if (config.tls.own.certificate.empty() != config.tls.own.key.empty()) {
    const bool no_key = config.tls.own.key.empty();
    table.complain(no_key ? "certificate" : "key", fmt::format("expected {} beside it", no_key ? "key" : "certificate"));
  }
  for (TomlReader& identity : table.tables("identity")) read_tls_identity(std::move(identity), config.tls);
  if (config.tls.own.certificate.empty() && !config.tls.others.empty()) {
    table.complain("identity", "expected tls.certificate and tls.key too: who asks for no name gets that one");
  }
  if (const auto word = table.word("min_version", {"1.2", "1.3"})) config.tls.terms.tls12 = *word == "1.2";
  set(config.tls.terms.ciphers, table.string("ciphers"));
  set(config.tls.terms.suites, table.string("suites"));
  set(config.tls.terms.groups, table.string("groups"));
  table.finish();
}

void read_mechanisms(TomlReader& table, auth::Settings& logins) {
  const auto words = table.strings("mechanisms");
  if (!words) return;
  logins.mechanisms.emplace();
  std::vector<std::string_view> known;
  for (const auth::Mechanism mechanism : auth::all_mechanisms()) known.push_back(to_string(mechanism));
  for (const std::string& word : *words) {
    if (const auto mechanism = auth::parse_mechanism(word)) {
      logins.mechanisms->push_back(*mechanism);
      continue;
    }
    const std::string_view near = nearest_word(ascii_upper(word), known);
    table.complain("mechanisms", fmt::format("\"{}\" is no mechanism; expected {}{}", escape(word), fmt::join(known, ", "),
                                             near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  if (words->empty()) table.complain("mechanisms", "expected at least one");
}

// Which addresses a login may send from: [auth.sender_login] has a list for each.
void read_sender_login(TomlReader table, intake::Policy& policy) {
  for (const std::string& login : table.keys()) {
    const auto allowed = table.strings(login);
    if (!allowed) continue;
    const auto name = auth::prepare(login);
    if (!name) {
      table.complain(login, fmt::format("\"{}\" is no login", escape(login)));
      continue;
    }
    for (const std::string& sender : *allowed) {
      const bool whole_domain = sender.starts_with('@') && good_host_name(std::string_view(sender).substr(1));
      if (!whole_domain && !Address::parse(sender)) {
        table.complain(login, fmt::format("\"{}\" is no sender; expected \"alice@example.org\", or \"@example.org\" for all of a domain",
                                          escape(sender)));
      }
    }
    policy.sender_login[*name] = *allowed;
  }
  table.finish();
}

void read_auth(TomlReader table, Config& config) {
  auth::Settings& logins = config.auth;
  set(logins.password_file, table.string("password_file"));
  set(logins.dovecot_socket, table.string("dovecot_socket"));
  if (!logins.password_file.empty() && !logins.dovecot_socket.empty()) {
    table.complain("dovecot_socket", "there is a password_file too; expected one of the two");
  }
  // A client takes the strongest mechanism that it sees, and only the operator knows whether Dovecot has SCRAM.
  if (!logins.dovecot_socket.empty()) logins.mechanisms = {auth::Mechanism::plain, auth::Mechanism::login};
  read_mechanisms(table, logins);
  set(logins.without_tls, table.boolean("without_tls"));
  set(logins.required, table.boolean("required"));
  set_integer(table, "failures_max", logins.failures_max, 1, 1000);
  set_integer(table, "failures_per_client_max", logins.failures_per_client_max, 1, 1'000'000);
  set_duration(table, "failure_delay", logins.failure_delay, 0s, 1min);
  if (auto inner = table.table("sender_login")) {
    config.intake.senders = intake::Senders::own;
    read_sender_login(*inner, config.intake);
  }
  if (const auto word = table.word("senders", {"any", "own"})) {
    config.intake.senders = *word == "own" ? intake::Senders::own : intake::Senders::any;
  }
  table.finish();
}

// RFC 5321 section 4.5.3.2: what delivery waits for.
void read_timeouts(TomlReader& table, smtp::ClientSettings& client) {
  set_duration(table, "connect_timeout", client.connect_timeout, 1s, kTimeoutMax);
  set_duration(table, "greeting_timeout", client.greeting_timeout, 1s, kTimeoutMax);
  set_duration(table, "ehlo_timeout", client.ehlo_timeout, 1s, kTimeoutMax);
  set_duration(table, "mail_timeout", client.mail_timeout, 1s, kTimeoutMax);
  set_duration(table, "rcpt_timeout", client.rcpt_timeout, 1s, kTimeoutMax);
  set_duration(table, "data_timeout", client.data_timeout, 1s, kTimeoutMax);
  set_duration(table, "block_timeout", client.block_timeout, 1s, kTimeoutMax);
  set_duration(table, "dot_timeout", client.dot_timeout, 1s, kTimeoutMax);
  set_duration(table, "quit_timeout", client.quit_timeout, 1s, kTimeoutMax);
  set_duration(table, "rset_timeout", client.rset_timeout, 1s, kTimeoutMax);
  set_duration(table, "tls_timeout", client.tls_timeout, 1s, kTimeoutMax);
}

}  // namespace

Config default_config() {
  Config config;
  config.listen = {*Endpoint::parse("0.0.0.0:25"), *Endpoint::parse("[::]:25")};
  config.intake.relay_clients = {*IpNetwork::parse("127.0.0.0/8"), *IpNetwork::parse("::1")};
  return config;
}

void set_hostname(Config& config, std::string name) {
  config.hostname = name;
  config.server.hostname = name;
  config.client.hostname = name;
  config.intake.hostname = name;
  config.router.hostname = name;
  config.deliver.hostname = std::move(name);
}

Config read_config(TomlReader& table, Config base) {
  Config config = std::move(base);
  if (auto name = table.string("hostname")) {
    if (good_host_name(*name)) {
      set_hostname(config, std::move(*name));
    } else {
      table.complain("hostname", fmt::format("\"{}\" is no host name; expected one like \"mx.example.org\"", escape(*name)));
    }
  }
  read_endpoints(table, "listen", 1, config.listen);
  if (auto inner = table.table("submission")) read_submission(*inner, config.submission);
  set_integer(table, "session_threads", config.session_threads, 0, 256);
  read_timeouts(table, config.client);
  if (auto inner = table.table("smtp")) read_server(*inner, config.server, config.intake);
  if (auto inner = table.table("relay")) read_relay(*inner, config.intake);
  if (auto inner = table.table("dns")) read_dns(*inner, config.resolver);
  if (auto inner = table.table("route")) read_route(*inner, config);
  if (auto inner = table.table("spool")) read_spool(*inner, config.spool);
  if (auto inner = table.table("retry")) read_retry(*inner, config.scheduler.retry);
  if (auto inner = table.table("delivery")) read_delivery(*inner, config);
  if (auto inner = table.table("tls")) read_tls(*inner, config);
  if (auto inner = table.table("auth")) read_auth(*inner, config);
  if (config.submission.any() && !config.logs_in()) {
    table.complain("submission", "is for who has logged in (RFC 6409 section 4.3); expected auth.password_file, "
                                 "auth.dovecot_socket or tls.client_ca besides it");
  }
  return config;
}

Config parse_config(std::string_view toml_text, Problems& problems) {
  toml::table parsed;
  try {
    parsed = toml::parse(toml_text, std::string_view(problems.file()));
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    problems.add({begin.line, begin.column}, std::string(error.description()));
    return default_config();
  }
  TomlReader table(parsed, "", problems);
  Config config = read_config(table);
  table.finish();
  if (problems.empty() && config.hostname.empty()) {
    problems.add({}, "hostname is missing; expected the name of this host, like hostname = \"mx.example.org\"");
  }
  if (problems.empty() && config.spool.directory.empty()) {
    problems.add({}, "spool.directory is missing; expected a folder for the queue, like spool.directory = \"/var/spool/postproof\"");
  }
  return config;
}

}  // namespace postproof
