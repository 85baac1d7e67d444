// The one place that decides what a reply or an error of a delivery attempt means (RFC 5321 sections
// 4.2.1, 4.3.2, 4.5.3.1.10, 5.1, 6.1; RFC 7504, 7505). Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mta/mail/enhanced_status.h"
#include "mta/queue/attempt_result.h"

namespace postproof::deliver {

enum class Verdict : std::uint8_t {
  delivered,
  defer,      // requeue this recipient; no other host in this attempt
  next_host,  // trouble of this host or session: try the next address now
  fail,       // final: bounce
};
std::string_view to_string(Verdict verdict);

// Of one result at one host.
Verdict judge(const queue::AttemptResult& result);

// Whether TLS alone was in the way, so that where it is optional the same address is worth a try in the clear.
bool fails_for_tls(const queue::AttemptResult& result);

// Of the attempt when no address is left to try: never next_host. Trouble is passing, but for a host
// that says that it takes no mail at all (521 or 556, RFC 7504).
Verdict judge_last(const queue::AttemptResult& result);

// Which of several hosts' results tells the attempt as a whole: the last that leaves hope, else the last.
const queue::AttemptResult& summary(std::span<const queue::AttemptResult> results);

// True for the refusal of one more recipient in this transaction (452, and 552 in its place: RFC 5321
// section 4.5.3.1.10): worth a further transaction in the same session.
bool too_many_recipients(const queue::AttemptResult& result);

// The status code that the log and a DSN give: the peer's own if it has one, else one made from the
// code's class or from what went wrong (RFC 3463; RFC 3464 section 2.3.4).
EnhancedStatus status_of(const queue::AttemptResult& result);

// The status of a recipient that is given up after its lifetime.
inline constexpr EnhancedStatus kExpired{5, 4, 7};

}  // namespace postproof::deliver
