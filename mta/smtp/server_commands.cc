// What a server session does at each command but those that bring content (server_content.cc).
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "mta/auth/authenticator.h"
#include "mta/auth/prepare.h"
#include "mta/smtp/client_networks.h"
#include "mta/smtp/server_session.h"
#include "mta/tls/stream.h"

namespace postproof::smtp {

namespace {

// Commands that change nothing or start again (NOOP, HELP, VRFY, RSET, EHLO) before a message must have come.
constexpr unsigned kJunkMax = 100;

}  // namespace

Task<void> ServerSession::handle(Command command) {
  co_await std::visit([this](auto& which) { return on(std::move(which)); }, command);
}

// RFC 5321 section 4.1.1.1: once more is as good as RSET (section 4.1.4).
Task<void> ServerSession::on(command::Hello hello) {
  drop_transaction();
  info_.helo = std::move(hello.name);
  info_.esmtp = hello.extended;
  greeted_ = true;
  if (logins_ != nullptr) co_await logins_->refresh();
  if (!junk()) say(hello_reply());
}

// The lines behind the first tell what stands from now on (RFC 5321 section 4.1.1.1).
Reply ServerSession::hello_reply() const {
  Reply reply = Reply::of(250, "", settings_.hostname);
  const std::vector<std::string> lines = offered().lines();
  reply.lines.insert(reply.lines.end(), lines.begin(), lines.end());
  return reply;
}

Capabilities ServerSession::offered() const {
  Capabilities offered;
  if (greeted_ && !info_.esmtp) return offered;
  offered.extended = true;
  offered.pipelining = settings_.pipelining;
  offered.size = true;
  if (settings_.message_size_max > 0) offered.size_max = settings_.message_size_max;
  offered.eight_bit_mime = true;
  offered.chunking = settings_.chunking;
  offered.enhanced_status_codes = true;
  offered.etrn = true;
  if (settings_.transactions_max > 0) offered.mail_max = settings_.transactions_max;
  offered.rcpt_max = settings_.recipients_max;
  if (may_tell_clients()) offered.xclient.assign(kXclientAttributes.begin(), kXclientAttributes.end());
  offered.dsn = true;
  offered.utf8 = true;  // RFC 6531 section 3.1: with 8BITMIME
  if (settings_.submission) {
    offered.mt_priority = true;
    offered.deliver_by = Duration{0};
    offered.future_release = FutureRelease{settings_.hold_max, env_.clock.now() + settings_.hold_max};
  }
  if (logins_ != nullptr) {
    for (const auth::Mechanism mechanism : logins_->offered(channel_)) offered.auth.emplace_back(to_string(mechanism));
  }
  offered.start_tls = settings_.tls_context && info_.tls.empty();
  return offered;
}

Task<void> ServerSession::on(command::Mail mail) {
  if (!greeted_) {
    answer(Reply::of(503, "5.5.1", "say EHLO first"));
    co_return;
  }
  if (transaction_) {
    answer(Reply::of(503, "5.5.1", "a transaction is open already"));
    co_return;
  }
  // RFC 3207 section 4.
  if (settings_.tls == TlsLevel::require && info_.tls.empty()) {
    answer(Reply::of(530, "5.7.0", "say STARTTLS first"));
    co_return;
  }
  // RFC 4954 section 6, RFC 6409 section 4.3.
  const bool must_log_in = logins_ != nullptr && (settings_.submission || logins_->settings().required);
  if (must_log_in && info_.login.empty()) {
    const bool in_vain = info_.tls.empty() && !logins_->settings().without_tls;  // AUTH is not offered yet
    answer(Reply::of(530, "5.7.0", in_vain ? "say STARTTLS first, and log in" : "log in first"));
    co_return;
  }
  // Told by LIMITS (RFC 9422).
  if (settings_.transactions_max > 0 && transactions_ >= settings_.transactions_max) {
    end(Reply::of(421, "4.5.3", "too many messages in one session"), "too many messages");
    co_return;
  }
  // RFC 1870 section 6.1. A limit of 0 is none (section 4).
  if (settings_.message_size_max > 0 && mail.params.size.value_or(0) > settings_.message_size_max) {
    answer(Reply::of(552, "5.3.4", fmt::format("message over the limit of {} octets", settings_.message_size_max)));
    co_return;
  }
  if (held_too_long(mail.params)) {
    answer(Reply::of(501, "5.5.4", fmt::format("a message is held for {} at the most", format_duration(settings_.hold_max))));
    co_return;
  }
  if (held_past_its_time(mail.params)) {
    answer(Reply::of(501, "5.5.4", "BY ends before the message is let go"));
    co_return;
  }
  utf8_ = mail.params.utf8;
  Reply reply = co_await intake_->mail(info_, std::move(mail.params));
  transaction_ = reply.positive();
  if (transaction_) ++transactions_;
  answer(std::move(reply));
}

// RFC 4865 section 4.
bool ServerSession::held_too_long(const MailParams& params) const {
  if (params.hold_for) return *params.hold_for > settings_.hold_max;
  return params.hold_until && *params.hold_until > env_.clock.now() + settings_.hold_max;
}

// RFC 2852: in mode R it would come back without an attempt.
bool ServerSession::held_past_its_time(const MailParams& params) const {
  if (!params.deliver_within || !params.deliver_within->give_up) return false;
  const Duration hold = params.hold_for ? Duration(*params.hold_for)
                        : params.hold_until ? *params.hold_until - env_.clock.now() : Duration::zero();
  return hold > params.deliver_within->time;
}

Task<void> ServerSession::on(command::Rcpt rcpt) {
  if (!transaction_) {
    answer(Reply::of(503, "5.5.1", "say MAIL first"));
    co_return;
  }
  if (content_ || chunk_refused_) {
    answer(Reply::of(503, "5.5.1", "not behind BDAT"));
    co_return;
  }
  // RFC 5321 section 4.5.3.1.10: those before stay accepted.
  if (recipients_ >= settings_.recipients_max) {
    answer(Reply::of(452, "4.5.3", "too many recipients"));
    co_return;
  }
  // RFC 6531 section 3.5.
  if (!utf8_ && !rcpt.params.recipient.is_ascii()) {
    recipients_refused_ = true;
    answer(Reply::of(553, "5.6.7", "an address in UTF-8 takes SMTPUTF8 in MAIL"));
    co_return;
  }
  Reply reply = co_await intake_->rcpt(std::move(rcpt.params));
  if (reply.positive()) {
    ++recipients_;
  } else {
    recipients_refused_ = true;
  }
  answer(std::move(reply));
}

Task<void> ServerSession::on(command::Rset) {
  drop_transaction();
  if (!junk()) say(Reply::of(250, "2.0.0", "ok"));
  co_return;
}

Task<void> ServerSession::on(command::Noop) {
  if (!junk()) say(Reply::of(250, "2.0.0", "ok"));
  co_return;
}

// RFC 5321 section 3.5.3: whether an address is good is told to RCPT only.
Task<void> ServerSession::on(command::Vrfy) {
  if (!junk()) say(Reply::of(252, "2.0.0", "cannot verify, but will take the message and try"));
  co_return;
}

Task<void> ServerSession::on(command::Etrn etrn) {
  if (!offered().etrn) {
    answer(Reply::of(502, "5.5.1", "command not offered"));
    co_return;
  }
  if (!greeted_ || transaction_) {
    answer(Reply::of(503, "5.5.1", greeted_ ? "not within a transaction" : "say EHLO first"));
    co_return;
  }
  if (junk()) co_return;
  Reply reply = co_await intake_->start_queue(info_, std::move(etrn.domain), etrn.subdomains);
  answer(std::move(reply));
}

Task<void> ServerSession::on(command::Help) {
  Reply reply = Reply::of(214, "2.0.0", "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY ETRN HELP STARTTLS AUTH QUIT");
  reply.lines.emplace_back("see RFC 5321");
  if (!junk()) say(std::move(reply));
  co_return;
}

// RFC 3207 section 4. What stands behind the command came in the clear, and must not be read as if it had come within
// TLS (section 6, and the injections of 2011): it ends the session, before TLS hides whose it was.
Task<void> ServerSession::on(command::StartTls) {
  if (auto refusal = refuse_tls()) {
    answer(std::move(*refusal));
    co_return;
  }
  if (!reader_->empty()) {
    end(Reply::of(421, "4.7.0", "octets in the clear behind STARTTLS"), "out of step");
    co_return;
  }
  say(Reply::of(220, "2.0.0", "go ahead"));
  const bool written = co_await flush();
  if (written) co_await secure();
  co_return;
}

std::optional<Reply> ServerSession::refuse_tls() const {
  if (!settings_.tls_context) return Reply::of(502, "5.5.1", "command not offered");
  if (!info_.tls.empty()) return Reply::of(503, "5.5.1", "TLS is on already");
  if (!info_.esmtp) return Reply::of(503, "5.5.1", "say EHLO first");
  if (transaction_) return Reply::of(503, "5.5.1", "not within a transaction");
  return std::nullopt;
}

// From the 220 to a session that knows nothing of what was said before (RFC 3207 section 4.2).
Task<void> ServerSession::secure() {
  auto secured = std::make_unique<tls::Stream>(env_, settings_.tls_context, std::move(stream_), reader_->buffered());
  tls::Stream& tls = *secured;
  stream_ = std::move(secured);
  read_from_stream();
  waiting_ = Waiting::for_write;  // a stop says nothing in between
  const auto done = co_await tls.handshake(until(settings_.command_timeout));
  waiting_ = Waiting::no;
  if (!done) {
    env_.events.emit(event::Tls{info_.session, event::Direction::in, done.error().what, {}, {}, {}, {}});
    ending_ = true;
    if (reason_.empty()) reason_ = "TLS failed";
    co_return;
  }
  const tls::Agreed& agreed = tls.agreed();
  env_.events.emit(event::Tls{info_.session, event::Direction::in, "ok", agreed.version, agreed.cipher,
                              agreed.server_name, agreed.verified});
  start_over();
  info_.tls = agreed.to_string();
  channel_.tls = true;
  channel_.tls_exporter = agreed.exporter;
  channel_.tls_server_end_point = agreed.server_end_point;
  for (const std::string& name : agreed.client_names) {
    if (auto prepared = auth::prepare(name)) channel_.certificate_names.push_back(std::move(*prepared));
  }
}

// Who speaks for clients, by their address on the connection: what they have said to be changes nothing of it.
bool ServerSession::may_tell_clients() const { return is_within(stream_->peer(), settings_.xclient_from); }

// Postfix's XCLIENT: from here on the session is the other client's, from the greeting on.
Task<void> ServerSession::on(command::Xclient xclient) {
  if (!may_tell_clients()) {
    answer(Reply::of(550, "5.7.0", "you may not speak for others"));
    co_return;
  }
  if (transaction_) {
    answer(Reply::of(503, "5.5.1", "not within a transaction"));
    co_return;
  }
  start_over();
  channel_.certificate_names.clear();  // its own, and no client's
  xclient.attributes.apply(info_);
  greeted_ = !info_.helo.empty();
  refusing_ = refused();
  if (!junk()) say_greeting(kClientRefused);
  co_return;
}

Task<void> ServerSession::on(command::Quit) {
  end(Reply::of(221, "2.0.0", "bye"), "quit");
  co_return;
}

// One more command that leads nowhere; true: it was one too many.
bool ServerSession::junk() {
  slow_ = ++junk_ > kJunkMax / 2;
  if (junk_ <= kJunkMax) return false;
  end(Reply::of(421, "4.7.0", "too many commands without a message"), "too many errors");
  return true;
}

}  // namespace postproof::smtp
