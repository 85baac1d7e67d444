#include "mta/intake/intake.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "mta/intake/relay.h"
#include "mta/intake/senders.h"
#include "mta/mail/header_scan.h"
#include "mta/mail/trace.h"

namespace postproof::intake {

using smtp::Reply;

namespace {

// Free space is asked for at most this often: it is a system call on a worker thread.
constexpr Duration kFreeSpaceAge = 1s;
constexpr const char* kNobody = "<>";  // AUTH= of a message whose submitter is not known

Reply storage_trouble(const Error& error) {
  if (error.code == Errc::no_space) return Reply::of(452, "4.3.1", "not enough space to store the message");
  if (error.code == Errc::closed) return Reply::of(421, "4.3.2", "service is shutting down");
  return Reply::of(451, "4.3.0", "the message could not be stored; try again later");
}

// What is said relative to the moment of the command becomes a time.
Envelope begin_envelope(smtp::MailParams params, WallTime now) {
  Envelope envelope;
  envelope.sender = std::move(params.sender);
  envelope.body = params.body;
  envelope.utf8 = params.utf8;
  envelope.ret = params.ret;
  envelope.id = std::move(params.envelope_id);
  envelope.submitter = std::move(params.submitter);
  envelope.priority = params.priority.value_or(0);
  if (const auto& within = params.deliver_within) {
    envelope.deliver_by = DeliverBy{now + within->time, within->give_up, within->trace};
  }
  envelope.hold_until = params.hold_for ? now + *params.hold_for : params.hold_until;
  return envelope;
}

}  // namespace

struct SpoolIntakeFactory::Shared {
  Env& env;
  const Policy& policy;
  dns::Resolver& resolver;
  queue::Spool& spool;
  queue::Scheduler& scheduler;
  std::uint64_t free_min;
  std::uint64_t free_bytes = UINT64_MAX;
  MonoTime free_bytes_at = MonoTime::min();
};

namespace {

class SpoolIncoming final : public smtp::Incoming {
 public:
  template <class Shared>
  SpoolIncoming(const std::shared_ptr<Shared>& shared, smtp::SessionInfo session, Envelope envelope,
                std::unique_ptr<queue::SpoolWriter> writer)
      : env_(shared->env),
        policy_(shared->policy),
        scheduler_(shared->scheduler),
        session_(std::move(session)),
        envelope_(std::move(envelope)),
        writer_(std::move(writer)),
        header_(policy_.header_size_max) {}

  Task<void> write(smtp::Chunk chunk) override {
    if (trouble_) co_return;
    header_.feed(chunk);
    if (header_.begins_folded()) {
      trouble_ = Reply::of(554, "5.6.0", "the header begins with white space: it would go on with the field above it");
      abandon();
      co_return;
    }
    if (header_.overlong()) {
      trouble_ = Reply::of(552, "5.3.4", fmt::format("header over the limit of {} octets", policy_.header_size_max));
      abandon();
      co_return;
    }
    if (envelope_.body == BodyType::eight_bit && !eight_bit_seen_) eight_bit_seen_ = !is_ascii(chunk);
    const auto written = co_await writer_->write(std::move(chunk));
    if (!written) trouble_ = storage_trouble(written.error());
  }

  Task<Reply> commit() override {
    if (trouble_) {
      abandon();
      co_return *trouble_;
    }
    if (header_.received_fields() >= policy_.received_max) {
      abandon();
      co_return Reply::of(554, "5.4.6",
                          fmt::format("too many hops: {} Received fields; this is a mail loop", header_.received_fields()));
    }
    // RFC 6152 section 3 keeps 8-bit content from hosts that take seven bits only. What was declared 8BITMIME and is
    // ASCII may go to them. What was not declared and has eight bits goes on undeclared, as it came.
    if (!eight_bit_seen_) envelope_.body = BodyType::seven_bit;
    const WallTime now = env_.clock.now();
    const MessageId id = writer_->id();
    std::string header = received_field(trace(now, id));
    if (session_.submission) header += missing_fields(now, id);
    // What needs no SMTPUTF8 may go to hosts that do not know it (RFC 6531 section 3.1).
    envelope_.utf8 = envelope_.utf8 && !is_all_ascii();
    auto stored = co_await writer_->commit(std::move(envelope_), std::move(header), now);
    writer_.reset();
    if (!stored) co_return storage_trouble(stored.error());
    emit_accepted(**stored);
    scheduler_.add(std::move(*stored));
    co_return Reply::of(250, "2.0.0", fmt::format("queued as {}", id.to_string()));
  }

  void abandon() override { writer_.reset(); }

 private:
  Received trace(WallTime now, MessageId id) const {
    Received received;
    received.helo = session_.helo;
    if (session_.peer.kind() == Endpoint::Kind::ip) received.client = session_.peer.address();
    received.client_name = session_.peer_name;
    received.by = policy_.hostname;
    // RFC 3848 has no word for HELO within TLS.
    received.with = !session_.esmtp ? "SMTP" : envelope_.utf8 ? "UTF8SMTP" : "ESMTP";  // RFC 6531 section 4.3
    if (session_.esmtp && !session_.tls.empty()) received.with += 'S';
    if (session_.esmtp && !session_.login.empty()) received.with += 'A';
    received.tls = session_.tls;
    received.id = id;
    if (envelope_.recipients.size() == 1) received.only_recipient = envelope_.recipients[0].address;
    received.when = now;
    return received;
  }

  // RFC 6409 sections 8.2 and 8.3: what a program may leave to us. Other servers' mail stays as it is (RFC 5321 section 6.4).
  std::string missing_fields(WallTime now, MessageId id) const {
    std::string fields;
    if (!header_.has_date()) fields += "Date: " + format_rfc5322(now) + "\r\n";
    if (!header_.has_message_id()) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
      fields += fmt::format("Message-ID: <{}.{}@{}>\r\n", seconds, id.to_string(), policy_.hostname);
    }
    return fields;
  }

  bool is_all_ascii() const {
    return header_.is_ascii() && (!envelope_.sender || envelope_.sender->is_ascii()) &&
           std::ranges::all_of(envelope_.recipients, [](const Recipient& r) { return r.address.is_ascii(); });
  }

  void emit_accepted(const queue::StoredMessage& stored) {
    const std::string id = stored.id.to_string();
    const std::string sender = to_string(stored.envelope.sender);
    env_.events.emit(event::Accepted{session_.session, id, sender,
                                     static_cast<std::int64_t>(stored.envelope.recipients.size()),
                                     static_cast<std::int64_t>(stored.size()), {}, session_.login});
  }

  Env& env_;
  const Policy& policy_;
  queue::Scheduler& scheduler_;
  smtp::SessionInfo session_;
  Envelope envelope_;
  std::unique_ptr<queue::SpoolWriter> writer_;
  HeaderScan header_;
  bool eight_bit_seen_ = false;  // in content that was declared so
  std::optional<Reply> trouble_;
};

template <class Shared>
class SpoolIntake final : public smtp::Intake {
 public:
  explicit SpoolIntake(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Task<Reply> mail(const smtp::SessionInfo& session, smtp::MailParams params) override {
    const std::uint64_t announced = params.size.value_or(0);
    const std::uint64_t free = co_await free_bytes();
    // RFC 1870 section 6.1: told before a single octet of content is sent.
    if (free < shared_->free_min || free - shared_->free_min < announced) {
      co_return Reply::of(452, "4.3.1", "not enough space to store the message; try again later");
    }
    if (params.sender && shared_->policy.refuse_null_mx_senders && !trusted(shared_->policy, session)) {
      const bool mute = co_await takes_no_mail(*params.sender);
      if (mute) co_return Reply::of(550, "5.7.27", "the sender's domain takes no mail: it has a null MX");
    }
    if (!session.login.empty()) {
      if (auto refusal = refuse_sender(shared_->policy, session.login, params.sender)) co_return std::move(*refusal);
    }
    session_ = session;
    // RFC 4954 section 5: who has not logged in is believed nothing about who has submitted the message.
    if (params.submitter && session.login.empty()) params.submitter = kNobody;
    envelope_ = begin_envelope(std::move(params), shared_->env.clock.now());
    co_return Reply::of(250, "2.1.0", "sender ok");
  }

  Task<Reply> rcpt(smtp::RcptParams params) override {
    if (auto refusal = refuse_relay(shared_->policy, session_, params.recipient)) co_return std::move(*refusal);
    const intake::Policy& policy = shared_->policy;
    if (policy.postmaster && is_own_postmaster(policy, params.recipient)) params.recipient = *policy.postmaster;
    // Who is named twice has two 250s, and is handed on twice: which copies are one is for the final host to say.
    envelope_.recipients.push_back(
        Recipient{std::move(params.recipient), params.notify, std::move(params.original)});
    co_return Reply::of(250, "2.1.5", "recipient ok");
  }

  Task<std::expected<std::unique_ptr<smtp::Incoming>, Reply>> begin() override {
    auto writer = co_await shared_->spool.begin();
    if (!writer) co_return std::unexpected(storage_trouble(writer.error()));
    co_return std::make_unique<SpoolIncoming>(shared_, session_, std::move(envelope_), std::move(*writer));
  }

  // RFC 1985 section 4.
  Task<Reply> start_queue(const smtp::SessionInfo& session, std::string domain, bool subdomains) override {
    if (!trusted(shared_->policy, session)) co_return Reply::of(459, "4.7.1", "you may not start queues here");
    const auto waiting = co_await shared_->scheduler.start(domain, subdomains);
    if (!waiting) co_return Reply::of(458, "4.3.2", fmt::format("the queue for {} cannot be started now", domain));
    if (*waiting == 0) co_return Reply::of(251, "2.0.0", fmt::format("no messages waiting for {}", domain));
    co_return Reply::of(253, "2.0.0", fmt::format("{} pending messages for {} started", *waiting, domain));
  }

  void reset() override { envelope_ = Envelope{}; }

 private:
  // RFC 7505 section 4.2. What DNS does not tell is no reason to refuse.
  Task<bool> takes_no_mail(const Address& sender) {
    if (sender.has_literal_domain()) co_return false;
    const dns::Lookup lookup = co_await shared_->resolver.query(sender.domain_key(), dns::Type::mx);
    if (lookup.outcome != dns::Outcome::found) co_return false;
    co_return std::all_of(lookup.records.begin(), lookup.records.end(), [](const dns::Record& record) {
      const auto* mx = std::get_if<dns::Mx>(&record);
      return mx == nullptr || mx->host.empty();
    });
  }

  Task<std::uint64_t> free_bytes() {
    const MonoTime now = shared_->env.clock.mono();
    if (shared_->free_bytes_at != MonoTime::min() && now - shared_->free_bytes_at < kFreeSpaceAge) {
      co_return shared_->free_bytes;
    }
    const auto asked = co_await shared_->spool.free_bytes();
    // A disk that does not tell is no reason to refuse mail: the commit will show.
    shared_->free_bytes = asked ? *asked : UINT64_MAX;
    shared_->free_bytes_at = now;
    co_return shared_->free_bytes;
  }

  std::shared_ptr<Shared> shared_;
  smtp::SessionInfo session_;
  Envelope envelope_;
};

}  // namespace

SpoolIntakeFactory::SpoolIntakeFactory(Env& env, const Policy& policy, dns::Resolver& resolver, queue::Spool& spool,
                                       queue::Scheduler& scheduler, std::uint64_t free_min)
    : shared_(std::make_shared<Shared>(env, policy, resolver, spool, scheduler, free_min)) {}

SpoolIntakeFactory::~SpoolIntakeFactory() = default;

std::unique_ptr<smtp::Intake> SpoolIntakeFactory::open() { return std::make_unique<SpoolIntake<Shared>>(shared_); }

}  // namespace postproof::intake
