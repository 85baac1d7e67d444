// One list of fields for each kind serves the writer and the reader alike, so that they cannot disagree.
// Writing is done by hand, since recordings are written far more often than they are read; reading is
// Boost.JSON's.
#include "sim/recording/recording_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <type_traits>

#include "mta/base/text.h"
#include "sim/recording/served.h"

namespace postproof::sim {
namespace {

namespace json = boost::json;

using What = decltype(Record::what);

// The kinds as files name them, in the order of Record::what.
constexpr std::array<std::string_view, 22> kKinds = {
    "node",     "dial",  "established",  "refused",        "octets",
    "fin",      "reset", "tls",          "plain",          "tls-key",
    "datagram", "dns",   "peer-message", "client-message", "script-failure",
    "disk",     "fault", "event",        "queue",          "end",
    "failure",  "verdict"};
static_assert(kKinds.size() == std::variant_size_v<What>);

// The fields of each kind, in the order in which they are written. What is rarely other than its default is
// left out when it is that: unless_usual.
template <class V>
struct Fields {
  V& v;
  void operator()(auto& r) const { list(r); }

 private:
  template <class R>
  void list(R& r) const {
    using T = std::remove_const_t<R>;
    if constexpr (std::is_same_v<T, record::NodeState>) {
      v("node", r.node), v("state", r.state);
    } else if constexpr (std::is_same_v<T, record::Dial>) {
      v("connection", r.connection), v("from_node", r.from_node), v("to_node", r.to_node);
      v("from", r.from), v("to", r.to);
    } else if constexpr (std::is_same_v<T, record::Established>) {
      v("connection", r.connection);
    } else if constexpr (std::is_same_v<T, record::Refused>) {
      v("connection", r.connection), v("reason", r.reason);
    } else if constexpr (std::is_same_v<T, record::Octets>) {
      v("connection", r.connection), v("from", r.from), v("octets", r.octets), v("arrives", r.arrives);
      v.unless_usual("resent", r.resent);
    } else if constexpr (std::is_same_v<T, record::Plain>) {
      v("connection", r.connection), v("from", r.from), v("octets", r.octets), v("arrives", r.arrives);
    } else if constexpr (std::is_same_v<T, record::Fin>) {
      v("connection", r.connection), v("from", r.from), v.unless_usual("network", r.network);
    } else if constexpr (std::is_same_v<T, record::Reset>) {
      v("connection", r.connection), v("from", r.from);
    } else if constexpr (std::is_same_v<T, record::Tls>) {
      v("connection", r.connection), v("from", r.from), v("node", r.node), v("state", r.state);
      v("version", r.version), v("cipher", r.cipher), v("server_name", r.server_name), v("verified", r.verified);
      v("detail", r.detail);
    } else if constexpr (std::is_same_v<T, record::TlsKey>) {
      v("connection", r.connection), v("line", r.line);
    } else if constexpr (std::is_same_v<T, record::Datagram>) {
      v("from_node", r.from_node), v("to_node", r.to_node), v("from", r.from), v("to", r.to);
      v("octets", r.octets), v("lost", r.lost);
    } else if constexpr (std::is_same_v<T, record::Dns>) {
      v("server", r.server), v("client", r.client), v("name", r.name), v("type", r.type);
      v("transport", r.transport), v("answer", r.answer);
    } else if constexpr (std::is_same_v<T, record::PeerMessage>) {
      v("peer", r.peer), v("connection", r.connection), v("helo", r.helo), v("mail_parameters", r.mail_parameters);
      v("sender", r.sender), v("recipients", r.recipients), v("content", r.content), v("reply", r.reply);
      v("accepted", r.accepted);
    } else if constexpr (std::is_same_v<T, record::ClientMessage>) {
      v("client", r.client), v("to", r.to), v("connection", r.connection), v("sender", r.sender);
      v("recipients", r.recipients), v("content", r.content), v("reply", r.reply), v("acknowledged", r.acknowledged);
    } else if constexpr (std::is_same_v<T, record::ScriptFailure>) {
      v("node", r.node), v("line", r.line), v("wanted", r.wanted), v("got", r.got);
    } else if constexpr (std::is_same_v<T, record::DiskOperation>) {
      v("node", r.node), v("number", r.number), v("operation", r.operation), v("path", r.path);
      v("offset", r.offset), v("size", r.size), v("result", r.result);
    } else if constexpr (std::is_same_v<T, record::Fault>) {
      v("fault", r.kind), v("where", r.where), v("line", r.line), v("detail", r.detail);
    } else if constexpr (std::is_same_v<T, record::MtaEvent>) {
      v("node", r.node), v("name", r.name), v("fields", r.fields);
    } else if constexpr (std::is_same_v<T, record::QueueState>) {
      v("node", r.node), v("message", r.message), v("sender", r.sender), v("recipient", r.recipient);
      v("status", r.status), v("attempts", r.attempts), v("due", r.due);
    } else if constexpr (std::is_same_v<T, record::End>) {
      v("reason", r.reason), v("pending", r.pending);
    } else if constexpr (std::is_same_v<T, record::Failure>) {
      v("line", r.line), v("expectation", r.expectation), v("wanted", r.wanted), v("nearest", r.nearest);
      v("events", r.events);
    } else {
      static_assert(std::is_same_v<T, record::Verdict>);
      v("result", r.result), v("held", r.held), v("failed", r.failed);
    }
  }
};

template <class V>
void header_fields(V& v, auto& recording) {
  v("scenario", recording.scenario), v("title", recording.title), v("variant", recording.variant);
  v("seed", recording.seed);
  v.unless_usual("group_begin", recording.group_begin), v.unless_usual("group_size", recording.group_size);
  v("start", recording.start), v("source", recording.source);
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void operator()(std::string_view key, const auto& value) {
    out_ += ",\"";
    out_ += key;
    out_ += "\":";
    write(value);
  }
  template <class T>
  void unless_usual(std::string_view key, const T& value) {
    if (value != T()) (*this)(key, value);
  }

  void write(const std::string& octets) { write(std::string_view(octets)); }
  void write(std::string_view octets) {
    out_ += '"';
    std::size_t plain = 0;  // where the run of octets that stand for themselves begins
    for (std::size_t i = 0; i < octets.size(); ++i) {
      const auto c = static_cast<unsigned char>(octets[i]);
      if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') continue;
      out_ += octets.substr(plain, i - plain);
      plain = i + 1;
      switch (c) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\r': out_ += "\\r"; break;
        case '\n': out_ += "\\n"; break;
        case '\t': out_ += "\\t"; break;
        default: fmt::format_to(std::back_inserter(out_), "\\u{:04x}", c);
      }
    }
    out_ += octets.substr(plain);
    out_ += '"';
  }
  void write(bool value) { out_ += value ? "true" : "false"; }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void write(Integer value) {
    const fmt::format_int text(value);
    out_.append(text.data(), text.size());
  }
  void write(Duration value) { write(value.count()); }
  void write(WallTime value) { write(value.time_since_epoch().count()); }
  void write(const std::optional<Duration>& value) {
    if (value) {
      write(*value);
    } else {
      out_ += "null";
    }
  }
  void write(Side side) { out_ += side == Side::opener ? "\"opener\"" : "\"acceptor\""; }
  void write(const Endpoint& endpoint) { write(endpoint.to_string()); }
  void write(const std::pair<std::string, std::string>& pair) {
    out_ += '[';
    write(pair.first);
    out_ += ',';
    write(pair.second);
    out_ += ']';
  }
  template <class T>
  void write(const std::vector<T>& list) {
    out_ += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i != 0) out_ += ',';
      write(list[i]);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
};

// U+0000 to U+00FF in UTF-8, as octets; none if another character is there.
std::optional<std::string> octets_of(std::string_view utf8) {
  std::string octets;
  octets.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      octets += utf8[i];
    } else if ((c == 0xc2 || c == 0xc3) && i + 1 < utf8.size()) {
      const auto next = static_cast<unsigned char>(utf8[++i]);
      octets += static_cast<char>(((c & 0x03) << 6) | (next & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return octets;
}

// Takes fields out of one line's object. The first thing that is wrong stays in `problem`.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  std::string problem;

  void operator()(std::string_view key, auto& value) {
    if (!problem.empty()) return;
    const json::value* found = object_.if_contains(key);
    if (found == nullptr) {
      problem = fmt::format("\"{}\" is missing", key);
    } else if (const std::string_view wanted = read(*found, value); !wanted.empty()) {
      problem = fmt::format("\"{}\" is no {}", key, wanted);
    }
  }
  void unless_usual(std::string_view key, auto& value) {
    if (object_.contains(key)) (*this)(key, value);
  }

 private:
  // Empty, or what was expected.
  static std::string_view read(const json::value& from, std::string& into) {
    constexpr std::string_view kWanted = "string of the characters U+0000 to U+00FF";
    if (!from.is_string()) return kWanted;
    auto octets = octets_of(from.get_string());
    if (!octets) return kWanted;
    into = std::move(*octets);
    return {};
  }
  static std::string_view read(const json::value& from, bool& into) {
    if (!from.is_bool()) return "boolean";
    into = from.get_bool();
    return {};
  }
  template <class Integer>
  requires std::is_integral_v<Integer>
  static std::string_view read(const json::value& from, Integer& into) {
    boost::system::error_code error;
    into = from.to_number<Integer>(error);
    if (error || from.is_double()) return "integer in its range";
    return {};
  }
  static std::string_view read(const json::value& from, Duration& into) {
    std::int64_t count = 0;
    const std::string_view wanted = read(from, count);
    into = Duration(count);
    return wanted;
  }
  static std::string_view read(const json::value& from, WallTime& into) {
    Duration since{};
    const std::string_view wanted = read(from, since);
    into = WallTime(since);
    return wanted;
  }
  static std::string_view read(const json::value& from, std::optional<Duration>& into) {
    into.reset();
    if (from.is_null()) return {};
    return read(from, into.emplace());
  }
  static std::string_view read(const json::value& from, Side& into) {
    const bool opener = from.is_string() && from.get_string() == "opener";
    if (!opener && !(from.is_string() && from.get_string() == "acceptor")) return "\"opener\" or \"acceptor\"";
    into = opener ? Side::opener : Side::acceptor;
    return {};
  }
  static std::string_view read(const json::value& from, Endpoint& into) {
    constexpr std::string_view kWanted = "endpoint, as in \"192.0.2.1:25\"";
    std::string text;
    if (!read(from, text).empty()) return kWanted;
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return kWanted;
    into = *endpoint;
    return {};
  }
  static std::string_view read(const json::value& from, std::pair<std::string, std::string>& into) {
    constexpr std::string_view kWanted = "list of pairs of strings";
    if (!from.is_array() || from.get_array().size() != 2) return kWanted;
    if (!read(from.get_array()[0], into.first).empty()) return kWanted;
    if (!read(from.get_array()[1], into.second).empty()) return kWanted;
    return {};
  }
  template <class T>
  static std::string_view read(const json::value& from, std::vector<T>& into) {
    if (!from.is_array()) return "list";
    into.clear();
    for (const json::value& item : from.get_array()) {
      if (const std::string_view wanted = read(item, into.emplace_back()); !wanted.empty()) return wanted;
    }
    return {};
  }

  const json::object& object_;
};

// A variant that holds the alternative of that index, with nothing in it.
template <std::size_t I = 0>
What make_kind(std::size_t index) {
  if constexpr (I + 1 < std::variant_size_v<What>) {
    if (index != I) return make_kind<I + 1>(index);
  }
  return What(std::in_place_index<I>);
}

std::unexpected<Error> corrupt(std::size_t line, std::string_view what) {
  return fail(Errc::corrupt, fmt::format("line {}: {}", line, what));
}

Result<json::object> parse_object(std::string_view text, std::size_t line) {
  json::parser parser;
  boost::system::error_code error;
  parser.write(text.data(), text.size(), error);
  if (error) return corrupt(line, fmt::format("no JSON object: {}", error.message()));
  json::value value = parser.release();
  if (!value.is_object()) return corrupt(line, "no JSON object");
  return std::move(value.get_object());
}

Result<void> read_header(std::string_view text, Recording& recording) {
  const auto object = parse_object(text, 1);
  if (!object) return std::unexpected(object.error());
  const json::value* format = object->if_contains("format");
  if (format == nullptr || *format != json::value(kRecordingFormat)) {
    return corrupt(1, fmt::format("this is no recording: expected \"format\":\"{}\"", kRecordingFormat));
  }
  Reader reader(*object);
  std::int64_t version = 0;
  reader("version", version);
  if (reader.problem.empty() && version != kRecordingVersion) {
    return fail(Errc::wrong_version,
                fmt::format("line 1: a recording of version {}; expected {}", version, kRecordingVersion));
  }
  header_fields(reader, recording);
  if (!reader.problem.empty()) return corrupt(1, reader.problem);
  return {};
}

Result<Record> read_record(std::string_view text, std::size_t line) {
  const auto object = parse_object(text, line);
  if (!object) return std::unexpected(object.error());
  Reader reader(*object);
  Record record;
  std::string kind;
  reader("at", record.at);
  reader("kind", kind);
  if (!reader.problem.empty()) return corrupt(line, reader.problem);
  std::size_t index = 0;
  while (index < kKinds.size() && kKinds[index] != kind) ++index;
  if (index == kKinds.size()) {
    const std::string_view nearest = nearest_word(kind, {kKinds.begin(), kKinds.end()});
    return corrupt(line, fmt::format("no kind of record is called \"{}\"{}", escape(kind),
                                     nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }
  record.what = make_kind(index);
  std::visit(Fields<Reader>{reader}, record.what);
  if (!reader.problem.empty()) return corrupt(line, reader.problem);
  return record;
}

}  // namespace

std::string recording_to_json_lines(const Recording& recording) {
  std::string out;
  out.reserve(256 * (recording.records.size() + 1));
  Writer writer(out);
  out += fmt::format("{{\"format\":\"{}\",\"version\":{}", kRecordingFormat, kRecordingVersion);
  header_fields(writer, recording);
  out += "}\n";
  for (const Record& record : recording.records) {
    out += "{\"at\":";
    writer.write(record.at);
    out += ",\"kind\":\"";
    out += kKinds[record.what.index()];
    out += '"';
    std::visit(Fields<Writer>{writer}, record.what);
    out += "}\n";
  }
  return out;
}

std::string what_is_missing(const Recording& recording) {
  const auto& records = recording.records;
  // On real sockets several clocks tell the time.
  const bool one_clock = !was_served(recording);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (one_clock && i > 0 && records[i].at < records[i - 1].at) return fmt::format("line {}: earlier than the line before", i + 2);
    const auto* failure = std::get_if<record::Failure>(&records[i].what);
    if (failure == nullptr) continue;
    for (const std::uint64_t event : failure->events) {
      if (event >= i) return fmt::format("line {}: it names event {}, which is not before it", i + 2, event);
    }
  }
  const auto ends = std::ranges::count_if(records, [](const Record& one) { return std::holds_alternative<record::End>(one.what); });
  if (ends != 1) return fmt::format("{} ends of the run; expected one", ends);
  if (!std::holds_alternative<record::Verdict>(records.back().what)) return "it breaks off: expected a verdict as its last line";
  return "";
}

Result<Recording> recording_from_json_lines(std::string_view text) {
  Recording recording;
  std::size_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = text.find('\n');
    // A run that was cut off leaves half a line, which must not pass for a whole one.
    if (end == std::string_view::npos) return corrupt(line, "the line does not end: the file is cut off");
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (auto header = read_header(one, recording); !header) return std::unexpected(header.error());
      continue;
    }
    auto record = read_record(one, line);
    if (!record) return std::unexpected(record.error());
    recording.records.push_back(std::move(*record));
  }
  if (line == 0) return corrupt(1, "the file is empty");
  return recording;
}

}  // namespace postproof::sim
