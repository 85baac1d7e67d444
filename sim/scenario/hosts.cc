#include "sim/scenario/hosts.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <map>

#include "mta/base/text.h"
#include "sim/scenario/addresses.h"
#include "sim/scenario/peer_faults.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/rules.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kDefaultKeywords[] = {"PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"};

// Keys of [mta.NAME] that are no keys of postproof-mta's configuration.
constexpr std::string_view kKeysOfScenarios[] = {"names", "addresses", "config", "needs"};

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '_';
  });
}

// One host as it stands in the file, before it is known what it is.
struct Entry {
  HostKind kind;
  std::string name;
  TomlReader table;
};

std::vector<Entry> entries_in_file_order(TomlReader& top) {
  std::vector<Entry> list;
  const auto take = [&](std::string_view section, HostKind kind) {
    for (auto& [name, table] : top.named_tables(section)) list.push_back(Entry{kind, name, table});
  };
  take("mta", HostKind::mta);
  take("peer", HostKind::peer);
  take("client", HostKind::client);
  std::stable_sort(list.begin(), list.end(),
                   [](const Entry& a, const Entry& b) { return a.table.position() < b.table.position(); });
  return list;
}

// Gives out DNS names and addresses, each once.
class Directory {
 public:
  // The address family of hosts that are given no addresses.
  explicit Directory(std::string family) : family_(std::move(family)) {}

  // `key` is the host's name in the file; `place` counts the hosts of the file from 1; a host that is given no names has `default_name`.
  void read(TomlReader& table, std::string_view key, std::uint16_t place, std::string default_name, HostPart& host);

 private:
  void read_names(TomlReader& table, std::string default_name, HostPart& host);
  void read_addresses(TomlReader& table, std::uint16_t place, HostPart& host);

  std::string family_;
  std::map<std::string, std::string> name_owner_;
  std::map<IpAddress, std::string> address_owner_;
};

void Directory::read(TomlReader& table, std::string_view key, std::uint16_t place, std::string default_name,
                     HostPart& host) {
  host.name = key;
  host.line = table.position().line;
  read_names(table, std::move(default_name), host);
  read_addresses(table, place, host);
}

void Directory::read_names(TomlReader& table, std::string default_name, HostPart& host) {
  const auto given = table.strings("names");
  for (std::string name : given.value_or(std::vector<std::string>{})) {
    if (name.ends_with('.')) name.pop_back();
    if (!is_domain(name)) {
      table.complain("names", fmt::format("\"{}\" is no host name; expected one like \"mx1.dest.example\"", escape(name)));
      continue;
    }
    host.names.push_back(std::move(name));
  }
  if (given && given->empty()) table.complain("names", "expected at least one name");
  if (host.names.empty()) host.names = {std::move(default_name)};
  for (const std::string& name : host.names) {
    const auto [at, fresh] = name_owner_.emplace(ascii_lower(name), host.name);
    if (!fresh) table.complain("names", fmt::format("\"{}\" is a name of host \"{}\" already", name, at->second));
  }
}

void Directory::read_addresses(TomlReader& table, std::uint16_t place, HostPart& host) {
  const auto given = table.strings("addresses");
  for (const std::string& text : given.value_or(std::vector<std::string>{family_})) {
    std::optional<IpAddress> address;
    if (text == "v4") {
      address = drawn_v4(place);
    } else if (text == "v6") {
      address = drawn_v6(place);
    } else {
      address = IpAddress::parse(text);
    }
    if (!address) {
      table.complain("addresses", fmt::format("\"{}\" is no address; expected one like \"192.0.2.1\" or "
                                              "\"2001:db8::1\", or \"v4\" or \"v6\" to draw one", escape(text)));
    } else if (is_worlds_own(*address) || address->is_unspecified() || address->is_loopback()) {
      table.complain("addresses", fmt::format("{} cannot be a host's; expected one outside 10.0.0.0/24 and "
                                              "2001:db8::/64 (the world's own), loopback and 0.0.0.0", address->to_string()));
    } else if (const auto [at, fresh] = address_owner_.emplace(*address, host.name); !fresh) {
      table.complain("addresses", fmt::format("{} is an address of host \"{}\" already", address->to_string(), at->second));
    } else {
      host.addresses.push_back(*address);
    }
  }
  if (given && given->empty()) table.complain("addresses", "expected at least one address, \"v4\" or \"v6\"");
}

// "retry.schedule", for every key of the table and of those in it.
void collect_keys(const toml::table& table, const std::string& prefix, std::vector<std::string>& into) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      collect_keys(*inner, name + ".", into);
    } else {
      into.push_back(name);
    }
  }
}

// What a copy of the reader is asked for is not marked as known to the one that finishes.
std::vector<std::string> given_keys(TomlReader copy) {
  std::vector<std::string> list;
  for (const std::string& key : copy.keys()) {
    if (key == "files") continue;
    if (const toml::table* inner = copy.raw(key)->as_table()) {
      collect_keys(*inner, key + ".", list);
    } else if (std::ranges::find(kKeysOfScenarios, key) == std::end(kKeysOfScenarios)) {
      list.push_back(key);
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

// The MTA's own name, before its configuration is read.
std::optional<std::string> hostname_of(TomlReader copy) {
  const toml::node* node = copy.raw("hostname");
  auto name = node == nullptr ? std::nullopt : node->value<std::string>();
  if (name && !is_domain(*name)) name.reset();
  return name;
}

// A path that a scenario names, seen from the scenario's folder.
std::string path_from(std::string_view scenario, const std::string& path) {
  const std::size_t slash = scenario.rfind('/');
  if (path.starts_with('/') || slash == std::string_view::npos) return path;
  return std::string(scenario.substr(0, slash + 1)) + path;
}

// config = "FILE". None: there is none, or it cannot be used, which is complained of.
std::optional<Config> read_configuration(TomlReader& table, const HostContext& context, MtaPart& mta,
                                         std::vector<Problem>& elsewhere) {
  const auto path = table.string("config");
  if (!path) return std::nullopt;
  if (path->empty()) {
    table.complain("config", "expected the path of a configuration of postproof-mta");
    return std::nullopt;
  }
  const std::string full = path_from(context.file, *path);
  const auto text = context.read_file ? context.read_file(full)
                                      : std::expected<std::string, std::string>(std::unexpect, "files cannot be read here");
  if (!text) {
    table.complain("config", fmt::format("{}: {}; expected a configuration of postproof-mta", escape(full), text.error()));
    return std::nullopt;
  }
  Problems problems(full);
  Config config = parse_config(*text, problems);
  if (!problems.empty()) {
    elsewhere.insert(elsewhere.end(), problems.list().begin(), problems.list().end());
    return std::nullopt;
  }
  config.resolver.servers.clear();  // those of the production network; the world has its own
  mta.configuration = GivenFile{full, *text};
  return config;
}

// The whole path of a file, as a disk writes it: "/etc/relay.pem", without "//", "." and "..".
bool is_whole_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  const auto parts = split(path.substr(1), '/');
  return std::ranges::all_of(parts, [](std::string_view part) { return !part.empty() && part != "." && part != ".."; });
}

// A file that another one's path goes through; null: there is none. `files` is sorted by path.
const GivenFile* file_above(const std::vector<GivenFile>& files, std::string_view path) {
  for (std::size_t slash = path.rfind('/'); slash != 0 && slash != std::string_view::npos; slash = path.rfind('/', slash - 1)) {
    const auto at = std::ranges::lower_bound(files, path.substr(0, slash), {}, &GivenFile::path);
    if (at != files.end() && at->path == path.substr(0, slash)) return &*at;
  }
  return nullptr;
}

// [mta.NAME.files]: what is on its disk before it starts.
std::vector<GivenFile> read_files(TomlReader& table) {
  std::vector<GivenFile> files;
  auto inner = table.table("files");
  if (!inner) return files;
  for (const std::string& path : inner->keys()) {
    if (!is_whole_path(path)) {
      inner->raw(path);
      inner->complain(path, "expected the whole path of a file in quotes, without \".\" and \"..\", like \"/etc/postproof/relay.pem\"");
    } else if (auto content = inner->string(path)) {
      files.push_back(GivenFile{path, std::move(*content)});
    }
  }
  std::ranges::sort(files, {}, &GivenFile::path);
  for (const GivenFile& file : files) {
    if (const GivenFile* above = file_above(files, file.path)) {
      inner->complain(file.path, fmt::format("lies below \"{}\", which is a file; expected a folder there", escape(above->path)));
    }
  }
  return files;
}

void read_mta(TomlReader& table, const std::optional<Config>& base, const MatrixSettings& matrix, MtaPart& mta) {
  mta.needs = read_needs(table);
  mta.files = read_files(table);
  mta.given = given_keys(table);
  const auto has = [&](std::string_view key) { return std::find(mta.given.begin(), mta.given.end(), key) != mta.given.end(); };
  mta.resolver_given = has("dns.servers");
  mta.config = base ? read_config(table, *base) : read_config(table);
  mta.cert = table.word("cert", certificate_words()).value_or("");
  if (!base && !has("relay.clients") && !has("relay.domains")) {
    // A scenario that is not about relaying need not speak of it.
    mta.config.intake.relay_clients = {IpNetwork{}, IpNetwork{IpAddress::v6({}), 0}};
  }
  if (mta.config.hostname.empty()) set_hostname(mta.config, mta.names.front());
  if (matrix.pipelining) {
    mta.config.client.pipelining = *matrix.pipelining;
    mta.config.server.pipelining = *matrix.pipelining;
    for (const auto& [section, key] : {std::pair{"delivery", "delivery.pipelining"}, std::pair{"smtp", "smtp.pipelining"}}) {
      if (has(key)) table.complain(section, "pipelining: the matrix has an axis of this name; expected one of the two");
    }
  }
  table.finish();
}

// What a peer's script, or its `like`, leaves no room for.
void complain_of_others(TomlReader& table, std::initializer_list<std::string_view> keys, std::string_view what) {
  for (const std::string_view key : keys) {
    if (table.has(key)) table.complain(key, std::string(what));
  }
}

void read_peer_keywords(TomlReader& table, PeerPart& peer) {
  peer.banner = table.string("banner").value_or("");
  if (auto keywords = table.strings("keywords")) {
    peer.keywords = std::move(*keywords);
  } else {
    peer.keywords.assign(std::begin(kDefaultKeywords), std::end(kDefaultKeywords));
  }
  const auto on_one_line = [](const std::string& text) { return text.find_first_of("\r\n") == std::string::npos; };
  if (!on_one_line(peer.banner)) table.complain("banner", "expected text without line ends");
  for (const std::string& keyword : peer.keywords) {
    if (keyword.empty() || !on_one_line(keyword)) {
      table.complain("keywords", fmt::format("\"{}\" is no keyword; expected one like \"SIZE 1000\"", escape(keyword)));
    }
  }
}

void read_peer(TomlReader& table, PeerPart& peer, HostNames& names, const std::vector<std::string>& source) {
  if (const auto port = read_count(table, "port", 1, 65'535)) peer.port = static_cast<std::uint16_t>(*port);
  read_peer_keywords(table, peer);
  peer.tls = read_server_tls(table, peer.keywords);
  peer.logins = read_peer_logins(table);
  for (TomlReader& rule : table.tables("rules")) peer.rules.push_back(read_rule(rule));
  peer.faults = read_peer_faults(table);
  peer.end_of_data = read_end_of_data(table);
  const bool scripted = table.has("script");
  if (auto script = read_block(table, "script", source)) {
    if (trim(script->text).empty()) table.complain("script", "expected at least one step");
    peer.script = std::move(script->text);
    peer.script_line = script->line;
    peer.script_column = script->column;
  }
  if (scripted) {
    names.mark_scripted(peer.name);
    complain_of_others(table, {"rules", "banner", "keywords", "auth", "quota", "rate", "size_max", "end_of_data"},
                       "a peer follows its script alone; expected one of the two");
  }
  if (auto like = names.read(table, "like", {HostKind::peer})) {
    peer.like = std::move(*like);
    complain_of_others(table, {"rules", "script", "quota", "rate", "size_max"},
                       "a peer that is \"like\" another has what that one has; expected one of the two");
  }
  table.finish();
}

// Gives each peer what the one has that it is like: rules, faults and their memory are shared, the rest is taken where
// it says nothing of its own.
void resolve_likes(std::vector<PeerPart>& peers, const std::vector<Entry>& entries) {
  const std::vector<PeerPart> as_written = peers;
  for (PeerPart& peer : peers) {
    if (peer.like.empty()) continue;
    const PeerPart* root = &peer;
    std::size_t steps = 0;
    while (!root->like.empty() && steps++ <= peers.size()) {
      const auto next = std::ranges::find(as_written, root->like, &PeerPart::name);
      if (next == as_written.end()) break;
      root = &*next;
    }
    const auto entry = std::ranges::find(entries, peer.name, &Entry::name);
    TomlReader table = entry->table;
    if (!root->like.empty()) {
      table.complain("like", root == &peer || root->name == peer.name ? "a peer is not like itself; expected another"
                                                                      : "goes round in a circle; expected a peer with rules of its own");
      continue;
    }
    peer.rules = root->rules;
    peer.faults = root->faults;
    peer.script = root->script;
    peer.script_line = root->script_line;
    peer.script_column = root->script_column;
    if (!table.has("banner")) peer.banner = root->banner;
    if (!table.has("keywords")) peer.keywords = root->keywords;
    if (!table.has("auth")) peer.logins = root->logins;
    if (!table.has("cert") && !table.has("tls")) {
      const bool offered = peer.tls.offered || root->tls.offered;  // by a keyword, or as it is
      peer.tls = root->tls;
      peer.tls.offered = offered;
    }
    if (!table.has("port")) peer.port = root->port;
    if (!table.has("end_of_data")) peer.end_of_data = root->end_of_data;
    peer.like = root->name;
  }
}

void read_client(TomlReader& table, ClientPart& client, const HostNames& names, const std::vector<std::string>& source) {
  if (auto to = table.string("to")) {
    const auto endpoint = Endpoint::parse(*to);
    const bool is_endpoint = endpoint && endpoint->kind() == Endpoint::Kind::ip;
    if (is_endpoint || names.check(table, "to", *to, {HostKind::mta, HostKind::peer})) client.to = std::move(*to);
    if (is_endpoint && table.has("port")) table.complain("port", "\"to\" names a port already");
  }
  if (const auto port = read_count(table, "port", 1, 65'535)) client.port = static_cast<std::uint16_t>(*port);
  if (const auto start = table.duration("start")) client.start = *start;
  if (auto script = read_block(table, "script", source)) {
    if (trim(script->text).empty()) table.complain("script", "expected at least one step");
    client.script = std::move(script->text);
    client.script_line = script->line;
    client.script_column = script->column;
    if (!table.has("to")) table.complain("to", "missing; expected the host that the script talks to");
  } else if (!table.has("script")) {
    for (const std::string_view key : {"to", "port", "start"}) {
      if (table.has(key)) table.complain(key, "says nothing without \"script\"");
    }
  }
  table.finish();
}

}  // namespace

Hosts read_hosts(TomlReader& top, const HostContext& context) {
  Hosts hosts;
  std::vector<Entry> entries = entries_in_file_order(top);
  if (entries.size() > kHostsMax) {
    top.problems().add(entries[kHostsMax].table.position(), fmt::format("more than {} hosts", kHostsMax));
    entries.erase(entries.begin() + kHostsMax, entries.end());
  }
  for (const Entry& entry : entries) {
    const SourcePosition position = entry.table.position();
    if (!is_host_name(entry.name)) {
      top.problems().add(position, fmt::format("\"{}\" is no name for a host; expected letters, digits, \"-\" and \"_\", "
                                               "63 at the most", escape(entry.name)));
    } else if (!hosts.names.add(entry.name, entry.kind)) {
      top.problems().add(position, fmt::format("\"{}\" is the name of another host; expected one of its own{}", entry.name,
                                               entry.name == kResolverHost || entry.name == kSubmitHost
                                                   ? " (the world's resolver is \"dns\", its mail client \"client\")" : ""));
    }
  }

  Directory directory(context.matrix.v6.value_or(false) ? "v6" : "v4");
  std::uint16_t place = 0;
  for (Entry& entry : entries) {
    TomlReader& table = entry.table;
    ++place;
    const std::string default_name = ascii_lower(entry.name) + ".example";
    if (entry.kind == HostKind::mta) {
      MtaPart mta;
      const std::optional<Config> base = read_configuration(table, context, mta, hosts.elsewhere);
      const std::string own_name = base ? base->hostname : default_name;
      directory.read(table, entry.name, place, hostname_of(table).value_or(own_name), mta);
      read_mta(table, base, context.matrix, mta);
      hosts.mtas.push_back(std::move(mta));
    } else if (entry.kind == HostKind::peer) {
      PeerPart peer;
      directory.read(table, entry.name, place, default_name, peer);
      read_peer(table, peer, hosts.names, context.source);
      hosts.peers.push_back(std::move(peer));
    } else {
      ClientPart client;
      directory.read(table, entry.name, place, default_name, client);
      read_client(table, client, hosts.names, context.source);
      hosts.clients.push_back(std::move(client));
    }
  }
  resolve_likes(hosts.peers, entries);
  return hosts;
}

}  // namespace postproof::sim
