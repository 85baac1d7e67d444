#include "mta/smtp/envelope_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "mta/mail/utf8.h"

namespace postproof::smtp {

namespace {

constexpr EnhancedStatus kTooLarge{5, 3, 4};
constexpr EnhancedStatus kNeedsConversion{5, 6, 3};  // RFC 6152 section 3
constexpr EnhancedStatus kNeedsUtf8{5, 6, 7};        // RFC 6531 section 3.5
constexpr EnhancedStatus kNotCapable{5, 3, 3};       // RFC 3463 section 3.4
constexpr EnhancedStatus kTimeOver{5, 4, 7};         // RFC 3463 section 3.5

// RFC 6531 section 3.1: who offers SMTPUTF8 offers 8BITMIME too.
bool takes_utf8(const Capabilities& peer) { return peer.utf8 && peer.eight_bit_mime; }

// RFC 2852 section 4: what is left of the time; of a message that is only to be told of when it is late, it may be over.
std::chrono::seconds left_of(const DeliverBy& by, WallTime now) {
  return std::chrono::floor<std::chrono::seconds>(by.when - now);
}

// Who is to get a message back that was not delivered in time can be sure of that only where DELIVERBY is known.
std::optional<Unmet> unmet_time(const DeliverBy& by, const Capabilities& peer, WallTime now) {
  if (!by.give_up) return std::nullopt;
  if (!peer.deliver_by) {
    return Unmet{Error{Errc::invalid, "peer does not offer DELIVERBY, and the message is to be returned if it is late"}, kNotCapable};
  }
  if (left_of(by, now) < std::max<Duration>(*peer.deliver_by, 1s)) {
    return Unmet{Error{Errc::invalid, "the time in which it was to be delivered is over, or too short for the peer"}, kTimeOver};
  }
  return std::nullopt;
}

std::string notify_parameter(const Notify& notify) {
  std::string list;
  const auto add = [&](bool wanted, std::string_view word) {
    if (!wanted) return;
    if (!list.empty()) list += ',';
    list += word;
  };
  add(notify.success, "SUCCESS");
  add(notify.failure, "FAILURE");
  add(notify.delay, "DELAY");
  return " NOTIFY=" + (list.empty() ? "NEVER" : list);
}

}  // namespace

std::optional<Unmet> unmet_need(const Envelope& envelope, std::uint64_t size, const Capabilities& peer, WallTime now) {
  // RFC 1870 section 6.1.
  if (peer.size_max && size > *peer.size_max) {
    std::string what = fmt::format("message of {} octets is over the peer's limit of {}", size, *peer.size_max);
    return Unmet{Error{Errc::too_large, std::move(what)}, kTooLarge};
  }
  if (envelope.utf8 && !takes_utf8(peer)) {
    return Unmet{Error{Errc::invalid, "peer does not offer SMTPUTF8, which the message needs"}, kNeedsUtf8};
  }
  // RFC 6152 section 3: without the extension, 8-bit content would have to be converted.
  if (envelope.body == BodyType::eight_bit && !peer.eight_bit_mime) {
    return Unmet{Error{Errc::invalid, "peer does not offer 8BITMIME"}, kNeedsConversion};
  }
  return envelope.deliver_by ? unmet_time(*envelope.deliver_by, peer, now) : std::nullopt;
}

std::string mail_command(const Envelope& envelope, std::uint64_t size, const Capabilities& peer, WallTime now) {
  std::string command = fmt::format("MAIL FROM:<{}>", to_string(envelope.sender));
  if (peer.size) command += fmt::format(" SIZE={}", size);
  if (envelope.body == BodyType::eight_bit) command += " BODY=8BITMIME";
  if (envelope.utf8) command += " SMTPUTF8";
  if (peer.dsn) {
    if (envelope.ret != Return::unsaid) command += envelope.ret == Return::full ? " RET=FULL" : " RET=HDRS";
    if (!envelope.id.empty()) command += " ENVID=" + envelope.id;
  }
  if (envelope.submitter && !peer.auth.empty()) command += " AUTH=" + *envelope.submitter;  // RFC 4954 section 5
  if (const auto& by = envelope.deliver_by; by && peer.deliver_by) {
    const std::int64_t left = left_of(*by, now).count();
    command += fmt::format(" BY={};{}{}", left, by->give_up ? 'R' : 'N', by->trace ? "T" : "");
  }
  if (envelope.priority != 0 && peer.mt_priority) command += fmt::format(" MT-PRIORITY={}", envelope.priority);
  return command;
}

std::string rcpt_command(const Envelope& envelope, const Recipient& recipient, const Capabilities& peer) {
  std::string command = fmt::format("RCPT TO:<{}>", recipient.address.to_string());
  if (!peer.dsn) return command;
  if (recipient.notify.said) command += notify_parameter(recipient.notify);
  if (!recipient.original.empty()) {
    // RFC 6533 section 3: in UTF-8 only if MAIL has said SMTPUTF8.
    command += " ORCPT=" + (envelope.utf8 ? recipient.original : encode_utf8_octets(recipient.original));
  }
  return command;
}

}  // namespace postproof::smtp
