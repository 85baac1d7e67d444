// The configuration: what each wrong key, type and value is told, and what a right one sets.
#include "mta/config.h"

#include <doctest/doctest.h>

using namespace postproof;

namespace {

constexpr std::string_view kLeast = "hostname = \"mx.example.org\"\nspool.directory = \"/s\"\n";

std::vector<std::string> complaints(std::string text) {
  Problems problems("c.toml");
  parse_config(text, problems);
  std::vector<std::string> list;
  for (const Problem& problem : problems.list()) list.push_back(problem.to_string());
  return list;
}

}  // namespace

TEST_CASE("config: every complaint is located") {
  struct Case {
    std::string text;
    const char* start;
  };
  const std::string least(kLeast);
  for (const Case& c : {
           Case{"", "c.toml: hostname is missing"},
           Case{"hostname = \"mx.example.org\"", "c.toml: spool.directory is missing"},
           Case{"hostname = ", "c.toml:1:"},
           Case{"hostname = \"mx example\"", "c.toml:1:12: hostname: \"mx example\" is no host name"},
           Case{least + "listen = \"25\"", "c.toml:3:10: listen: \"25\" is no endpoint"},
           Case{least + "listen = []", "c.toml:3:10: listen: expected at least one endpoint"},
           Case{least + "retry.jitter = 0.6", "c.toml:3:16: retry.jitter: 0.6 is out of range"},
           Case{least + "retry.schedule = []", "c.toml:3:18: retry.schedule: expected at least one wait"},
           Case{least + "retry.scedule = [\"5m\"]", "c.toml:3:7: unknown key \"retry.scedule\"; did you mean \"schedule\"?"},
           Case{least + "connect_timout = \"5s\"", "c.toml:3:1: unknown key \"connect_timout\"; did you mean \"connect_timeout\"?"},
           Case{least + "connect_timeout = \"0s\"", "c.toml:3:19: connect_timeout: 0s is out of range"},
           Case{least + "route.smarthost = \"a b\"", "c.toml:3:19: route.smarthost: expected"},
           Case{least + "route.smarthost = \"[x]:0\"", "c.toml:3:19: route.smarthost: expected"},
           Case{least + "route.smarthost = \"lmtp:store\"", "c.toml:3:19: route.smarthost: expected"},
           Case{least + "route.smarthost = \"lmtp:unix:socket\"", "c.toml:3:19: route.smarthost: expected"},
           Case{least + "relay.clients = [\"10.0.0.0/33\"]", "c.toml:3:17: relay.clients: \"10.0.0.0/33\" is no network"},
           Case{least + "smtp.refused_clients = [\"10.0.0.0/33\"]", "c.toml:3:24: smtp.refused_clients: \"10.0.0.0/33\" is no network"},
           Case{least + "smtp.greeting_delay = \"2m\"", "c.toml:3:23: smtp.greeting_delay: 2m is out of range"},
           Case{least + "delivery.report_from = \"bob\"", "c.toml:3:24: delivery.report_from: "},
           Case{least + "dns.servers = [\"localhost\"]", "c.toml:3:15: dns.servers: \"localhost\" is no server"},
           Case{least + "tls.certificate = \"/c\"", "c.toml:3:19: tls.certificate: expected key beside it"},
           Case{least + "tls.key = \"/k\"", "c.toml:3:11: tls.key: expected certificate beside it"},
           Case{least + "tls.min_version = \"1.1\"", "c.toml:3:19: tls.min_version: \"1.1\" is not known"},
           Case{least + "[tls]\ncertificate = \"/c\"\nkey = \"/k\"\nidentity = [{ certificate = \"/d\" }]",
                "c.toml:6:13: tls.identity.key: missing; expected the path"},
           Case{least + "tls.identity = [{ certificate = \"/c\", key = \"/k\" }]",
                "c.toml:3:16: tls.identity: expected tls.certificate and tls.key too"},
           Case{least + "tls.client = \"must\"", "c.toml:3:14: tls.client: \"must\" is not known"},
           Case{least + "auth.mechanisms = [\"PLAN\"]", "c.toml:3:19: auth.mechanisms: \"PLAN\" is no mechanism; expected SCRAM-SHA-256-PLUS, "
                                                       "SCRAM-SHA-256, EXTERNAL, PLAIN, LOGIN; did you mean \"PLAIN\"?"},
           Case{least + "auth.password_file = \"/a\"\nauth.dovecot_socket = \"/b\"", "c.toml:4:23: auth.dovecot_socket: there is a password_file too"},
           Case{least + "auth.sender_login.alice = [\"nobody\"]", "c.toml:3:27: auth.sender_login.alice: \"nobody\" is no sender"},
           Case{least + "route.smarthost_login = \"us\"\nroute.smarthost_password_file = \"/p\"", "c.toml:3:25: route.smarthost_login: expected smarthost"},
           Case{least + "tls.server = \"verify\"", "c.toml:3:14: tls.server: \"verify\" is not known"},
           Case{least + "smtp.header_size_max = \"1KiB\"", "c.toml:3:24: smtp.header_size_max: out of range"},
           Case{least + "smtp.data_rate_min = \"2MiB\"", "c.toml:3:22: smtp.data_rate_min: out of range"},
           Case{least + "smtp.error_delay = \"2m\"", "c.toml:3:20: smtp.error_delay: 2m is out of range"},
           Case{least + "smtp.transactions_max = -1", "c.toml:3:25: smtp.transactions_max: "},
           Case{least + "smtp.proxy_from = [\"proxy\"]", "c.toml:3:19: smtp.proxy_from: \"proxy\" is no network"},
           Case{least + "smtp.xclient_from = [\"10.0.0.0/33\"]", "c.toml:3:21: smtp.xclient_from: \"10.0.0.0/33\" is no network"},
           Case{least + "smtp.bare_newline = \"yes\"", "c.toml:3:21: smtp.bare_newline: \"yes\" is not known"},
           Case{least + "route.ipv4 = false\nroute.ipv6 = false", "c.toml:3:14: route.ipv4: both"},
       }) {
    CAPTURE(c.text);
    const auto list = complaints(c.text);
    REQUIRE(list.size() == 1);
    CHECK(list[0].starts_with(c.start));
  }
}

TEST_CASE("config: what it sets") {
  Problems problems("c.toml");
  const Config config = parse_config(std::string(kLeast) + R"(
listen = ["127.0.0.1:2525", "[::1]:2525"]
connect_timeout = "7s"
session_threads = 2
smtp.message_size_max = "10MiB"
smtp.bare_newline = "convert"
smtp.greeting_delay = "3s"
smtp.header_size_max = "1MiB"
smtp.transactions_max = 50
smtp.error_delay = "2s"
smtp.data_rate_min = 100
smtp.chunking = false
smtp.xclient_from = ["192.0.2.1"]
smtp.proxy_from = ["192.0.2.2", "192.0.2.3"]
smtp.refused_clients = ["192.0.2.0/24"]
delivery.report_from = "postmaster@example.org"
relay.refuse_null_mx_senders = false
relay.clients = ["10.0.0.0/8"]
relay.domains = ["Dest.Example"]
relay.postmaster = "admin@dest.example"
dns.servers = ["192.0.2.53", "[2001:db8::53]:5353"]
route.smarthost = "[relay.example.net]:587"
retry.schedule = ["1m", "2m"]
retry.jitter = 0
retry.lifetime = "1d"
tls_timeout = "9s"
tls.certificate = "/c"
tls.key = "/k"
tls.ca = "/r"
tls.server = "require"
tls.client = "verify"
tls.client_ca = "/clients"
tls.identity = [{ certificate = "/c1", key = "/k1" }, { certificate = "/c2", key = "/k2" }]
tls.min_version = "1.3"
tls.ciphers = "ECDHE+AESGCM"
tls.suites = "TLS_AES_128_GCM_SHA256"
tls.groups = "P-256"
auth.password_file = "/users"
auth.mechanisms = ["plain", "SCRAM-SHA-256"]
auth.without_tls = true
auth.required = true
auth.failures_max = 5
auth.failures_per_client_max = 50
auth.failure_delay = "2s"
auth.sender_login.alice = ["alice@example.org", "@alice.example"]
route.smarthost_login = "us"
route.smarthost_password_file = "/password"
route.smarthost_auth_without_tls = true
)",
                                     problems);
  REQUIRE(problems.empty());
  CHECK(config.server.hostname == "mx.example.org");
  CHECK(config.listen.size() == 2);
  CHECK(config.client.connect_timeout == 7s);
  CHECK(config.session_threads == 2);
  CHECK(config.server.message_size_max == 10 * 1024 * 1024);
  CHECK(config.server.bare_newline_ok);
  CHECK(config.server.greeting_delay == 3s);
  CHECK(config.server.refused_clients.size() == 1);
  CHECK(config.intake.header_size_max == 1024 * 1024);
  CHECK(config.server.transactions_max == 50);
  CHECK(config.server.error_delay == 2s);
  CHECK(config.server.data_rate_min == 100);
  CHECK_FALSE(config.server.chunking);
  CHECK(config.server.xclient_from.size() == 1);
  CHECK(config.server.proxy_from.size() == 2);
  CHECK(config.deliver.report_from == "postmaster@example.org");
  CHECK_FALSE(config.intake.refuse_null_mx_senders);
  CHECK(config.intake.relay_domains == std::vector<std::string>{"dest.example"});
  REQUIRE(config.intake.postmaster);
  CHECK(config.intake.postmaster->to_string() == "admin@dest.example");
  CHECK(config.resolver.servers[0].to_string() == "192.0.2.53:53");
  CHECK(config.resolver.servers[1].to_string() == "[2001:db8::53]:5353");
  CHECK(config.router.smarthost->host == "relay.example.net");
  CHECK(config.router.smarthost->port == 587);
  CHECK_FALSE(config.router.smarthost->lookup_mx);
  CHECK(config.scheduler.retry.schedule == std::vector<Duration>{1min, 2min});
  CHECK(config.scheduler.retry.jitter == 0);
  CHECK(config.client.tls_timeout == 9s);
  CHECK(config.tls.own.certificate == "/c");
  CHECK(config.tls.own.key == "/k");
  REQUIRE(config.tls.others.size() == 2);
  CHECK(config.tls.others[1].certificate == "/c2");
  CHECK(config.tls.others[1].key == "/k2");
  CHECK_FALSE(config.tls.terms.tls12);
  CHECK(config.tls.terms.ciphers == "ECDHE+AESGCM");
  CHECK(config.tls.terms.suites == "TLS_AES_128_GCM_SHA256");
  CHECK(config.tls.terms.groups == "P-256");
  CHECK(config.tls.trusted == "/r");
  CHECK(config.server.tls == smtp::TlsLevel::require);
  CHECK(config.router.tls.level == tls::Level::verify);
  CHECK(config.tls.client_roots == "/clients");
  CHECK(config.auth.password_file == "/users");
  CHECK(config.auth.mechanisms == std::vector{auth::Mechanism::plain, auth::Mechanism::scram_sha_256});
  CHECK(config.auth.without_tls);
  CHECK(config.auth.required);
  CHECK(config.auth.failures_max == 5);
  CHECK(config.auth.failures_per_client_max == 50);
  CHECK(config.auth.failure_delay == 2s);
  CHECK(config.intake.senders == intake::Senders::own);
  CHECK(config.intake.sender_login.at("alice").size() == 2);
  CHECK(config.smarthost_login.login == "us");
  CHECK(config.smarthost_login.password_file == "/password");
  CHECK(config.client.auth_without_tls);
  CHECK(config.scheduler.retry.lifetime == 24h);
}

TEST_CASE("configuration: levels of TLS by destination, and where submission listens") {
  Problems problems("relay.toml");
  const Config config = parse_config(R"(hostname = "mx.example.org"
spool.directory = "/var/spool/postproof"
[submission]
listen     = ["127.0.0.1:587"]
listen_tls = ["127.0.0.1:465", "[::1]:465"]
[auth]
password_file = "/etc/users"
[tls]
client = "require"
[[tls.policy]]
domains = ["Old.Example", "*.old.example"]
level   = "none"
[[tls.policy]]
domains = ["bank.example"]
level   = "verify"
)", problems);
  REQUIRE(problems.list().empty());
  CHECK(config.submission.listen.size() == 1);
  CHECK(config.submission.listen_tls.size() == 2);
  const tls::Policy& policy = config.router.tls;
  CHECK(policy.of("old.example") == tls::Level::none);
  CHECK(policy.of("mx.old.example") == tls::Level::none);
  CHECK(policy.of("bank.example") == tls::Level::verify);
  CHECK(policy.of("dest.example") == tls::Level::require);

  const auto complaint = [](std::string_view rule) {
    Problems bad("relay.toml");
    parse_config("hostname = \"a.example\"\nspool.directory = \"/s\"\n[[tls.policy]]\n" + std::string(rule), bad);
    return bad.list().empty() ? std::string() : bad.list().front().to_string();
  };
  CHECK(complaint("level = \"may\"").starts_with("relay.toml:3:1: tls.policy"));
  CHECK(complaint("domains = [\"a b\"]\nlevel = \"may\"").starts_with("relay.toml:4:11: tls.policy"));
  CHECK(complaint("domains = [\"a.example\"]").contains("level"));
  CHECK(complaint("domains = [\"a.example\"]\nlevel = \"must\"").starts_with("relay.toml:5:9: tls.policy"));
}

TEST_CASE("configuration: submission is for who can log in") {
  const auto complaint = [](const std::string& more) {
    Problems problems("relay.toml");
    parse_config("hostname = \"a.example\"\nspool.directory = \"/s\"\n" + more, problems);
    return problems.list().empty() ? std::string() : problems.list().front().to_string();
  };
  for (const std::string key : {"listen", "listen_tls"}) {
    const std::string submission = "[submission]\n" + key + " = [\"127.0.0.1:587\"]\n";
    CHECK(complaint(submission).starts_with("relay.toml:3:1: submission: is for who has logged in"));
    CHECK(complaint(submission + "[auth]\npassword_file = \"/etc/users\"\n").empty());
    CHECK(complaint(submission + "[auth]\ndovecot_socket = \"/run/auth\"\n").empty());
    CHECK(complaint(submission + "[tls]\nclient_ca = \"/etc/clients.pem\"\n").empty());
  }
  CHECK(complaint("[submission]\nlisten = []\n").empty());
}

TEST_CASE("a smarthost that speaks LMTP, by host and by socket") {
  const std::string least = "hostname = \"mx.example\"\nspool.directory = \"/s\"\n";
  for (const std::string text : {"lmtp:[store.example]", "lmtp:[store.example]:24", "lmtp:unix:/run/lmtp"}) {
    CAPTURE(text);
    Problems problems("c.toml");
    const Config config = parse_config(least + "route.smarthost = \"" + text + "\"\n", problems);
    CHECK(problems.empty());
    REQUIRE(config.router.smarthost);
    CHECK(config.router.smarthost->lmtp);
    CHECK(config.router.smarthost->port == 24);
    CHECK(config.router.smarthost->host == (text.contains("unix") ? "" : "store.example"));
    CHECK(config.router.smarthost->socket == (text.contains("unix") ? "/run/lmtp" : ""));
  }
}

TEST_CASE("a complaint is one line, whatever the file has in it") {
  for (const char* text : {"hostname = in\n", "\"a\\nb\" = 1\n", "hostname = \"a\nb\"\n"}) {
    CAPTURE(text);
    Problems problems("relay.toml");
    parse_config(text, problems);
    REQUIRE_FALSE(problems.list().empty());
    for (const Problem& problem : problems.list()) CHECK(problem.to_string().find('\n') == std::string::npos);
  }
}
