// SMTP is split into lines here as any observer of a wire could, without believing either end: a line goes
// to its LF, and what the opener sends between a 354 and CRLF.CRLF is content.
#include "sim/recording/text_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "mta/base/text.h"

namespace postproof::sim {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kTimeColumns = 14;
constexpr std::size_t kHostsColumns = 16;
constexpr std::size_t kTextColumn = kTimeColumns + 2 + 5 + kHostsColumns + 2;  // time, connection, hosts
constexpr std::size_t kLineOctetsMax = 4096;  // a line without an end is shown in pieces of this

// Of the MTA's own events the view shows what the wire does not say.
constexpr std::array<std::string_view, 7> kShownEvents = {"accepted", "attempt", "delivered", "deferred",
                                                          "bounced",  "expired", "service"};

std::string cut(std::string text, std::size_t width) {
  constexpr std::string_view kMore = "...";
  if (text.size() > width && width > kMore.size()) {
    text.resize(width - kMore.size());
    text += kMore;
  }
  return text;
}

// Values that would not read as one word are quoted.
std::string quoted(std::string_view text) {
  const std::string escaped = escape(text);
  if (!escaped.empty() && escaped.find(' ') == std::string::npos) return escaped;
  return '"' + escaped + '"';
}

std::string line_reference(std::uint32_t line) { return line == 0 ? "" : fmt::format("   :{}", line); }

std::string paths(const std::vector<std::string>& addresses) {
  std::string out;
  for (const std::string& address : addresses) {
    if (!out.empty()) out += ", ";
    out += fmt::format("<{}>", escape(address));
  }
  return out.empty() ? "nobody" : out;
}

std::string one_line_reply(std::string_view reply) {
  std::string out;
  for (std::string_view line : split(reply, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (!out.empty()) out += " | ";
    out += escape(line);
  }
  return out;
}

// A line as it crossed the wire: CRLF goes without saying, any other end is shown.
std::string wire_line(std::string_view octets) {
  if (octets.ends_with("\r\n")) {
    octets.remove_suffix(2);
    return escape(octets);
  }
  return octets.ends_with('\n') ? escape(octets) : escape(octets) + "   (no line end)";
}

// RFC 8446 section 5.1: a record of TLS begins with its content type (20 to 24) and the octet 3. SMTP has no line that
// does.
bool begins_tls(std::string_view octets) {
  return octets.size() >= 2 && octets[0] >= 20 && octets[0] <= 24 && octets[1] == 3;
}
std::string tls_octets(std::string_view octets) { return fmt::format("TLS, {} octets", octets.size()); }

struct Connection {
  std::string opener, acceptor;
  bool shown_as_lines = true;          // not for DNS over TCP
  std::array<std::string, 2> partial;  // by Side: the line that has begun
  std::array<bool, 2> tls{};           // by Side: what it sends is TLS
  std::array<bool, 2> secured{};       // by Side: its handshake is done, and Plain tells what it sends
  bool data_asked = false;             // the opener has sent DATA, and 354 or a refusal is to come
  bool in_content = false;
  std::size_t content_octets = 0, content_lines = 0;
};

// Names of both ends, as lines show them.
class Connections {
 public:
  void dial(const record::Dial& dial) {
    Connection& connection = map_[dial.connection];
    connection.opener = dial.from_node.empty() ? dial.from.to_string() : dial.from_node;
    connection.acceptor = dial.to_node.empty() ? dial.to.to_string() : dial.to_node;
    const bool dns = dial.to.kind() == Endpoint::Kind::ip && dial.to.port() == kDnsPort;
    connection.shown_as_lines = !dns;
  }
  Connection& operator[](ConnectionId id) { return map_[id]; }
  auto begin() { return map_.begin(); }
  auto end() { return map_.end(); }

 private:
  std::map<ConnectionId, Connection> map_;
};

std::string hosts(const Connection& connection, Side from) {
  return fmt::format("{} {} {}", connection.opener, from == Side::opener ? '>' : '<', connection.acceptor);
}

// Who, and what happened, of everything but octets.
struct Said {
  std::string who;
  std::string what;
};

class Describe {
 public:
  explicit Describe(Connections& connections) : connections_(connections) {}

  Said operator()(const record::NodeState& r) const {
    if (r.state == "crash") return {r.node, "CRASH"};
    return {r.node, r.state == "start" ? "starts" : r.state == "stop" ? "stops" : escape(r.state)};
  }
  Said operator()(const record::Dial& r) const {
    return {on(r.connection, Side::opener), fmt::format("dials {} from {}", r.to.to_string(), r.from.to_string())};
  }
  Said operator()(const record::Established& r) const { return {on(r.connection, Side::acceptor), "connected"}; }
  Said operator()(const record::Refused& r) const {
    return {on(r.connection, Side::acceptor), fmt::format("not connected: {}", escape(r.reason))};
  }
  Said operator()(const record::Octets& r) const {
    if (begins_tls(r.octets)) return {on(r.connection, r.from), tls_octets(r.octets)};
    return {on(r.connection, r.from), lines(r.octets, r.arrives.has_value())};
  }
  Said operator()(const record::Fin& r) const { return {on(r.connection, r.from), "ends its direction (FIN)"}; }
  Said operator()(const record::Reset& r) const { return {on(r.connection, r.from), "cuts the connection (RST)"}; }
  Said operator()(const record::Tls& r) const {
    std::string text = "TLS " + escape(r.state);
    for (const std::string* word : {&r.version, &r.cipher}) {
      if (!word->empty()) text += " " + escape(*word);
    }
    if (!r.server_name.empty()) text += ", for " + escape(r.server_name);
    if (!r.verified.empty()) text += r.verified == "ok" ? ", verified" : ", not verified: " + escape(r.verified);
    if (!r.detail.empty()) text += ": " + escape(r.detail);
    return {on(r.connection, r.from), fmt::format("{}   ({})", text, r.node)};
  }
  Said operator()(const record::Plain& r) const {
    return {on(r.connection, r.from), lines(r.octets, r.arrives.has_value())};
  }
  Said operator()(const record::TlsKey& r) const {
    return {on(r.connection, Side::opener), "TLS key: " + escape(r.line)};
  }
  Said operator()(const record::Datagram& r) const {
    return {fmt::format("{} > {}", r.from_node, r.to_node.empty() ? r.to.to_string() : r.to_node),
            fmt::format("datagram of {} octets to {}{}", r.octets.size(), r.to.to_string(), r.lost ? "   (lost)" : "")};
  }
  Said operator()(const record::Dns& r) const {
    return {
        fmt::format("{} > {}", r.client, r.server),
        fmt::format("{} {} ? {}{}", escape(r.name), r.type, escape(r.answer), r.transport == "tcp" ? "   (tcp)" : "")};
  }
  Said operator()(const record::PeerMessage& r) const {
    const std::string reply = r.reply.empty() ? "no reply" : one_line_reply(r.reply);
    return {r.peer, fmt::format("{} <{}> to {}, {} octets: {}",
                                r.accepted ? "keeps the message from" : "refuses the message from", escape(r.sender),
                                paths(r.recipients), r.content.size(), reply)};
  }
  Said operator()(const record::ClientMessage& r) const {
    const std::string reply = r.reply.empty() ? "no reply" : one_line_reply(r.reply);
    return {r.client,
            fmt::format("{} <{}> to {}, {} octets: {}", r.acknowledged ? "has handed over" : "could not hand over",
                        escape(r.sender), paths(r.recipients), r.content.size(), reply)};
  }
  Said operator()(const record::ScriptFailure& r) const {
    return {r.node,
            fmt::format("SCRIPT FAILS: wanted {}, got {}{}", escape(r.wanted), escape(r.got), line_reference(r.line))};
  }
  Said operator()(const record::DiskOperation& r) const {
    return {r.node, fmt::format("disk {}: {} {} at {}, {} octets: {}", r.number, r.operation, escape(r.path), r.offset,
                                r.size, escape(r.result))};
  }
  Said operator()(const record::Fault& r) const {
    return {r.where, fmt::format("FAULT {} {}{}", escape(r.kind), escape(r.detail), line_reference(r.line))};
  }
  Said operator()(const record::MtaEvent& r) const {
    std::string text = "    * " + r.name;
    for (const auto& [key, value] : r.fields) text += fmt::format(" {}={}", key, quoted(value));
    return {r.node, text};
  }
  Said operator()(const record::QueueState& r) const {
    const std::string due = r.due ? ", due at " + view_time(*r.due) : "";
    return {r.node, fmt::format("in the queue: {} from <{}> to <{}>: {}, {} attempts{}", escape(r.message),
                                escape(r.sender), escape(r.recipient), escape(r.status), r.attempts, due)};
  }
  Said operator()(const record::End& r) const {
    return {"", fmt::format("END {}{}{}", escape(r.reason),
                            r.pending.empty() ? "" : ", pending: ", one_line_reply(r.pending))};
  }
  Said operator()(const record::Failure& r) const {
    return {"", fmt::format("FAILED {}: wanted {}; nearest: {}{}", escape(r.expectation), escape(r.wanted),
                            r.nearest.empty() ? "nothing" : escape(r.nearest), line_reference(r.line))};
  }
  Said operator()(const record::Verdict& r) const {
    return {"", fmt::format("{}: {} expectations held, {} failures", escape(r.result), r.held, r.failed)};
  }

 private:
  static std::string lines(std::string_view octets, bool arrives) {
    std::string text;
    while (!octets.empty()) {
      const std::size_t size = std::min(octets.find('\n'), octets.size() - 1) + 1;
      if (!text.empty()) text += " | ";
      text += wire_line(octets.substr(0, size));
      octets.remove_prefix(size);
    }
    if (!arrives) text += "   (lost)";
    return text;
  }

  std::string on(ConnectionId id, Side from) const { return hosts(connections_[id], from); }

  Connections& connections_;
};

// Which connection a record belongs to; 0: none.
ConnectionId connection_of(const Record& record) {
  return std::visit(
      [](const auto& r) -> ConnectionId {
        if constexpr (requires { r.connection; }) return r.connection;
        return 0;
      },
      record.what);
}

std::string format_line(Duration at, ConnectionId connection, std::string_view who, std::string_view what,
                        std::size_t width) {
  const std::string number = connection == 0 ? "" : fmt::format("#{}", connection);
  return cut(fmt::format("{:>{}}  {:<4} {:<{}}  {}", view_time(at), kTimeColumns, number, who, kHostsColumns, what),
             width);
}

class Transcript {
 public:
  Transcript(const Recording& recording, const TextViewOptions& options)
      : recording_(recording), options_(options), describe_(connections_) {}

  std::string write() {
    add(fmt::format("{}{}   seed {}   begins at {}", escape(recording_.scenario),
                    recording_.variant.empty() ? "" : fmt::format(" [{}]", escape(recording_.variant)), recording_.seed,
                    format_rfc3339(recording_.start)));
    if (!recording_.title.empty()) add(escape(recording_.title));
    add("");
    for (const Record& record : recording_.records) tell(record);
    for (const auto& [id, connection] : connections_) flush(id);
    return std::move(out_);
  }

 private:
  void tell(const Record& record) {
    at_ = record.at;
    if (const auto* dial = std::get_if<record::Dial>(&record.what)) connections_.dial(*dial);
    if (const auto* octets = std::get_if<record::Octets>(&record.what)) {
      tell_octets(*octets);
      return;
    }
    if (const auto* plain = std::get_if<record::Plain>(&record.what)) {
      tell_text(plain->connection, plain->from, plain->octets, !plain->arrives);
      return;
    }
    if (const auto* fin = std::get_if<record::Fin>(&record.what)) flush(fin->connection, fin->from);
    if (const auto* reset = std::get_if<record::Reset>(&record.what)) {
      flush(reset->connection);
    }
    if (!shown(record)) return;
    const ConnectionId id = connection_of(record);
    if (id != 0 && !connections_[id].shown_as_lines) return;  // the DNS server's own record says it
    if (const auto* event = std::get_if<record::MtaEvent>(&record.what)) {
      tell_event(*event);
      return;
    }
    const Said said = std::visit(describe_, record.what);
    add(format_line(at_, id, said.who, said.what, options_.width));
    if (const auto* tls = std::get_if<record::Tls>(&record.what)) {
      connections_[id].secured[static_cast<std::size_t>(tls->from)] = tls->state == "established";
    }
  }

  // Over as many lines as it takes: why a message was deferred stands at the end.
  void tell_event(const record::MtaEvent& event) {
    std::string line = format_line(at_, 0, event.node, "    * " + event.name, options_.width);
    const std::string indent(kTextColumn + 5, ' ');  // the fields stand below the name
    for (const auto& [key, value] : event.fields) {
      const std::string field = fmt::format(" {}={}", key, quoted(value));
      if (line.size() + field.size() > options_.width && line.size() > indent.size()) {
        add(std::move(line));
        line = indent;
      }
      line += field;
    }
    add(std::move(line));
  }

  bool shown(const Record& record) const {
    if (std::holds_alternative<record::DiskOperation>(record.what)) return options_.disk;
    if (const auto* event = std::get_if<record::MtaEvent>(&record.what)) {
      return std::ranges::find(kShownEvents, event->name) != kShownEvents.end();
    }
    if (std::holds_alternative<record::TlsKey>(record.what)) return false;
    if (const auto* datagram = std::get_if<record::Datagram>(&record.what)) {
      const bool dns = datagram->to.port() == kDnsPort || datagram->from.port() == kDnsPort;
      return datagram->lost || !dns;  // what arrives at a DNS server, the server tells
    }
    return true;
  }

  void tell_octets(const record::Octets& octets) {
    Connection& connection = connections_[octets.connection];
    const auto side = static_cast<std::size_t>(octets.from);
    if (connection.shown_as_lines && connection.partial[side].empty() && begins_tls(octets.octets)) {
      connection.tls[side] = true;
    }
    if (!connection.tls[side]) return tell_text(octets.connection, octets.from, octets.octets, !octets.arrives);
    if (connection.secured[side]) return;  // Plain told it
    lost_ = !octets.arrives;
    add_wire(octets.connection, connection, octets.from, tls_octets(octets.octets));
    lost_ = false;
  }

  void tell_text(ConnectionId id, Side from, std::string_view rest, bool lost) {
    Connection& connection = connections_[id];
    if (!connection.shown_as_lines) return;
    lost_ = lost;
    std::string& partial = connection.partial[static_cast<std::size_t>(from)];
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.find('\n'), rest.size() - 1) + 1;
      partial += rest.substr(0, size);
      rest.remove_prefix(size);
      if (!partial.ends_with('\n') && partial.size() < kLineOctetsMax) break;
      const std::string line = std::exchange(partial, {});
      tell_line(id, connection, from, line);
    }
    lost_ = false;
  }

  void tell_line(ConnectionId id, Connection& connection, Side from, std::string_view line) {
    if (from == Side::opener && connection.in_content) return tell_content(id, connection, line);
    if (from == Side::opener && equal_ignoring_case(trim(line.substr(0, line.find_first_of("\r\n"))), "DATA")) {
      connection.data_asked = true;
    }
    add_wire(id, connection, from, wire_line(line));
    // Refusals on the way to the 354 may belong to commands that were pipelined in front of DATA.
    if (from == Side::acceptor && connection.data_asked && line.starts_with("354")) {
      connection.data_asked = false;
      connection.in_content = true;
      connection.content_octets = connection.content_lines = 0;
    }
  }

  void tell_content(ConnectionId id, Connection& connection, std::string_view line) {
    if (line == ".\r\n") {
      end_content(id, connection);
      add_wire(id, connection, Side::opener, ".");
      return;
    }
    connection.content_octets += line.size();
    if (connection.content_lines++ < options_.content_lines) {
      add_wire(id, connection, Side::opener, "| " + wire_line(line));
    }
  }

  // Sums up what was not shown.
  void end_content(ConnectionId id, Connection& connection) {
    connection.in_content = false;
    if (connection.content_lines > options_.content_lines) {
      add_wire(id, connection, Side::opener,
               fmt::format("| ... {} octets in {} lines", connection.content_octets, connection.content_lines));
    }
  }

  // A line that will not be ended any more is shown as far as it came.
  void flush(ConnectionId id, Side from) {
    Connection& connection = connections_[id];
    if (!connection.shown_as_lines) return;
    const std::string line = std::exchange(connection.partial[static_cast<std::size_t>(from)], {});
    if (!line.empty()) tell_line(id, connection, from, line);
    if (from == Side::opener && connection.in_content) end_content(id, connection);
  }
  void flush(ConnectionId id) {
    flush(id, Side::opener);
    flush(id, Side::acceptor);
  }

  void add_wire(ConnectionId id, const Connection& connection, Side from, std::string_view text) {
    add(format_line(at_, id, hosts(connection, from), lost_ ? fmt::format("{}   (lost)", text) : std::string(text),
                    options_.width));
  }
  void add(std::string line) {
    line = cut(std::move(line), options_.width);
    while (line.ends_with(' ')) line.pop_back();
    out_ += line;
    out_ += '\n';
  }

  const Recording& recording_;
  const TextViewOptions& options_;
  Connections connections_;
  Describe describe_;
  std::string out_;
  Duration at_{};
  bool lost_ = false;  // the octets under way never arrive
};

}  // namespace

std::string view_time(Duration at) {
  using namespace std::chrono;
  const auto milliseconds_all = floor<milliseconds>(at).count();
  std::string out = milliseconds_all < 0 ? "-" : "";
  const std::uint64_t total = static_cast<std::uint64_t>(milliseconds_all < 0 ? -milliseconds_all : milliseconds_all);
  const std::uint64_t seconds_all = total / 1000;
  const std::array<std::pair<std::uint64_t, char>, 3> parts = {
      {{seconds_all / 86400, 'd'}, {seconds_all / 3600 % 24, 'h'}, {seconds_all / 60 % 60, 'm'}}};
  bool begun = false;
  for (const auto& [count, unit] : parts) {
    if (!begun && count == 0) continue;
    out += begun ? fmt::format("{:02}{}", count, unit) : fmt::format("{}{}", count, unit);
    begun = true;
  }
  out += begun ? fmt::format("{:02}.{:03}s", seconds_all % 60, total % 1000)
               : fmt::format("{}.{:03}s", seconds_all, total % 1000);
  return out;
}

std::string text_view(const Recording& recording, const TextViewOptions& options) {
  return Transcript(recording, options).write();
}

std::string text_line(const Recording& recording, std::size_t index, std::size_t width) {
  if (index >= recording.records.size()) return fmt::format("event {}: there is none", index);
  const Record& record = recording.records[index];
  Connections connections;
  const ConnectionId connection = connection_of(record);
  for (const Record& earlier : recording.records) {
    const auto* dial = std::get_if<record::Dial>(&earlier.what);
    if (dial != nullptr && dial->connection == connection) {
      connections.dial(*dial);
      break;
    }
  }
  const Said said = std::visit(Describe(connections), record.what);
  return format_line(record.at, connection, said.who, said.what, width);
}

}  // namespace postproof::sim
