#include "sim/view/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "mta/base/text.h"
#include "sim/recording/served.h"
#include "sim/recording/tls_record.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kLineOctetsMax = 4096;  // a line without an end is told in pieces of this

// Of the MTA's own events these say what the wire does not.
constexpr std::array<std::string_view, 7> kTellingEvents = {"accepted", "attempt", "delivered", "deferred",
                                                            "bounced",  "expired", "service"};

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

// How many octets of content follow this command: those of a BDAT (RFC 3030 section 2).
std::size_t announced_octets(std::string_view line) {
  constexpr std::string_view kBdat = "BDAT ";
  if (!starts_with_ignoring_case(line, kBdat)) return 0;
  const std::string_view argument = trim(line.substr(kBdat.size()));
  return static_cast<std::size_t>(parse_decimal(argument.substr(0, argument.find_first_of(" \r\n"))).value_or(0));
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
  std::size_t chunk_left = 0;          // octets of a BDAT's chunk that have not come yet
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

// What a step is made of, of everything but the lines of SMTP.
class Describe {
 public:
  explicit Describe(Connections& connections) : connections_(connections) {}

  Step operator()(const record::NodeState& r) const {
    if (r.state == "crash") return of(Step::Kind::node, r.node, "CRASH");
    return of(Step::Kind::node, r.node, r.state == "start" ? "starts" : r.state == "stop" ? "stops" : escape(r.state));
  }
  Step operator()(const record::Dial& r) const {
    return on(Step::Kind::dial, r.connection, Side::opener,
              fmt::format("dials {} from {}", r.to.to_string(), r.from.to_string()));
  }
  Step operator()(const record::Established& r) const {
    return on(Step::Kind::established, r.connection, Side::acceptor, "connected");
  }
  Step operator()(const record::Refused& r) const {
    return on(Step::Kind::refused, r.connection, Side::acceptor, fmt::format("not connected: {}", escape(r.reason)));
  }
  Step operator()(const record::Octets& r) const {
    return octets(r, begins_tls(r.octets) ? tls_octets(r.octets) : lines(r.octets));
  }
  Step operator()(const record::Fin& r) const {
    return on(Step::Kind::fin, r.connection, r.from,
              r.network ? "is ended by the network (FIN)" : "ends its direction (FIN)");
  }
  Step operator()(const record::Reset& r) const {
    return on(Step::Kind::reset, r.connection, r.from, "cuts the connection (RST)");
  }
  Step operator()(const record::Tls& r) const {
    std::string text = "TLS " + escape(r.state);
    for (const std::string* word : {&r.version, &r.cipher}) {
      if (!word->empty()) text += " " + escape(*word);
    }
    if (!r.server_name.empty()) text += ", for " + escape(r.server_name);
    if (!r.verified.empty()) text += r.verified == "ok" ? ", verified" : ", not verified: " + escape(r.verified);
    if (!r.detail.empty()) text += ": " + escape(r.detail);
    return on(Step::Kind::tls, r.connection, r.from, fmt::format("{}   ({})", text, escape(r.node)));
  }
  Step operator()(const record::Plain& r) const {
    Step step = octets(r, lines(r.octets));
    step.hidden = true;
    return step;
  }
  Step operator()(const record::TlsKey& r) const {
    return on(Step::Kind::tls, r.connection, Side::opener, "TLS key: " + escape(r.line));
  }
  Step operator()(const record::Datagram& r) const {
    Step step = of(Step::Kind::datagram, r.from_node,
                   fmt::format("datagram of {} octets to {}", r.octets.size(), r.to.to_string()));
    step.to = r.to_node.empty() ? r.to.to_string() : r.to_node;
    step.lost = r.lost;
    return step;
  }
  Step operator()(const record::Dns& r) const {
    Step step = of(Step::Kind::dns, r.client,
                   fmt::format("{} {} ? {}{}", escape(r.name), escape(r.type), escape(r.answer),
                               r.transport == "tcp" ? "   (tcp)" : ""));
    step.to = r.server;
    return step;
  }
  Step operator()(const record::PeerMessage& r) const {
    const std::string reply = r.reply.empty() ? "no reply" : one_line_reply(r.reply);
    return of(Step::Kind::message, r.peer,
              fmt::format("{} <{}> to {}, {} octets: {}",
                          r.accepted ? "keeps the message from" : "refuses the message from", escape(r.sender),
                          paths(r.recipients), r.content.size(), reply));
  }
  Step operator()(const record::ClientMessage& r) const {
    const std::string reply = r.reply.empty() ? "no reply" : one_line_reply(r.reply);
    return of(Step::Kind::message, r.client,
              fmt::format("{} <{}> to {}, {} octets: {}", r.acknowledged ? "has handed over" : "could not hand over",
                          escape(r.sender), paths(r.recipients), r.content.size(), reply));
  }
  Step operator()(const record::ScriptFailure& r) const {
    return of(Step::Kind::script, r.node,
              fmt::format("SCRIPT FAILS: wanted {}, got {}{}", escape(r.wanted), escape(r.got), line_reference(r.line)));
  }
  Step operator()(const record::DiskOperation& r) const {
    return of(Step::Kind::disk, r.node,
              fmt::format("disk {}: {} {} at {}, {} octets: {}", r.number, escape(r.operation), escape(r.path),
                          r.offset, r.size, escape(r.result)));
  }
  Step operator()(const record::Fault& r) const {
    return of(Step::Kind::fault, escape(r.where),
              fmt::format("FAULT {} {}{}", escape(r.kind), escape(r.detail), line_reference(r.line)));
  }
  Step operator()(const record::MtaEvent& r) const {
    std::string text = escape(r.name);
    for (const auto& [key, value] : r.fields) text += event_field(key, value);
    return of(Step::Kind::event, r.node, std::move(text));
  }
  Step operator()(const record::QueueState& r) const {
    const std::string due = r.due ? ", due at " + view_time(*r.due) : "";
    return of(Step::Kind::queue, r.node,
              fmt::format("in the queue: {} from <{}> to <{}>: {}, {} attempts{}", escape(r.message), escape(r.sender),
                          escape(r.recipient), escape(r.status), r.attempts, due));
  }
  Step operator()(const record::End& r) const {
    return of(Step::Kind::end, "",
              fmt::format("END {}{}{}", escape(r.reason), r.pending.empty() ? "" : ", pending: ",
                          one_line_reply(r.pending)));
  }
  Step operator()(const record::Failure& r) const {
    return of(Step::Kind::failure, "",
              fmt::format("FAILED {}: wanted {}; nearest: {}{}", escape(r.expectation), escape(r.wanted),
                          r.nearest.empty() ? "nothing" : escape(r.nearest), line_reference(r.line)));
  }
  Step operator()(const record::Verdict& r) const {
    return of(Step::Kind::verdict, "",
              fmt::format("{}: {} held, {} failed", ascii_upper(escape(r.result)), r.held, r.failed));
  }

  Step on(Step::Kind kind, ConnectionId id, Side from, std::string text) const {
    Step step;
    const Connection& connection = connections_[id];
    step.kind = kind;
    step.connection = id;
    step.back = from == Side::acceptor;
    step.from = step.back ? connection.acceptor : connection.opener;
    step.to = step.back ? connection.opener : connection.acceptor;
    step.text = std::move(text);
    return step;
  }

 private:
  static Step of(Step::Kind kind, std::string from, std::string text) {
    Step step;
    step.kind = kind;
    step.from = std::move(from);
    step.text = std::move(text);
    return step;
  }
  Step octets(const auto& r, std::string text) const {
    Step step = on(Step::Kind::line, r.connection, r.from, std::move(text));
    step.lost = !r.arrives;
    return step;
  }
  static std::string lines(std::string_view octets) {
    std::string text;
    while (!octets.empty()) {
      const std::size_t size = std::min(octets.find('\n'), octets.size() - 1) + 1;
      if (!text.empty()) text += " | ";
      text += wire_line(octets.substr(0, size));
      octets.remove_prefix(size);
    }
    return text;
  }

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

class StepReader {
 public:
  StepReader(const Recording& recording, const StepOptions& options)
      : recording_(recording), options_(options), describe_(connections_) {}

  std::vector<Step> read() {
    for (; record_ < recording_.records.size(); ++record_) take(recording_.records[record_]);
    if (record_ > 0) --record_;
    for (const auto& [id, connection] : connections_) flush(id);
    return std::move(steps_);
  }

 private:
  void take(const Record& record) {
    at_ = record.at;
    if (const auto* dial = std::get_if<record::Dial>(&record.what)) connections_.dial(*dial);
    if (const auto* octets = std::get_if<record::Octets>(&record.what)) return take_octets(*octets);
    if (const auto* plain = std::get_if<record::Plain>(&record.what)) {
      hidden_ = true;
      take_text(plain->connection, plain->from, plain->octets, !plain->arrives);
      hidden_ = false;
      return;
    }
    if (const auto* fin = std::get_if<record::Fin>(&record.what)) flush(fin->connection, fin->from);
    if (const auto* reset = std::get_if<record::Reset>(&record.what)) flush(reset->connection);
    if (!shown(record)) return;
    const ConnectionId id = connection_of(record);
    if (id != 0 && !connections_[id].shown_as_lines) return;  // the DNS server's own record says it
    Step step = std::visit(describe_, record.what);
    step.connection = id;
    add(std::move(step));
    if (const auto* tls = std::get_if<record::Tls>(&record.what)) {
      std::array<bool, 2>& secured = connections_[id].secured;
      // On real sockets an MTA does not tell; what it sends is told by who reads it.
      if (was_served(recording_)) secured.fill(tls->state == "established");
      secured[static_cast<std::size_t>(tls->from)] = tls->state == "established";
    }
  }

  bool shown(const Record& record) const {
    if (std::holds_alternative<record::DiskOperation>(record.what)) return options_.disk;
    if (const auto* event = std::get_if<record::MtaEvent>(&record.what)) {
      return options_.all_events || std::ranges::find(kTellingEvents, event->name) != kTellingEvents.end();
    }
    if (std::holds_alternative<record::TlsKey>(record.what)) return false;
    if (const auto* datagram = std::get_if<record::Datagram>(&record.what)) {
      const bool dns = datagram->to.port() == kDnsPort || datagram->from.port() == kDnsPort;
      return datagram->lost || !dns;  // what arrives at a DNS server, the server tells
    }
    return true;
  }

  void take_octets(const record::Octets& octets) {
    Connection& connection = connections_[octets.connection];
    const auto side = static_cast<std::size_t>(octets.from);
    if (connection.shown_as_lines && connection.partial[side].empty() && begins_tls(octets.octets)) {
      connection.tls[side] = true;
    }
    if (!connection.tls[side]) return take_text(octets.connection, octets.from, octets.octets, !octets.arrives);
    if (connection.secured[side]) return;  // Plain told it
    lost_ = !octets.arrives;
    add_wire(Step::Kind::line, octets.connection, octets.from, tls_octets(octets.octets));
    lost_ = false;
  }

  void take_text(ConnectionId id, Side from, std::string_view rest, bool lost) {
    Connection& connection = connections_[id];
    if (!connection.shown_as_lines) return;
    lost_ = lost;
    std::string& partial = connection.partial[static_cast<std::size_t>(from)];
    while (!rest.empty()) {
      const bool in_chunk = from == Side::opener && connection.chunk_left > 0;
      std::size_t size = std::min(rest.find('\n'), rest.size() - 1) + 1;
      if (in_chunk) size = std::min(size, connection.chunk_left);
      partial += rest.substr(0, size);
      rest.remove_prefix(size);
      if (in_chunk) connection.chunk_left -= size;
      const bool chunk_ends = in_chunk && connection.chunk_left == 0;
      if (!chunk_ends && !partial.ends_with('\n') && partial.size() < kLineOctetsMax) break;
      const std::string line = std::exchange(partial, {});
      if (in_chunk) {
        show_content(id, connection, line);
        if (chunk_ends) end_content(id, connection);
      } else {
        take_line(id, connection, from, line);
      }
    }
    lost_ = false;
  }

  void take_line(ConnectionId id, Connection& connection, Side from, std::string_view line) {
    if (from == Side::opener && connection.in_content) return take_content(id, connection, line);
    if (from == Side::opener && equal_ignoring_case(trim(line.substr(0, line.find_first_of("\r\n"))), "DATA")) {
      connection.data_asked = true;
    }
    add_wire(Step::Kind::line, id, from, wire_line(line));
    if (from == Side::opener) {
      connection.chunk_left = announced_octets(line);
      connection.content_octets = connection.content_lines = 0;
    }
    // Refusals on the way to the 354 may belong to commands that were pipelined in front of DATA.
    if (from == Side::acceptor && connection.data_asked && line.starts_with("354")) {
      connection.data_asked = false;
      connection.in_content = true;
      connection.content_octets = connection.content_lines = 0;
    }
  }

  void take_content(ConnectionId id, Connection& connection, std::string_view line) {
    if (line == ".\r\n") {
      end_content(id, connection);
      add_wire(Step::Kind::line, id, Side::opener, ".");
      return;
    }
    show_content(id, connection, line);
  }

  void show_content(ConnectionId id, Connection& connection, std::string_view line) {
    connection.content_octets += line.size();
    if (connection.content_lines++ < options_.content_lines) {
      add_wire(Step::Kind::content, id, Side::opener, wire_line(line));
    }
  }

  // Sums up what was not told.
  void end_content(ConnectionId id, Connection& connection) {
    connection.in_content = false;
    if (connection.content_lines > options_.content_lines) {
      add_wire(Step::Kind::content, id, Side::opener,
               fmt::format("... {} octets in {} lines", connection.content_octets, connection.content_lines));
    }
  }

  // A line that will not be ended any more is told as far as it came.
  void flush(ConnectionId id, Side from) {
    Connection& connection = connections_[id];
    if (!connection.shown_as_lines) return;
    const std::string line = std::exchange(connection.partial[static_cast<std::size_t>(from)], {});
    if (!line.empty()) take_line(id, connection, from, line);
    if (from == Side::opener && connection.in_content) end_content(id, connection);
  }
  void flush(ConnectionId id) {
    flush(id, Side::opener);
    flush(id, Side::acceptor);
  }

  void add_wire(Step::Kind kind, ConnectionId id, Side from, std::string text) {
    Step step = describe_.on(kind, id, from, std::move(text));
    step.lost = lost_;
    step.hidden = hidden_;
    add(std::move(step));
  }
  void add(Step step) {
    step.at = at_;
    step.record = record_;
    steps_.push_back(std::move(step));
  }

  const Recording& recording_;
  const StepOptions& options_;
  Connections connections_;
  Describe describe_;
  std::vector<Step> steps_;
  std::size_t record_ = 0;
  Duration at_{};
  bool lost_ = false;    // the octets under way never arrive
  bool hidden_ = false;  // TLS hid them
};

}  // namespace

std::string event_field(std::string_view key, std::string_view value) {
  const std::string escaped = escape(value);
  const bool word = !escaped.empty() && escaped.find(' ') == std::string::npos;
  return fmt::format(" {}={}", escape(key), word ? escaped : '"' + escaped + '"');
}

std::vector<Step> read_steps(const Recording& recording, const StepOptions& options) {
  return StepReader(recording, options).read();
}

Step read_step(const Recording& recording, std::size_t index) {
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
  Step step = std::visit(Describe(connections), record.what);
  step.at = record.at;
  step.record = index;
  step.connection = connection;
  return step;
}

}  // namespace postproof::sim
