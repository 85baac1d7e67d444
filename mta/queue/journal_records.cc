#include "mta/queue/journal_records.h"

#include <array>

#include "mta/base/check.h"
#include "mta/queue/journal_octets.h"

namespace postproof::queue::journal {

namespace {

// Bits of a message's flags.
constexpr std::uint8_t kHasSender = 1, kBodyInFile = 2, kContentLost = 4, kHasParameters = 8, kKnownFlags = 15;
// Bits of a message's parameters, and of a recipient's.
constexpr std::uint8_t kUtf8 = 1, kSubmitter = 2, kDeliverBy = 4, kGiveUp = 8, kTrace = 16, kHeld = 32, kKnownParameters = 63;
constexpr std::uint8_t kNotifySaid = 1, kSuccess = 2, kFailure = 4, kDelay = 8, kKnownNotify = 15;
// Bits of what stands behind a recipient's state.
constexpr std::uint8_t kNoResult = 0, kReply = 1, kError = 2;

// The place in this list is what is stored: it may only grow at its end.
constexpr std::array kStoredErrors{Errc::closed,
                                   Errc::timed_out,
                                   Errc::refused,
                                   Errc::unreachable,
                                   Errc::reset,
                                   Errc::unexpected_eof,
                                   Errc::protocol,
                                   Errc::too_large,
                                   Errc::invalid,
                                   Errc::not_found,
                                   Errc::already_exists,
                                   Errc::in_use,
                                   Errc::permission,
                                   Errc::no_space,
                                   Errc::io,
                                   Errc::poisoned,
                                   Errc::corrupt,
                                   Errc::wrong_version,
                                   Errc::dns_no_such_domain,
                                   Errc::dns_no_data,
                                   Errc::dns_null_mx,
                                   Errc::dns_no_usable_mx,
                                   Errc::dns_self_mx,
                                   Errc::dns_temporary};

std::uint8_t stored_error(Errc code) {
  for (std::size_t i = 0; i < kStoredErrors.size(); ++i) {
    if (kStoredErrors[i] == code) return static_cast<std::uint8_t>(i);
  }
  check_failed("stored_error", "an Errc has no number in the journal; append it to kStoredErrors", __FILE__, __LINE__);
}

void write_time(OctetWriter& out, WallTime time) { out.i64(time.time_since_epoch().count()); }
WallTime read_time(OctetReader& in) { return WallTime{Duration{in.i64()}}; }

void write_address(OctetWriter& out, const Address& address) {
  out.text(address.local_part);
  out.text(address.domain);
}
Address read_address(OctetReader& in) {
  Address address;
  address.local_part = in.text();
  address.domain = in.text();
  return address;
}

void write_reply(OctetWriter& out, const smtp::Reply& reply) {
  out.u16(static_cast<std::uint16_t>(reply.code));
  const EnhancedStatus status = reply.status.value_or(EnhancedStatus{});
  out.u8(status.klass);
  out.u16(status.subject);
  out.u16(status.detail);
  out.u32(static_cast<std::uint32_t>(reply.lines.size()));
  for (const std::string& line : reply.lines) out.text(line);
}
smtp::Reply read_reply(OctetReader& in) {
  smtp::Reply reply;
  reply.code = in.u16();
  if (reply.code < 200 || reply.code > 599) in.turn_bad();
  EnhancedStatus status;
  status.klass = in.u8();
  status.subject = in.u16();
  status.detail = in.u16();
  if (status.klass != 0) {
    reply.status = status;
  } else if (status != EnhancedStatus{}) {
    in.turn_bad();
  }
  const std::uint32_t lines = in.u32();
  for (std::uint32_t i = 0; i < lines && in.good(); ++i) reply.lines.emplace_back(in.text());
  return reply;
}

void write_result(OctetWriter& out, const AttemptResult& result) {
  const auto* reply = std::get_if<smtp::Reply>(&result.what);
  out.u8(reply != nullptr ? kReply : kError);
  out.u8(static_cast<std::uint8_t>(result.stage));
  out.text(result.host);
  out.text(result.endpoint);
  write_time(out, result.started);
  write_time(out, result.ended);
  if (reply != nullptr) {
    write_reply(out, *reply);
  } else {
    const Error& error = std::get<Error>(result.what);
    out.u8(stored_error(error.code));
    out.text(error.what);
  }
}
AttemptResult read_result(OctetReader& in, std::uint8_t kind) {
  AttemptResult result;
  const std::uint8_t stage = in.u8();
  if (stage > static_cast<std::uint8_t>(Stage::auth)) in.turn_bad();
  result.stage = static_cast<Stage>(stage);
  result.host = in.text();
  result.endpoint = in.text();
  result.started = read_time(in);
  result.ended = read_time(in);
  if (kind == kReply) {
    result.what = read_reply(in);
    return result;
  }
  const std::uint8_t code = in.u8();
  if (code >= kStoredErrors.size()) in.turn_bad();
  Error error{in.good() ? kStoredErrors[code] : Errc::corrupt, std::string(in.text())};
  result.what = std::move(error);
  return result;
}

// Most messages come without parameters, and cost nothing here.
bool has_parameters(const Envelope& envelope) {
  Envelope bare;
  bare.sender = envelope.sender;
  bare.body = envelope.body;
  for (const Recipient& recipient : envelope.recipients) bare.recipients.push_back(Recipient{recipient.address});
  return bare != envelope;
}

void write_parameters(OctetWriter& out, const Envelope& envelope) {
  const auto& by = envelope.deliver_by;
  out.u8(static_cast<std::uint8_t>((envelope.utf8 ? kUtf8 : 0) | (envelope.submitter ? kSubmitter : 0) |
                                   (by ? kDeliverBy : 0) | (by && by->give_up ? kGiveUp : 0) |
                                   (by && by->trace ? kTrace : 0) | (envelope.hold_until ? kHeld : 0)));
  out.u8(static_cast<std::uint8_t>(envelope.ret));
  out.text(envelope.id);
  out.u8(static_cast<std::uint8_t>(envelope.priority));
  if (envelope.submitter) out.text(*envelope.submitter);
  if (by) write_time(out, by->when);
  if (envelope.hold_until) write_time(out, *envelope.hold_until);
  for (const Recipient& recipient : envelope.recipients) {
    const Notify& notify = recipient.notify;
    out.u8(static_cast<std::uint8_t>((notify.said ? kNotifySaid : 0) | (notify.success ? kSuccess : 0) |
                                     (notify.failure ? kFailure : 0) | (notify.delay ? kDelay : 0)));
    out.text(recipient.original);
  }
}

void read_parameters(OctetReader& in, Envelope& envelope) {
  const std::uint8_t flags = in.u8();
  if ((flags & ~kKnownParameters) != 0) in.turn_bad();
  envelope.utf8 = (flags & kUtf8) != 0;
  const std::uint8_t ret = in.u8();
  if (ret > static_cast<std::uint8_t>(Return::full)) in.turn_bad();
  envelope.ret = static_cast<Return>(ret);
  envelope.id = in.text();
  envelope.priority = static_cast<std::int8_t>(in.u8());
  if ((flags & kSubmitter) != 0) envelope.submitter = std::string(in.text());
  if ((flags & kDeliverBy) != 0) {
    envelope.deliver_by = DeliverBy{read_time(in), (flags & kGiveUp) != 0, (flags & kTrace) != 0};
  } else if ((flags & (kGiveUp | kTrace)) != 0) {
    in.turn_bad();
  }
  if ((flags & kHeld) != 0) envelope.hold_until = read_time(in);
  for (Recipient& recipient : envelope.recipients) {
    const std::uint8_t notify = in.u8();
    if ((notify & ~kKnownNotify) != 0) in.turn_bad();
    recipient.notify = Notify{(notify & kNotifySaid) != 0, (notify & kSuccess) != 0, (notify & kFailure) != 0,
                              (notify & kDelay) != 0};
    recipient.original = in.text();
  }
}

void write_message(OctetWriter& out, const MessageMeta& meta) {
  const StoredMessage& message = meta.message;
  const Envelope& envelope = message.envelope;
  out.u64(message.id.value);
  out.u64(message.bounce_of.value);
  write_time(out, message.arrived);
  out.u64(message.header_size);
  out.u64(message.body_size);
  out.u32(meta.body_crc);
  const bool parameters = has_parameters(envelope);
  out.u8(static_cast<std::uint8_t>((envelope.sender ? kHasSender : 0) | (meta.body_in_file ? kBodyInFile : 0) |
                                   (meta.content_lost ? kContentLost : 0) | (parameters ? kHasParameters : 0)));
  out.u8(static_cast<std::uint8_t>(envelope.body));
  if (envelope.sender) write_address(out, *envelope.sender);
  out.u32(static_cast<std::uint32_t>(envelope.recipients.size()));
  for (const Recipient& recipient : envelope.recipients) write_address(out, recipient.address);
  if (parameters) write_parameters(out, envelope);
}
MessageMeta read_message(OctetReader& in) {
  MessageMeta meta;
  StoredMessage& message = meta.message;
  message.id = MessageId{in.u64()};
  message.bounce_of = MessageId{in.u64()};
  message.arrived = read_time(in);
  message.header_size = in.u64();
  message.body_size = in.u64();
  meta.body_crc = in.u32();
  const std::uint8_t flags = in.u8();
  if ((flags & ~kKnownFlags) != 0) in.turn_bad();
  meta.body_in_file = (flags & kBodyInFile) != 0;
  meta.content_lost = (flags & kContentLost) != 0;
  const std::uint8_t body = in.u8();
  if (body > static_cast<std::uint8_t>(BodyType::eight_bit)) in.turn_bad();
  message.envelope.body = static_cast<BodyType>(body);
  if ((flags & kHasSender) != 0) message.envelope.sender = read_address(in);
  const std::uint32_t recipients = in.u32();
  for (std::uint32_t i = 0; i < recipients && in.good(); ++i) {
    message.envelope.recipients.push_back(Recipient{read_address(in)});
  }
  if ((flags & kHasParameters) != 0) read_parameters(in, message.envelope);
  return meta;
}

void write_changes(OctetWriter& out, const std::vector<Change>& changes) {
  out.u32(static_cast<std::uint32_t>(changes.size()));
  for (const Change& change : changes) {
    out.u32(change.recipient);
    out.text(change.progress);
  }
}
std::vector<Change> read_changes(OctetReader& in) {
  std::vector<Change> changes;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    Change change;
    change.recipient = in.u32();
    change.progress = in.text();
    if (!decode_progress(change.progress)) in.turn_bad();
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace

std::string encode_progress(const Progress& progress) {
  std::string octets;
  OctetWriter out(octets);
  out.u8(static_cast<std::uint8_t>(progress.status));
  out.u32(progress.attempts);
  write_time(out, progress.due);
  if (progress.last) {
    write_result(out, *progress.last);
  } else {
    out.u8(kNoResult);
  }
  return octets;
}

std::optional<Progress> decode_progress(std::string_view octets) {
  OctetReader in(octets);
  Progress progress;
  const std::uint8_t status = in.u8();
  if (status > static_cast<std::uint8_t>(RecipientStatus::expired)) in.turn_bad();
  progress.status = static_cast<RecipientStatus>(status);
  progress.attempts = in.u32();
  progress.due = read_time(in);
  const std::uint8_t kind = in.u8();
  if (kind > kError) in.turn_bad();
  if (kind != kNoResult) progress.last = read_result(in, kind);
  if (!in.complete()) return std::nullopt;
  return progress;
}

std::string encode_bounds(const Bounds& bounds) {
  std::string octets;
  OctetWriter out(octets);
  out.u64(bounds.mark);
  out.u32(static_cast<std::uint32_t>(bounds.cuts.size()));
  for (const Cut& cut : bounds.cuts) {
    out.u64(cut.segment);
    out.u64(cut.offset);
  }
  return octets;
}

std::optional<Bounds> decode_bounds(std::string_view meta) {
  OctetReader in(meta);
  Bounds bounds;
  bounds.mark = in.u64();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    Cut cut;
    cut.segment = in.u64();
    cut.offset = in.u64();
    bounds.cuts.push_back(cut);
  }
  if (!in.complete()) return std::nullopt;
  return bounds;
}

std::string encode_commit(const MessageMeta& meta) {
  std::string octets;
  OctetWriter out(octets);
  write_message(out, meta);
  return octets;
}

std::optional<MessageMeta> decode_commit(std::string_view octets) {
  OctetReader in(octets);
  MessageMeta meta = read_message(in);
  if (!in.complete()) return std::nullopt;
  return meta;
}

std::string encode_changes(const std::vector<Change>& changes) {
  std::string octets;
  OctetWriter out(octets);
  write_changes(out, changes);
  return octets;
}

std::optional<std::vector<Change>> decode_changes(std::string_view octets) {
  OctetReader in(octets);
  std::vector<Change> changes = read_changes(in);
  if (!in.complete()) return std::nullopt;
  return changes;
}

std::string encode_message_and_changes(const MessageAndChanges& record) {
  std::string octets;
  OctetWriter out(octets);
  write_message(out, record.meta);
  out.u64(record.about.value);
  write_changes(out, record.changes);
  return octets;
}

std::optional<MessageAndChanges> decode_message_and_changes(std::string_view octets) {
  OctetReader in(octets);
  MessageAndChanges record;
  record.meta = read_message(in);
  record.about = MessageId{in.u64()};
  record.changes = read_changes(in);
  if (!in.complete()) return std::nullopt;
  return record;
}

}  // namespace postproof::queue::journal
