#include "mta/deliver/lane.h"

#include <algorithm>
#include <optional>

#include "mta/base/limits.h"
#include "mta/deliver/outcome.h"

namespace postproof::deliver {

using queue::AttemptResult;
using queue::Leg;

namespace {

static_assert(static_cast<int>(smtp::ClientStage::auth) == static_cast<int>(queue::Stage::auth));

// A stored message, chunk by chunk. The first is there already: reading it has checked them all.
class SpoolContent final : public smtp::ContentSource {
 public:
  SpoolContent(queue::Spool& spool, const queue::StoredMessage& message, std::string start)
      : spool_(spool), id_(message.id), size_(message.size()), start_(std::move(start)) {}

  Task<Result<std::string>> next() override {
    if (offset_ == size_) co_return std::string();
    if (offset_ == 0) {
      offset_ = start_.size();
      co_return std::move(start_);
    }
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(limits::kChunk, size_ - offset_));
    auto chunk = co_await spool_.read(id_, offset_, wanted);
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    if (chunk->empty()) co_return fail(Errc::corrupt, "message " + id_.to_string() + " is shorter than its record says");
    offset_ += chunk->size();
    co_return std::move(*chunk);
  }

 private:
  queue::Spool& spool_;
  MessageId id_;
  std::uint64_t size_;
  std::string start_;
  std::uint64_t offset_ = 0;
};

bool is_closed(const AttemptResult& result) {
  const auto* error = std::get_if<Error>(&result.what);
  return error != nullptr && error->code == Errc::closed;
}

// The peer went away between two transactions: nothing of this message is to blame.
bool stale(const AttemptResult& result) {
  return result.stage == queue::Stage::mail && std::holds_alternative<Error>(result.what) && judge(result) == Verdict::next_host;
}

}  // namespace

// One leg in the making: which recipients still look for a host, and what the hosts said.
class Lane::Work {
 public:
  explicit Work(const Leg& leg) : leg_(leg), entries_(leg.recipients.size()) {}

  const Leg& leg() const { return leg_; }
  std::string content_start;  // the first chunk
  bool done() const {
    return std::all_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.final.has_value(); });
  }

  // Recipients that wait and have not been tried over the present session, at most `max`.
  std::vector<std::size_t> untried(std::size_t max) const {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < entries_.size() && list.size() < max; ++i) {
      if (!entries_[i].final && !entries_[i].tried) list.push_back(i);
    }
    return list;
  }
  void new_session() {
    for (Entry& entry : entries_) entry.tried = false;
  }

  void finish(std::size_t index, AttemptResult result) { entries_[index].final = std::move(result); }
  // The host is in trouble: the recipient goes on to the next.
  void pass_on(std::size_t index, AttemptResult result) {
    entries_[index].tried = true;
    entries_[index].hosts.push_back(std::move(result));
  }
  // One recipient too many in this transaction: it goes into a further one.
  void postpone(std::size_t index, AttemptResult result) { entries_[index].hosts.push_back(std::move(result)); }
  // Nobody has said anything about it.
  void leave(std::size_t index) { entries_[index].tried = true; }

  template <class Change>
  void for_waiting(Change change) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].final) change(i);
    }
  }

  // What the attempt comes to when there is nothing left to try. Every waiting recipient has been at a host.
  std::vector<AttemptResult> results() {
    std::vector<AttemptResult> list;
    for (Entry& entry : entries_) {
      if (!entry.final) entry.final = summary(entry.hosts);
      list.push_back(std::move(*entry.final));
    }
    return list;
  }

 private:
  struct Entry {
    bool tried = false;
    std::optional<AttemptResult> final;
    std::vector<AttemptResult> hosts;  // trouble, one a host
  };

  const Leg& leg_;
  std::vector<Entry> entries_;
};

Lane::Lane(LaneContext& context, LaneHome& home, std::shared_ptr<const route::Site> site)
    : context_(context), home_(home), site_(std::move(site)) {}

Lane::~Lane() = default;

Task<void> Lane::run(queue::LegSource& source, Settlement& settlement) {
  for (;;) {
    auto leg = co_await source.next();
    if (!leg) break;
    auto results = co_await attempt(*leg);
    co_await settlement.settle(std::move(*leg), std::move(results));
  }
  co_await drop_session();
}

Task<std::vector<AttemptResult>> Lane::attempt(const Leg& leg) {
  Work work(leg);
  co_await check_content(work);
  if (!work.done()) refuse_late(work);
  if (work.done()) co_return work.results();
  const bool worn = transactions_ >= context_.settings.messages_per_connection_max;
  if (session_ && session_->usable() && !worn && !session_spent()) co_await transact(work);
  if (!work.done()) co_await try_hosts(work);
  co_return work.results();
}

Task<void> Lane::check_content(Work& work) {
  const queue::StoredMessage& message = *work.leg().message;
  const WallTime started = home_.env.clock.now();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(limits::kChunk, message.size()));
  auto start = co_await context_.spool.read(message.id, 0, size);
  if (start) {
    work.content_start = std::move(*start);
    co_return;
  }
  const AttemptResult unreadable{queue::Stage::storage, {}, {}, start.error(), started, home_.env.clock.now()};
  work.for_waiting([&](std::size_t i) { work.finish(i, unreadable); });
}

// RFC 2852 section 4.1: a message whose time is over is not attempted.
void Lane::refuse_late(Work& work) {
  const auto& by = work.leg().message->envelope.deliver_by;
  const WallTime now = home_.env.clock.now();
  if (!by || !by->give_up || now < by->when) return;
  const Error why{Errc::timed_out, "the time in which it was to be delivered is over"};
  const AttemptResult late{queue::Stage::resolve, {}, {}, why, now, now};
  work.for_waiting([&](std::size_t i) { work.finish(i, late); });
}

// The peer has set a limit to the transactions of a session, and it is reached (RFC 9422 section 4.1).
bool Lane::session_spent() const {
  const auto& most = session_->capabilities().mail_max;
  return most && transactions_ >= *most;
}

Task<void> Lane::try_hosts(Work& work) {
  const WallTime started = home_.env.clock.now();
  const auto targets = co_await context_.router.targets(site_);
  if (!targets) {
    const AttemptResult unroutable{queue::Stage::resolve, {}, {}, targets.error(), started, home_.env.clock.now()};
    work.for_waiting([&](std::size_t i) { work.finish(i, unroutable); });
    co_return;
  }
  const std::size_t most = std::min<std::size_t>(targets->size(), context_.settings.hosts_per_attempt_max);
  for (std::size_t t = 0; t < most && !work.done(); ++t) {
    co_await drop_session();
    const WallTime dialed = home_.env.clock.now();
    auto trouble = co_await open((*targets)[t], dialed);
    work.new_session();
    while (!trouble) {
      co_await transact(work);
      if (!session_->usable() || work.untried(1).empty()) break;
      // The session may carry no more, and the host would take more: it gets another one.
      co_await drop_session();
      trouble = co_await open((*targets)[t], home_.env.clock.now());
    }
    if (!trouble) continue;
    if (is_closed(*trouble)) {
      work.for_waiting([&](std::size_t i) { work.finish(i, *trouble); });
    } else {
      work.for_waiting([&](std::size_t i) { work.pass_on(i, *trouble); });
    }
  }
}

// Hands over as many transactions as it takes, as long as the session stands.
Task<void> Lane::transact(Work& work) {
  const Leg& leg = work.leg();
  const queue::StoredMessage& message = *leg.message;
  const bool reused = transactions_ > 0;
  const std::size_t most = recipients_at_once();
  while (session_->usable() && !session_spent()) {
    const auto batch = work.untried(most);
    if (batch.empty()) break;
    smtp::Transaction transaction;
    transaction.message = message.id.to_string();
    transaction.envelope = message.envelope;
    transaction.envelope.recipients.clear();
    for (const std::size_t i : batch) {
      transaction.envelope.recipients.push_back(message.envelope.recipients[leg.recipients[i]]);
    }
    transaction.size = message.size();
    const std::string endpoint = session_->peer().to_string();
    const WallTime started = home_.env.clock.now();
    SpoolContent content(context_.spool, message, work.content_start);
    const bool first = reused && transactions_ > 0;
    const auto said = co_await session_->deliver(std::move(transaction), content);
    ++transactions_;
    const WallTime ended = home_.env.clock.now();

    std::vector<AttemptResult> results;
    bool taken = false;
    for (const smtp::ClientResult& one : said) {
      results.push_back(AttemptResult{static_cast<queue::Stage>(one.stage), session_host_, endpoint, one.what, started,
                                      ended, session_->tls(), one.status, session_->capabilities().dsn});
      taken = taken || judge(results.back()) == Verdict::delivered;
    }
    for (std::size_t k = 0; k < batch.size(); ++k) {
      AttemptResult& result = results[k];
      if (taken && too_many_recipients(result)) {
        work.postpone(batch[k], std::move(result));
      } else if (is_closed(result) || judge(result) != Verdict::next_host) {
        work.finish(batch[k], std::move(result));
      } else if (first && stale(result)) {
        work.leave(batch[k]);
      } else {
        work.pass_on(batch[k], std::move(result));
      }
    }
  }
  if (!session_->usable()) leave_untried(work, reused);
}

std::size_t Lane::recipients_at_once() const {
  const std::size_t ours = context_.settings.recipients_per_transaction_max;
  const auto& theirs = session_->capabilities().rcpt_max;  // RFC 9422 section 4.2
  return theirs ? static_cast<std::size_t>(std::min<std::uint64_t>(ours, *theirs)) : ours;
}

// The session is over before the transaction of some recipients has begun: trouble of this host, unless the session was
// an old one, behind which the hosts are dialed anew.
void Lane::leave_untried(Work& work, bool reused) {
  const WallTime now = home_.env.clock.now();
  const Error why = home_.closed ? Error{Errc::closed, "shutting down"}
                                 : Error{Errc::unexpected_eof, "the session ended before this recipient's MAIL"};
  const AttemptResult result{queue::Stage::mail, session_host_, session_->peer().to_string(), why, now, now};
  for (const std::size_t i : work.untried(work.leg().recipients.size())) {
    if (home_.closed) {
      work.finish(i, result);
    } else if (reused) {
      work.leave(i);
    } else {
      work.pass_on(i, result);
    }
  }
}

// None: a session stands. Otherwise what went wrong with this address. RFC 7435: where TLS is optional, one that is broken
// is no worse than none.
Task<std::optional<AttemptResult>> Lane::open(const route::Target& target, WallTime started) {
  const smtp::TlsLevel level = site_->tls;
  auto trouble = co_await dial(target, started, level);
  if (!trouble || level != smtp::TlsLevel::may || !fails_for_tls(*trouble)) co_return trouble;
  co_await drop_session();
  co_return co_await dial(target, started, smtp::TlsLevel::none);
}

Task<std::optional<AttemptResult>> Lane::dial(const route::Target& target, WallTime started, smtp::TlsLevel tls) {
  const std::string endpoint = target.endpoint.to_string();
  if (home_.closed) {
    co_return AttemptResult{queue::Stage::connect, target.host.name, endpoint, Error{Errc::closed, "shutting down"}, started, started};
  }
  const std::uint64_t number = context_.numbers.next();
  const smtp::Protocol protocol = site_->lmtp ? smtp::Protocol::lmtp : smtp::Protocol::smtp;
  session_ = std::make_unique<smtp::ClientSession>(home_.env, context_.client, number, target.host.name, protocol);
  session_host_ = target.host.name;
  transactions_ = 0;
  home_.sessions.emplace(number, session_.get());
  auto connected = co_await session_->connect(target.endpoint, tls);
  if (connected) co_return std::nullopt;
  smtp::ClientResult& why = connected.error();
  AttemptResult result{static_cast<queue::Stage>(why.stage), target.host.name, endpoint, std::move(why.what), started,
                       home_.env.clock.now()};
  co_return result;
}

Task<void> Lane::drop_session() {
  if (!session_) co_return;
  co_await session_->quit();
  home_.sessions.erase(session_->session());
  session_.reset();
}

}  // namespace postproof::deliver
