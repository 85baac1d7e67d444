#include "sim/judge/conversation.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "mta/base/text.h"
#include "sim/recording/tls_record.h"
#include "sim/scenario/scenario.h"
#include "sim/wire/dot.h"

namespace postproof::sim {

namespace {

// What is not SMTP: whoever answers at this port, and the resolver at any.
constexpr std::uint16_t kDnsPort = 53;
constexpr int kStartContent = 354;

// One direction's octets, with the record that each came with.
struct Direction {
  struct Piece {
    std::size_t begin;  // offset of its first octet
    std::size_t record;
  };
  std::string octets;
  std::vector<Piece> pieces;
  std::optional<std::size_t> secured;  // offset of the first octet within TLS

  void add(std::string_view text, std::size_t record) {
    pieces.push_back(Piece{octets.size(), record});
    octets += text;
  }

  // TLS begins. RFC 3207 section 4.2: what came in the clear behind the STARTTLS, or the 220 to it, is nobody's.
  void begin_tls(std::string_view line_start) {
    std::size_t end = octets.size();
    for (std::size_t at = 0, line_end = 0; at < octets.size(); at = line_end + 1) {
      line_end = octets.find('\n', at);
      if (line_end == std::string::npos) break;
      if (at + line_start.size() <= octets.size() &&
          equal_ignoring_case(std::string_view(octets).substr(at, line_start.size()), line_start)) {
        end = line_end + 1;
      }
    }
    octets.resize(end);
    while (!pieces.empty() && pieces.back().begin >= end) pieces.pop_back();
    secured = end;
  }
};

std::optional<Duration> arrival_of(const Record& record) {
  if (const auto* plain = std::get_if<record::Plain>(&record.what)) return plain->arrives;
  return std::get<record::Octets>(record.what).arrives;
}

// Walks a direction front to back; offsets only grow.
class Places {
 public:
  Places(const Direction& direction, const Recording& recording) : direction_(direction), recording_(recording) {}

  std::size_t record_of(std::size_t offset) {
    while (at_ + 1 < direction_.pieces.size() && direction_.pieces[at_ + 1].begin <= offset) ++at_;
    return direction_.pieces[at_].record;
  }
  Seam seam_at(std::size_t offset, char before) {
    const std::size_t record = record_of(offset);
    return Seam{record, offset - direction_.pieces[at_].begin, before};
  }
  Duration time_of(std::size_t offset) { return recording_.records[record_of(offset)].at; }

 private:
  const Direction& direction_;
  const Recording& recording_;
  std::size_t at_ = 0;
};

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<HeardReply> read_replies(const Direction& direction, const Recording& recording) {
  std::vector<HeardReply> replies;
  Places places(direction, recording);
  ReplyCollector collector;
  const std::string_view octets = direction.octets;
  for (std::size_t at = 0; at < octets.size();) {
    const std::size_t end = octets.find('\n', at);
    if (end == std::string_view::npos) break;
    const auto state = collector.add(std::string(without_line_end(octets.substr(at, end + 1 - at))));
    at = end + 1;
    if (state == ReplyCollector::State::more) continue;
    HeardReply reply{collector.take(), places.record_of(end), {}, {}};
    if (state == ReplyCollector::State::broken) reply.code = 0;
    reply.sent = recording.records[reply.record].at;
    reply.arrived = arrival_of(recording.records[reply.record]);
    replies.push_back(std::move(reply));
  }
  return replies;
}

// What the opener said, read with the replies in hand.
class OpenerReader {
 public:
  OpenerReader(const Direction& direction, const Recording& recording, Conversation& conversation)
      : octets_(direction.octets),
        secured_(direction.secured.value_or(direction.octets.size())),
        places_(direction, recording),
        conversation_(conversation) {}

  void read() {
    skip_proxy_header();
    while (at_ < octets_.size()) {
      // RFC 5321 section 2.3.8: nothing else ends a line.
      const std::size_t end = octets_.find("\r\n", at_);
      if (end == std::string_view::npos) break;
      command(end + 1);
      if (content_follows() && !content()) break;
      if (const auto chunk = parse_chunk(conversation_.commands.back())) {
        if (chunk->size > 0 && at_ < octets_.size()) begin_chunk();
        if (chunk->size > octets_.size() - at_) break;
        take_chunk(*chunk);
      }
    }
  }

 private:
  void command(std::size_t end) {
    const std::string_view line = without_line_end(octets_.substr(at_, end + 1 - at_));
    HeardCommand command{parse_command(line), std::string(line), 0, {}, {}, {}};
    command.begun = places_.time_of(at_);
    command.sent = places_.time_of(end);
    command.record = places_.record_of(end);
    command.reply = next_reply();
    command.secured = at_ >= secured_;
    at_ = end + 1;
    follow(command);
    conversation_.commands.push_back(std::move(command));
  }

  void follow(const HeardCommand& command) {
    const bool positive = command.reply && conversation_.replies[*command.reply].positive();
    if (command.verb == "MAIL" && positive) {
      message_ = HeardMessage{};
      message_.sender = command.address;
    } else if (command.verb == "RCPT" && positive) {
      message_.recipients.push_back(command.address);
    } else if (command.verb == "RSET" || command.verb == "EHLO" || command.verb == "HELO" || command.verb == "LHLO") {
      message_ = HeardMessage{};
      if (command.verb != "RSET") lmtp_ = command.verb == "LHLO";
    }
  }

  bool content_follows() const {
    const HeardCommand& last = conversation_.commands.back();
    return last.verb == "DATA" && last.reply && conversation_.replies[*last.reply].code == kStartContent;
  }

  void skip_proxy_header() {
    if (!conversation_.replies.empty() && conversation_.replies[0].sent < places_.time_of(0)) return;
    at_ = proxy_header_size(octets_).value_or(octets_.size());
  }

  // A chunk goes on from the chunk before it.
  void begin_chunk() {
    conversation_.seams.push_back(places_.seam_at(at_, message_.content.empty() ? 0 : message_.content.back()));
  }

  void take_chunk(const WireChunk& chunk) {
    if (message_.content.empty()) message_.begun = conversation_.commands.back().begun;
    message_.content += octets_.substr(at_, chunk.size);
    at_ += chunk.size;
    // A CR that ends the content stays bare; one that ends a chunk may find its LF in the next.
    const bool bare = chunk.last && message_.content.ends_with('\r');
    if (chunk.last) end_chunks();
    if (at_ < octets_.size()) conversation_.seams.push_back(places_.seam_at(at_, bare ? '\r' : 0));
  }

  void end_chunks() {
    message_.command = conversation_.commands.size() - 1;
    message_.record = places_.record_of(at_ - 1);
    message_.sent = places_.time_of(at_ - 1);
    message_.reply = conversation_.commands.back().reply;
    HeardMessage whole = std::exchange(message_, HeardMessage{});
    if (!whole.recipients.empty()) add_message(std::move(whole));
  }

  // RFC 2033 section 4.2: behind LHLO each recipient has a reply of its own to the message, which is as many messages here.
  void add_message(HeardMessage message) {
    if (!lmtp_) {
      conversation_.messages.push_back(std::move(message));
      return;
    }
    for (std::size_t i = 0; i < message.recipients.size(); ++i) {
      HeardMessage one = message;
      one.recipients = {message.recipients[i]};
      if (i > 0) one.reply = next_reply();
      conversation_.messages.push_back(std::move(one));
    }
  }

  // False: its end was never sent.
  bool content() {
    DotDecoder decoder;
    const std::size_t begin = at_;
    at_ += decoder.feed(octets_.substr(at_), message_.content);
    if (!decoder.done()) return false;
    message_.command = conversation_.commands.size() - 1;
    message_.begun = places_.time_of(begin);
    message_.record = places_.record_of(at_ - 1);
    message_.sent = places_.time_of(at_ - 1);
    message_.reply = next_reply();
    add_message(std::exchange(message_, HeardMessage{}));
    return true;
  }

  std::optional<std::size_t> next_reply() {
    ++replies_;  // the greeting is nobody's
    if (replies_ >= conversation_.replies.size()) return std::nullopt;
    return replies_;
  }

  std::string_view octets_;
  std::size_t secured_;
  Places places_;
  Conversation& conversation_;
  HeardMessage message_;
  bool lmtp_ = false;
  std::size_t at_ = 0;
  std::size_t replies_ = 0;
};

struct Draft {
  Conversation conversation;
  Direction directions[2];  // by Side
  bool cut = false;
};

class Collector {
 public:
  explicit Collector(const Recording& recording) : recording_(recording) {}

  std::vector<Conversation> collect() {
    for (const Record& record : recording_.records) {
      if (const auto* tls = std::get_if<record::Tls>(&record.what)) secured_.insert(tls->connection);
    }
    for (std::size_t i = 0; i < recording_.records.size(); ++i) {
      index_ = i;
      at_ = recording_.records[i].at;
      std::visit([this](const auto& what) { take(what); }, recording_.records[i].what);
    }
    std::vector<Conversation> all;
    for (auto& [id, draft] : drafts_) all.push_back(finish(draft));
    return all;
  }

 private:
  template <class Other>
  void take(const Other&) {}
  void take(const record::Dial& dial) {
    Conversation& conversation = drafts_[dial.connection].conversation;
    conversation.connection = dial.connection;
    conversation.opener = dial.from_node;
    conversation.acceptor = dial.to_node;
    conversation.to = dial.to;
    conversation.dial = index_;
    const bool dns_port = dial.to.kind() == Endpoint::Kind::ip && dial.to.port() == kDnsPort;
    conversation.smtp = !dns_port && dial.to_node != kResolverHost;
  }
  void take(const record::Established& r) { drafts_[r.connection].conversation.established = true; }
  void take(const record::Octets& r) {
    Draft& draft = drafts_[r.connection];
    Direction& direction = draft.directions[static_cast<std::size_t>(r.from)];
    // Only where a side tells of TLS: content may begin with any octets.
    if (!direction.secured && secured_.contains(r.connection) && begins_tls(r.octets)) {
      direction.begin_tls(r.from == Side::opener ? "STARTTLS" : "220");
    }
    if (!direction.secured) direction.add(r.octets, index_);
  }
  void take(const record::Plain& r) {
    drafts_[r.connection].directions[static_cast<std::size_t>(r.from)].add(r.octets, index_);
  }
  void take(const record::Tls& r) { drafts_[r.connection].conversation.tls.push_back(HeardTls{index_, at_, &r}); }
  // What the network ends in a side's name keeps that side from nothing.
  void take(const record::Fin& r) {
    if (!r.network) end(drafts_[r.connection].conversation, r.from);
  }
  void take(const record::Reset& r) {
    Draft& draft = drafts_[r.connection];
    draft.cut = true;
    end(draft.conversation, r.from);
    if (r.from == Side::acceptor && !draft.conversation.acceptor_reset) draft.conversation.acceptor_reset = at_;
  }

  void end(Conversation& conversation, Side side) {
    auto& when = side == Side::opener ? conversation.opener_ended : conversation.acceptor_ended;
    if (!when) when = at_;
  }

  Conversation finish(Draft& draft) {
    Conversation& conversation = draft.conversation;
    conversation.open =
        conversation.established && !draft.cut && !(conversation.opener_ended && conversation.acceptor_ended);
    if (conversation.smtp) {
      conversation.replies = read_replies(draft.directions[static_cast<std::size_t>(Side::acceptor)], recording_);
      const Direction& said = draft.directions[static_cast<std::size_t>(Side::opener)];
      if (!said.pieces.empty()) OpenerReader(said, recording_, conversation).read();
    }
    return std::move(conversation);
  }

  const Recording& recording_;
  std::set<ConnectionId> secured_;  // whose sides tell of TLS
  std::map<ConnectionId, Draft> drafts_;
  std::size_t index_ = 0;
  Duration at_{};
};

}  // namespace

std::string HeardReply::on_one_line() const {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : " | ") + line;
  return all;
}

std::string_view Conversation::protection(const HeardCommand& command) const {
  if (!command.secured) return "none";
  for (const HeardTls& heard : tls) {
    const record::Tls& told = *heard.told;
    if (told.from == Side::opener && told.state == "established" && told.verified == "ok") return "verified";
  }
  return "encrypted";
}

const HeardMessage* Conversation::content_of(std::size_t command) const {
  const auto at = std::ranges::find(messages, command, &HeardMessage::command);
  return at == messages.end() ? nullptr : &*at;
}

std::vector<Conversation> read_conversations(const Recording& recording) { return Collector(recording).collect(); }

}  // namespace postproof::sim
