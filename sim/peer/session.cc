#include "sim/peer/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/text.h"
#include "sim/peer/reply_form.h"
#include "sim/wire/dot.h"
#include "sim/wire/reply.h"

namespace postproof::sim {
namespace {

constexpr Duration kWriteWait = std::chrono::minutes{5};

std::string client_of(const Stream& stream) {
  const Endpoint& peer = stream.peer();
  return peer.kind() == Endpoint::Kind::ip ? peer.address().to_string() : peer.to_string();
}

std::string joined(const std::vector<std::string>& lines, std::string_view between) {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty()) out += between;
    out += line;
  }
  return out;
}

// As strict as RFC 5321, or as lenient as the peer is.
class ContentDecoder {
 public:
  explicit ContentDecoder(const std::vector<FinalDot>& also) {
    if (!also.empty()) lenient_.emplace(also);
  }
  std::size_t feed(std::string_view octets, std::string& content) {
    return lenient_ ? lenient_->feed(octets, content) : strict_.feed(octets, content);
  }
  bool done() const { return lenient_ ? lenient_->done() : strict_.done(); }

 private:
  DotDecoder strict_;
  std::optional<LenientDotDecoder> lenient_;
};

// The code of a reply's first line; empty if it has none.
std::string code_of(std::string_view reply) {
  const std::string_view first = reply.substr(0, reply.find_first_of("\r\n"));
  return parse_reply_line(first) ? std::string(first.substr(0, 3)) : std::string();
}

}  // namespace

PeerSession::PeerSession(PeerShared& shared, Served& served)
    : shared_(shared),
      served_(served),
      buffer_(served.stream()),
      receiver_(shared.settings),
      client_(client_of(served.stream())),
      connection_(shared.recorder.connection(served.stream().peer(), served.stream().local())),
      random_(served.env().entropy.stream("peer.nonce")) {}

Task<void> PeerSession::run() {
  const PeerTls* tls = shared_.settings.tls;
  receiver_.offer_tls(tls != nullptr && tls->terms().offered);
  const PeerEvent connected = event("connect");
  Answer greeting = decide(connected, receiver_.greeting());
  receiver_.greeted(greeting.code);
  bool go_on = co_await carry_out(std::move(greeting.action));
  while (go_on) go_on = co_await next_command();
}

Task<bool> PeerSession::next_command() {
  const LineEnd line_end = shared_.settings.end_of_data.empty() ? LineEnd::crlf : LineEnd::lf;
  std::optional<std::string> here = buffer_.try_line(line_end);
  if (!here) {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    Result<std::string> line = co_await buffer_.line(line_end, idle_deadline());
    if (!line) {
      co_await give_up(std::move(line.error()));
      co_return false;
    }
    here = std::move(*line);
  }
  co_return co_await obey(std::move(*here));
}

Task<bool> PeerSession::obey(std::string line) {
  const WireCommand command = parse_command(line);
  const bool well_formed = line.find_first_of("\r\n") == std::string::npos;
  PeerEvent asked = event(command.verb);
  asked.argument = command.has_path ? command.address : command.argument;
  asked.line = std::move(line);
  Receiver::Lines normal = receiver_.reply(command);
  if (command.verb == "AUTH" && receiver_.demands_login()) normal = begin_login(command);
  if (command.verb == "EHLO" || command.verb == "LHLO") asked.normal = normal;
  if (!well_formed) normal = receiver_.line("500", "5.5.2", "bare CR or LF in a command");
  if (const auto chunk = parse_chunk(command)) co_return co_await take_chunk(*chunk, std::move(asked), std::move(normal));
  Answer answer = decide(asked, std::move(normal));
  const bool starts_tls = command.verb == "STARTTLS" && shared_.settings.tls != nullptr && answer.code == "220";
  if (starts_tls) bend_tls_answer(answer);
  receiver_.answered(command, answer.code);
  if (receiver_.recipients().empty()) chunks_.clear();
  const bool ends = command.verb == "QUIT" && answer.positive();
  if (ends && answer.action.then == Action::Then::go_on) answer.action.then = Action::Then::close;
  const bool go_on = co_await carry_out(std::move(answer.action));
  if (!go_on) co_return false;
  if (receiver_.take_content_follows()) co_return co_await take_content();
  if (starts_tls && answer.code == "220") co_return co_await start_tls();
  if (sasl_ && answer.code == "334") co_return co_await log_in();
  if (sasl_ && answer.positive()) receiver_.let_in();
  sasl_.reset();
  co_return true;
}

// RFC 4954 section 4.
Receiver::Lines PeerSession::begin_login(const WireCommand& command) {
  const auto blank = std::min(command.argument.find(' '), command.argument.size());
  const std::string mechanism = ascii_upper(std::string_view(command.argument).substr(0, blank));
  const auto& offered = shared_.settings.logins.mechanisms;
  if (std::ranges::find(offered, mechanism) == offered.end()) return receiver_.line("504", "5.5.4", "no such mechanism");
  std::optional<std::string> initial;
  if (blank < command.argument.size()) initial = command.argument.substr(blank + 1);
  sasl_.emplace(shared_.settings.logins, mechanism, *random_);
  return login_line(sasl_->next(initial));
}

Receiver::Lines PeerSession::login_line(SaslServer::Said said) { return {said.code + " " + said.text}; }

// Behind a 334: the client's answers, up to the outcome.
Task<bool> PeerSession::log_in() {
  for (;;) {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    Result<std::string> line = co_await buffer_.line(LineEnd::crlf, idle_deadline());
    if (!line) {
      co_await give_up(std::move(line.error()));
      co_return false;
    }
    SaslServer::Said said = *line == "*" ? SaslServer::Said{"501", "5.7.0 cancelled"} : sasl_->next(*line);
    const std::string code = said.code;
    const Receiver::Lines lines = login_line(std::move(said));
    out_ += lines.front() + "\r\n";
    if (code == "334") continue;
    if (code == "235") receiver_.let_in();
    sasl_.reset();
    co_return true;
  }
}

// What the terms make of a 220 to STARTTLS.
void PeerSession::bend_tls_answer(Answer& answer) {
  const PeerTls& tls = *shared_.settings.tls;
  tls.record_faults(shared_.recorder, shared_.settings.node);
  switch (tls.terms().answer) {
    case ServerTls::Answer::go: break;
    case ServerTls::Answer::refuse:
      answer.action.reply = receiver_.line("454", "4.7.0", "TLS not available");
      answer.code = "454";
      break;
    case ServerTls::Answer::plain: answer.action.reply.emplace_back("250 in the clear"); break;
    case ServerTls::Answer::inject:
      answer.action.reply.insert(answer.action.reply.end(), {"250-injected", "250-PIPELINING", "250 SIZE 1"});
      break;
  }
}

// RFC 3207 section 4.2. A peer that speaks on in the clear behind its 220 waits for what the client makes of it.
Task<bool> PeerSession::start_tls() {
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  PeerTls& tls = *shared_.settings.tls;
  if (tls.terms().answer == ServerTls::Answer::plain) {
    static_cast<void>(co_await buffer_.fill(idle_deadline()));
    co_return false;
  }
  const std::string buffered(buffer_.buffered());
  const auto secured = co_await tls.secure(served_, buffered, idle_deadline(), shared_.recorder, shared_.settings.node);
  if (!secured) co_return false;
  buffer_.read_from(served_.stream());
  receiver_.start_over();
  co_return true;
}

Task<bool> PeerSession::take_content() {
  std::string content;
  const bool whole = co_await read_content(content);
  if (!whole) co_return false;

  co_return co_await take_message(std::move(content), "dot");
}

// Its octets are read whatever the answer is (RFC 3030 section 2).
Task<bool> PeerSession::take_chunk(WireChunk chunk, PeerEvent asked, Receiver::Lines normal) {
  const bool wanted = receiver_.takes_chunks();
  for (std::size_t left = chunk.size; left > 0;) {
    const std::string_view here = buffer_.buffered().substr(0, left);
    if (wanted && chunks_.size() <= kPeerContentMax) chunks_ += here;
    left -= here.size();
    buffer_.consume(here.size());
    if (left == 0) break;
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    Result<std::size_t> more = co_await buffer_.fill(idle_deadline());
    if (!more) {
      co_await give_up(std::move(more.error()));
      co_return false;
    }
    if (*more == 0) co_return false;
  }
  if (chunk.last && wanted) co_return co_await take_message(std::exchange(chunks_, {}), "BDAT");
  Answer answer = decide(asked, std::move(normal));
  receiver_.chunk_answered(answer.code);
  co_return co_await carry_out(std::move(answer.action));
}

Task<bool> PeerSession::take_message(std::string content, std::string_view on) {
  bool go_on = true;
  const std::vector<std::string> recipients = receiver_.recipients();
  if (!receiver_.speaks_lmtp()) {
    PeerEvent end = event(std::string(on));
    go_on = co_await answer_message(std::move(content), std::move(end), recipients);
  } else {
    for (std::size_t i = 0; i < recipients.size() && go_on; ++i) {
      PeerEvent end = event(std::string(on));
      end.argument = recipients[i];
      std::vector<std::string> only{recipients[i]};
      go_on = co_await answer_message(content, std::move(end), std::move(only));
    }
  }
  receiver_.forget_transaction();
  co_return go_on;
}

Task<bool> PeerSession::answer_message(std::string content, PeerEvent asked, std::vector<std::string> recipients) {
  asked.size = content.size();
  Receiver::Lines normal = receiver_.line("250", "2.0.0", fmt::format("taken as {}", shared_.taken + 1));
  if (content.size() > kPeerContentMax) normal = receiver_.line("552", "5.3.4", "too big for a simulated peer");
  Answer answer = decide(asked, std::move(normal));
  const bool still_there = co_await hesitate(std::exchange(answer.action.delay, Duration::zero()));
  if (!still_there) co_return false;

  // Recorded before the reply goes out: nobody may know of the 250 before the message is there.
  const std::size_t index = record_message(std::move(content), std::move(recipients), answer);
  const bool go_on = co_await carry_out(std::move(answer.action));
  const bool sent = co_await flush();
  if (!sent) std::get<record::PeerMessage>(shared_.recorder.recording().records[index].what).reply.clear();
  co_return go_on;
}

Task<bool> PeerSession::read_content(std::string& content) {
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  const PeerEvent begins = event("content");
  std::optional<Action> strikes;  // in the middle of it
  if (shared_.behaviour != nullptr) strikes = shared_.behaviour->on(begins);
  ContentDecoder decoder(shared_.settings.end_of_data);
  std::size_t read = 0;
  for (;;) {
    std::string_view here = buffer_.buffered();
    if (strikes) here = here.substr(0, strikes->octets - read);
    const std::size_t taken = decoder.feed(here, content);
    buffer_.consume(taken);
    read += taken;
    if (content.size() > kPeerContentMax) content.resize(kPeerContentMax + 1);
    if (decoder.done()) co_return true;
    if (strikes && read >= strikes->octets) {
      if (!strikes->fault.empty()) record_fault(begins, *strikes);
      Action action = std::move(*strikes);
      strikes.reset();
      const bool go_on = co_await carry_out(std::move(action));
      if (!go_on) co_return false;
      const bool sent = co_await flush();
      if (!sent) co_return false;
      continue;
    }
    Result<std::size_t> more = co_await buffer_.fill(idle_deadline());
    if (!more) {
      co_await give_up(std::move(more.error()));
      co_return false;
    }
    if (*more == 0) co_return false;
  }
}

// Answers what ends a session from outside of it, as far as there is anybody to answer.
Task<void> PeerSession::give_up(Error error) {
  Receiver::Lines last;
  if (error.code == Errc::timed_out) last = receiver_.line("421", "4.4.2", "idle for too long, closing");
  if (error.code == Errc::too_large) last = receiver_.line("500", "5.5.6", "line too long, closing");
  for (const std::string& line : last) out_ += line + "\r\n";
  [[maybe_unused]] const bool flushed = co_await flush();  // either way the session is over
}

Task<bool> PeerSession::carry_out(Action action) {
  const bool still_there = co_await hesitate(action.delay);
  if (!still_there) co_return false;
  std::string octets = formed_reply(action.form, action.reply) + action.raw;
  octets += formed_reply(ReplyForm::normal, action.extra);
  octets += formed_reply(ReplyForm::normal, action.early);
  if (!action.early.empty()) answered_early_ = code_of(action.early.front());
  if (action.split > 1) {
    const bool dripped = co_await send_in_pieces(std::move(octets), action.split, action.every);
    if (!dripped) co_return false;
  } else {
    out_ += octets;
  }
  const bool goes_on = action.then == Action::Then::go_on;
  if (goes_on && action.raw.empty()) co_return true;
  const bool flushed = co_await flush();
  if (action.then == Action::Then::reset) served_.stream().reset();
  if (!goes_on) co_return false;
  co_return flushed;
}

// Of equal length, as far as they go.
Task<bool> PeerSession::send_in_pieces(std::string octets, std::uint64_t pieces, Duration every) {
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  const std::size_t size = std::max<std::size_t>(1, (octets.size() + pieces - 1) / pieces);
  for (std::size_t at = 0; at < octets.size(); at += size) {
    if (at > 0) {
      const bool still_there = co_await served_.pause(every);
      if (!still_there) co_return false;
    }
    out_ = octets.substr(at, size);
    const bool sent = co_await flush();
    if (!sent) co_return false;
  }
  co_return true;
}

// What came before goes out first.
Task<bool> PeerSession::hesitate(Duration delay) {
  if (delay <= Duration::zero()) co_return true;
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  co_return co_await served_.pause(delay);
}

Task<bool> PeerSession::flush() {
  if (out_.empty() || cut_off_) co_return !cut_off_;
  const std::string octets = std::exchange(out_, {});
  const Result<void> written = co_await served_.stream().write_all(octets, served_.env().clock.mono() + kWriteWait);
  cut_off_ = !written;
  co_return !cut_off_;
}

std::size_t PeerSession::record_message(std::string content, std::vector<std::string> recipients, const Answer& answer) {
  record::PeerMessage message;
  message.peer = shared_.settings.node;
  message.connection = connection_;
  message.helo = receiver_.helo();
  message.mail_parameters = receiver_.mail_parameters();
  message.sender = receiver_.sender();
  message.recipients = std::move(recipients);
  message.content = std::move(content);
  message.reply = answer.action.raw.empty() ? joined(answer.action.reply, "\r\n") : answer.action.raw;
  message.accepted = answer.code.empty() ? answer.action.keep_message : answer.positive();
  if (message.accepted) ++shared_.taken;
  const std::size_t index = shared_.recorder.recording().records.size();
  shared_.recorder.add(std::move(message));
  return index;
}

PeerEvent PeerSession::event(std::string on) {
  PeerEvent asked;
  asked.nth = ++shared_.seen[on];
  asked.on = std::move(on);
  asked.sender = receiver_.sender();
  asked.recipients = receiver_.recipients();
  asked.client = client_;
  asked.now = served_.env().clock.mono();
  return asked;
}

PeerSession::Answer PeerSession::decide(const PeerEvent& event, Receiver::Lines normal) {
  Answer answer;
  if (answered_early_) {
    answer.code = *std::exchange(answered_early_, std::nullopt);
    answer.action.silent = true;
    return answer;
  }
  if (shared_.behaviour != nullptr) {
    if (auto action = shared_.behaviour->on(event)) {
      answer.action = std::move(*action);
      if (!answer.action.fault.empty()) record_fault(event, answer.action);
    }
  }
  Action& action = answer.action;
  if (action.silent || (action.no_answer && action.then != Action::Then::go_on)) {
    action.reply.clear();
    action.raw.clear();
    return answer;
  }
  if (!action.raw.empty()) {
    action.reply.clear();
    answer.code = code_of(action.raw);
  } else {
    if (action.reply.empty()) action.reply = std::move(normal);
    answer.code = code_of(action.reply.front());
  }
  // RFC 5321 section 3.8: 421 says that the connection is about to be closed.
  if (answer.code == "421" && action.then == Action::Then::go_on) action.then = Action::Then::close;
  return answer;
}

void PeerSession::record_fault(const PeerEvent& event, const Action& action) {
  std::string detail = event.on;
  if (!event.argument.empty()) detail += " " + event.argument;
  if (event.on == "content") detail += fmt::format(" octet {}", action.octets);
  detail += ':';
  if (action.delay > Duration::zero()) detail += fmt::format(" after {}", format_duration(action.delay));
  if (!action.raw.empty()) {
    detail += fmt::format(" sends \"{}\"", action.raw);
  } else if (!action.reply.empty()) {
    detail += " " + joined(action.reply, " | ");
  } else if (action.silent || action.no_answer) {
    detail += " no answer";
  }
  if (action.form != ReplyForm::normal) detail += fmt::format(" as {}", to_string(action.form));
  if (action.split > 1) detail += fmt::format(" in {} pieces", action.split);
  if (!action.extra.empty()) detail += " and one more: " + joined(action.extra, " | ");
  if (!action.early.empty()) detail += " and the next one early: " + joined(action.early, " | ");
  if (action.then == Action::Then::close) detail += " and closes";
  if (action.then == Action::Then::reset) detail += " and resets";
  const bool unanswered = action.silent || action.no_answer;
  if (event.on == "dot" && unanswered) {
    detail += action.keep_message ? ", the message is kept" : ", the message is dropped";
  }
  shared_.recorder.add(record::Fault{action.fault, shared_.settings.node, action.line, std::move(detail)});
}

Deadline PeerSession::idle_deadline() const { return served_.env().clock.mono() + shared_.settings.idle_timeout; }

}  // namespace postproof::sim
