#include "mta/deliver/settle.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "mta/deliver/outcome.h"
#include "mta/env/hop.h"

namespace postproof::deliver {

using queue::AttemptResult;
using queue::Leg;
using queue::Progress;
using queue::RecipientStatus;

namespace {

// Of the original's header in a bounce; what is longer is cut at a line.
constexpr std::size_t kReturnedHeaderMax = 64 * 1024;
// A message that its sender wants back whole (RET=FULL) and that is longer comes back as its header: a report fits into
// memory.
constexpr std::size_t kReturnedMessageMax = 1024 * 1024;
// When the spool cannot take a bounce, its recipients wait so long before they are looked at again.
constexpr Duration kStorageRetry = 5min;

bool went_down(const AttemptResult& result) {
  const auto* error = std::get_if<Error>(&result.what);
  return error != nullptr && error->code == Errc::closed;
}

// Takes out the recipients whose attempt our own end has cut off: nothing came of it, and they are tried again after the
// next start. What came of the others before that is theirs.
void leave_unfinished(Leg& leg, std::vector<AttemptResult>& results) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (went_down(results[i])) continue;
    if (kept != i) results[kept] = std::move(results[i]);
    leg.recipients[kept] = leg.recipients[i];
    leg.attempts[kept] = leg.attempts[i];
    ++kept;
  }
  results.resize(kept);
  leg.recipients.resize(kept);
  leg.attempts.resize(kept);
}

bool failed(const Progress& progress) {
  return progress.status == RecipientStatus::failed || progress.status == RecipientStatus::expired;
}

// What the sender is told of a recipient now (RFC 3461 sections 4.1 and 5.2.2); none: nothing. That it was delivered is for
// the host to tell that was asked to.
std::optional<DsnAction> told_of(const Recipient& recipient, const Progress& progress) {
  if (failed(progress) && recipient.notify.wants_failure()) return DsnAction::failed;
  const bool relayed = progress.status == RecipientStatus::delivered && !progress.last->dsn;
  if (relayed && recipient.notify.success) return DsnAction::relayed;
  return std::nullopt;
}

}  // namespace

Task<void> Settlement::settle(Leg leg, std::vector<AttemptResult> results) {
  co_await hop(env_.executor, settle_here(std::move(leg), std::move(results)));
}

Task<void> Settlement::settle_here(Leg leg, std::vector<AttemptResult> results) {
  leave_unfinished(leg, results);
  if (results.empty()) co_return;
  std::vector<Progress> progress;
  bool succeeded = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    Progress decided = co_await decide(leg, i, std::move(results[i]));
    succeeded = succeeded || decided.status == RecipientStatus::delivered;
    progress.push_back(std::move(decided));
  }

  auto report = co_await report_on(leg, progress);
  const bool reporting = report.has_value();
  std::vector<queue::ProgressUpdate> updates;
  for (std::size_t i = 0; i < progress.size(); ++i) {
    updates.push_back(queue::ProgressUpdate{leg.recipients[i], progress[i]});
  }
  // A bounce goes out only once it is certain that it will not be written a second time.
  const auto durability = reporting ? queue::Durability::awaited : queue::Durability::soon;
  auto stored = co_await spool_.record(leg.message->id, std::move(updates), std::move(report), durability);
  if (!stored) {
    if (stored.error().code == Errc::closed) co_return;
    const std::string what = fmt::format("progress of {} could not be recorded: {}", leg.message->id.to_string(),
                                         stored.error().what);
    env_.events.emit(event::Service{"trouble", what});
    if (reporting) {
      // Nobody has been told of the failure: it may not be forgotten.
      for (Progress& p : progress) {
        if (!failed(p)) continue;
        p.status = RecipientStatus::pending;
        p.due = env_.clock.now() + kStorageRetry;
      }
    }
  }
  co_await scheduler_.requeue(std::move(leg), std::move(progress), succeeded);
  if (stored && *stored) {
    const queue::StoredMessage& own = **stored;
    const std::string id = own.id.to_string();
    const std::string of = own.bounce_of.to_string();
    env_.events.emit(event::Accepted{0, id, {}, static_cast<std::int64_t>(own.envelope.recipients.size()),
                                     static_cast<std::int64_t>(own.size()), of});
    scheduler_.add(*stored);
  }
}

Task<Progress> Settlement::decide(const Leg& leg, std::size_t index, AttemptResult result) {
  const queue::StoredMessage& message = *leg.message;
  const std::string id = message.id.to_string();
  const std::string recipient = message.envelope.recipients[leg.recipients[index]].address.to_string();
  const std::string host = host_text(result);
  const std::string reason = reason_text(result);
  const std::string_view stage = to_string(result.stage);
  const WallTime now = env_.clock.now();
  const Verdict verdict = judge_last(result);

  Progress progress;
  progress.attempts = leg.attempts[index];
  if (verdict == Verdict::delivered) {
    progress.status = RecipientStatus::delivered;
    env_.events.emit(event::Delivered{id, recipient, host, reason, now - message.arrived, result.tls});
  } else if (verdict == Verdict::fail) {
    progress.status = RecipientStatus::failed;
    const std::string status = status_of(result).to_string();
    env_.events.emit(event::Bounced{id, recipient, host, stage, status, reason});
  } else {
    auto next = co_await scheduler_.retry_at(leg.message, progress.attempts, leg.started, leg.age);
    // RFC 2852 section 4.1: returned when its time is over.
    const auto& by = message.envelope.deliver_by;
    if (by && by->give_up && now >= by->when) next.reset();
    if (next) {
      progress.due = *next;
      env_.events.emit(event::Deferred{id, recipient, host, stage, reason, std::max(*next - now, Duration{0})});
    } else {
      progress.status = RecipientStatus::expired;
      const std::string status = kExpired.to_string();
      env_.events.emit(event::Expired{id, recipient, status, reason, now - message.arrived});
    }
  }
  progress.last = std::move(result);
  co_return progress;
}

Task<std::optional<queue::OwnMessage>> Settlement::report_on(const Leg& leg, const std::vector<Progress>& progress) {
  const queue::StoredMessage& message = *leg.message;
  const Envelope& envelope = message.envelope;
  // RFC 5321 section 4.5.5, 6.1: never about a null sender.
  if (!envelope.sender) co_return std::nullopt;
  DeliveryReport report;
  report.hostname = settings_.hostname;
  report.from = settings_.report_from;
  report.to = *envelope.sender;
  report.message = message.id;
  report.envelope_id = envelope.id;
  report.arrived = message.arrived;
  report.now = env_.clock.now();
  report.expired = true;
  bool failures = false;
  for (std::size_t i = 0; i < progress.size(); ++i) {
    const Recipient& recipient = envelope.recipients[leg.recipients[i]];
    const auto action = told_of(recipient, progress[i]);
    if (!action) continue;
    const AttemptResult& last = *progress[i].last;
    DsnRecipient entry;
    entry.recipient = recipient.address;
    entry.original = recipient.original;
    entry.action = *action;
    const bool expired = progress[i].status == RecipientStatus::expired;
    entry.status = expired ? kExpired : status_of(last);
    if (*action == DsnAction::failed) {
      failures = true;
      if (!expired) report.expired = false;
    }
    entry.remote_host = last.host;
    entry.said_by_peer = std::holds_alternative<smtp::Reply>(last.what);
    entry.diagnostic = reason_text(last);
    entry.last_attempt = last.started;
    report.recipients.push_back(std::move(entry));
  }
  if (report.recipients.empty()) co_return std::nullopt;
  // RFC 3461 section 4.3: only of failures is the whole message returned. One with UTF-8 in its header is no
  // message/rfc822 (RFC 6532 section 3.7).
  const bool whole = failures && envelope.ret == Return::full && !envelope.utf8 && message.size() <= kReturnedMessageMax;
  co_await read_returned(message, whole, report);

  queue::OwnMessage own;
  // RFC 3461 section 6.1: no report of a report, and no RET.
  own.envelope.recipients.push_back(Recipient{report.to, Notify{.said = true}});
  own.content = report_text(report);
  own.envelope.utf8 = !is_ascii(report.to.to_string());
  if (!is_ascii(own.content)) own.envelope.body = BodyType::eight_bit;
  own.arrived = report.now;
  own.bounce_of = message.id;
  co_return own;
}

// What the report gives back of the message: all of it if it is wanted and can be read, else its header.
Task<void> Settlement::read_returned(const queue::StoredMessage& message, bool whole, DeliveryReport& report) {
  const std::size_t most = whole ? static_cast<std::size_t>(message.size()) : kReturnedHeaderMax;
  auto start = co_await spool_.read(message.id, 0, most);
  // The spool has told it; the report matters more than what it returns.
  if (!start && start.error().code == Errc::corrupt) co_return;
  if (!start) {
    const std::string what =
        fmt::format("{} could not be read for its report: {}", message.id.to_string(), start.error().what);
    env_.events.emit(event::Service{"trouble", what});
    co_return;
  }
  report.whole = whole && start->size() == message.size();
  report.returned = std::move(*start);
  if (report.whole) co_return;
  std::string& header = report.returned;
  const auto end = header.find("\r\n\r\n");
  if (end != std::string::npos) {
    header.resize(end + 2);
  } else if (header.size() < message.size()) {
    const auto line = header.rfind("\r\n");
    header.resize(line == std::string::npos ? 0 : line + 2);
  }
}

}  // namespace postproof::deliver
