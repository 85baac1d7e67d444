#include "mta/smtp/client_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mta/base/check.h"
#include "mta/base/limits.h"
#include "mta/smtp/data_encoder.h"
#include "mta/smtp/envelope_commands.h"
#include "mta/smtp/reply_parser.h"
#include "mta/tls/stream.h"

namespace postproof::smtp {

namespace {

constexpr std::size_t kBufferSize = 4096;

// When a write has failed, the peer may have said why before it closed: time enough to read what has come already.
constexpr Duration kLastWords = 100ms;

// Chunks that are sent before the reply to the first of them is waited for: what a long way to the peer has room for.
constexpr unsigned kChunksAhead = 8;

constexpr int kClosing = 421;  // RFC 5321 section 3.8: whatever was asked, the server closes

using What = std::variant<Reply, Error>;

const Reply* reply_in(const What& what) { return std::get_if<Reply>(&what); }
bool positive(const What& what) { return reply_in(what) != nullptr && reply_in(what)->positive(); }
bool intermediate(const What& what) { return reply_in(what) != nullptr && reply_in(what)->intermediate(); }
// A reply after which the session goes on.
bool goes_on(const What& what) { return reply_in(what) != nullptr && reply_in(what)->code != kClosing; }

// RFC 5321 section 4.3.2: a server that takes us says 220. A code that nobody knows counts by its first digit (section
// 4.2.1); one that answers something else tells that the server is out of step.
bool out_of_place_as_greeting(const What& what) {
  if (intermediate(what)) return true;
  constexpr std::array kAnswersToCommands = {211, 214, 221, 235, 250, 251, 252};
  return positive(what) && std::ranges::find(kAnswersToCommands, reply_in(what)->code) != kAnswersToCommands.end();
}

bool has_control_octet(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string_view to_string(ClientStage stage) {
  switch (stage) {
    case ClientStage::resolve: return "resolve";
    case ClientStage::connect: return "connect";
    case ClientStage::greeting: return "greeting";
    case ClientStage::ehlo: return "ehlo";
    case ClientStage::starttls: return "starttls";
    case ClientStage::mail: return "mail";
    case ClientStage::rcpt: return "rcpt";
    case ClientStage::data: return "data";
    case ClientStage::dot: return "dot";
    case ClientStage::auth: return "auth";
  }
  return "unknown";
}

// The results of one transaction as they come in.
struct ClientSession::Group {
  std::vector<std::optional<ClientResult>> results;  // one a recipient
  bool mail_accepted = false;
  unsigned accepted = 0;  // recipients
  bool go = false;        // content may be sent: DATA got its 354, or the peer takes chunks
  std::optional<Error> write_error;

  void settle(std::size_t recipient, ClientStage stage, What what) {
    results[recipient] = ClientResult{stage, std::move(what)};
  }
  // What ends a group. Where replies are missing, or one is there that has no place, nobody knows whose those before it
  // were (RFC 5321 section 4.2 has one for each command, in order): no recipient gets the refusal of another. That MAIL
  // was refused stays: its reply was the first.
  void settle_group(ClientStage stage, const What& what) {
    const auto* error = std::get_if<Error>(&what);
    const bool astray = error != nullptr && (error->code == Errc::protocol || error->code == Errc::timed_out);
    if (astray && mail_accepted) std::ranges::fill(results, std::nullopt);
    settle_rest(stage, what);
  }
  // What ends the transaction for all whose own fate is open.
  void settle_rest(ClientStage stage, const What& what) { settle_rest(ClientResult{stage, what}); }
  void settle_rest(const ClientResult& rest) {
    for (auto& result : results) {
      if (!result) result = rest;
    }
  }
};

ClientSession::ClientSession(Env& env, const ClientSettings& settings, std::uint64_t session, std::string host,
                             Protocol protocol)
    : env_(env),
      settings_(settings),
      session_(session),
      host_(std::move(host)),
      protocol_(protocol),
      writers_(env.executor) {}

ClientSession::~ClientSession() { lose("closed"); }

// RFC 5321 section 2.3.8 has replies end in CRLF. A server that ends them in LF is understood all the same: a reply holds
// nothing that could be smuggled, and the mail would have nowhere else to go.
void ClientSession::read_from_stream() {
  reader_.emplace(*stream_, LineReader::LineEnd::lf, limits::kReplyLine, kBufferSize);
}

Task<std::expected<void, ClientResult>> ClientSession::connect(Endpoint to, TlsLevel tls) {
  PP_CHECK(state_ == State::unconnected, "a client session connects once");
  peer_ = to;
  const std::string peer_text = to.to_string();
  auto stream = co_await env_.network.connect(std::move(to), std::nullopt, in(settings_.connect_timeout));
  if (!stream) {
    state_ = State::lost;
    env_.events.emit(event::Connect{session_, event::Direction::out, host_, peer_text, to_string(stream.error().code)});
    co_return std::unexpected(ClientResult{ClientStage::connect, std::move(stream.error())});
  }
  if (state_ == State::lost) {
    co_return std::unexpected(ClientResult{ClientStage::connect, Error{Errc::closed, "closed while dialing"}});
  }
  stream_ = std::move(*stream);
  read_from_stream();
  state_ = State::in_step;
  env_.events.emit(event::Connect{session_, event::Direction::out, host_, peer_text, "ok"});

  What greeting = co_await answer("greeting", settings_.greeting_timeout);
  if (out_of_place_as_greeting(greeting)) greeting = protocol_error("greeting", std::get<Reply>(greeting));
  if (!positive(greeting)) co_return std::unexpected(ClientResult{ClientStage::greeting, std::move(greeting)});
  auto greeted = co_await hello();
  if (greeted && tls != TlsLevel::none) greeted = co_await start_tls(tls);
  if (!greeted || !settings_.credentials) co_return greeted;
  co_return co_await log_in();
}

// RFC 3207. Behind the handshake everything begins anew: what was said in the clear is forgotten (section 4.2).
Task<std::expected<void, ClientResult>> ClientSession::start_tls(TlsLevel level) {
  if (!capabilities_.start_tls) {
    if (level == TlsLevel::may) co_return std::expected<void, ClientResult>();
    state_ = State::in_step;  // no message may be sent over it, the next one no more than this one
    What missing = Error{Errc::invalid, "peer does not offer STARTTLS"};
    env_.events.emit(event::Tls{session_, event::Direction::out, "not offered", {}, {}, {}, {}});
    co_return std::unexpected(ClientResult{ClientStage::starttls, std::move(missing)});
  }
  state_ = State::in_step;
  What go = co_await ask("STARTTLS", "STARTTLS", settings_.ehlo_timeout);
  if (intermediate(go)) go = protocol_error("STARTTLS", std::get<Reply>(go));
  if (!positive(go)) {
    const std::string why = reply_in(go) != nullptr ? reply_in(go)->to_string() : std::get<Error>(go).what;
    env_.events.emit(event::Tls{session_, event::Direction::out, why, {}, {}, {}, {}});
    co_return std::unexpected(ClientResult{ClientStage::starttls, std::move(go)});
  }
  if (auto trouble = co_await secure(level)) co_return std::unexpected(std::move(*trouble));
  capabilities_ = Capabilities{};
  auto again = co_await hello();
  // A TLS 1.3 server refuses the handshake after ours has ended: the first read tells (RFC 8446 section 2).
  if (!again && std::holds_alternative<Error>(again.error().what)) again.error().stage = ClientStage::starttls;
  co_return again;
}

Task<std::optional<ClientResult>> ClientSession::secure(TlsLevel level) {
  // An address literal ("[192.0.2.1]") is the address that was dialed, and is looked for as such.
  const bool literal = host_.starts_with('[') && peer_.kind() == Endpoint::Kind::ip;
  std::string name = literal ? peer_.address().to_string() : host_;
  const auto& context = level == TlsLevel::verify ? settings_.tls_verify_context : settings_.tls_context;
  PP_CHECK(context != nullptr, "TLS of a level that no policy has");
  auto secured =
      std::make_unique<tls::Stream>(env_, context, std::move(stream_), reader_->buffered(), std::move(name));
  tls::Stream& tls = *secured;
  stream_ = std::move(secured);
  read_from_stream();
  auto done = co_await tls.handshake(in(settings_.tls_timeout));
  const tls::Agreed& agreed = tls.agreed();
  if (!done) {
    env_.events.emit(event::Tls{session_, event::Direction::out, done.error().what, {}, {}, agreed.server_name, {}});
    co_return ClientResult{ClientStage::starttls, drop("STARTTLS", std::move(done.error()))};
  }
  env_.events.emit(event::Tls{session_, event::Direction::out, "ok", agreed.version, agreed.cipher, agreed.server_name,
                              agreed.verified});
  tls_ = agreed.to_string();
  co_return std::nullopt;
}

// RFC 5321 sections 3.2 and 4.1.1.1; RFC 2033 section 4.1.
Task<std::expected<void, ClientResult>> ClientSession::hello() {
  const bool lmtp = protocol_ == Protocol::lmtp;
  const std::string_view verb = lmtp ? "LHLO" : "EHLO";
  What ehlo = co_await ask(fmt::format("{} {}", verb, settings_.hostname), verb, settings_.ehlo_timeout);
  if (positive(ehlo)) {
    capabilities_ = Capabilities::of(std::get<Reply>(ehlo));
    state_ = State::ready;
    co_return std::expected<void, ClientResult>();
  }
  if (goes_on(ehlo) && reply_in(ehlo)->permanent() && !lmtp) {
    What helo = co_await ask("HELO " + settings_.hostname, "HELO", settings_.ehlo_timeout);
    if (positive(helo)) {
      capabilities_ = Capabilities{};
      state_ = State::ready;
      co_return std::expected<void, ClientResult>();
    }
    // A server that refuses EHLO and closes has said why; that the connection is gone says less.
    if (reply_in(helo) != nullptr) ehlo = std::move(helo);
  }
  if (intermediate(ehlo)) ehlo = protocol_error(verb, std::get<Reply>(ehlo));
  co_return std::unexpected(ClientResult{ClientStage::ehlo, std::move(ehlo)});
}

Task<std::vector<ClientResult>> ClientSession::deliver(Transaction transaction, ContentSource& content) {
  PP_CHECK(!transaction.envelope.recipients.empty(), "a transaction without recipients");
  Group group;
  group.results.resize(transaction.envelope.recipients.size());

  if (auto refusal = refuse_locally(transaction)) {
    group.settle_rest(std::move(*refusal));
  } else if (auto trouble = co_await begin_transaction()) {
    group.settle_rest(ClientStage::mail, *trouble);
  } else {
    if (capabilities_.pipelining && settings_.pipelining) {
      co_await ask_as_group(group, transaction);
    } else {
      co_await ask_one_by_one(group, transaction);
    }
    if (group.go && in_chunks()) {
      co_await transfer_in_chunks(group, transaction, content);
    } else if (group.go) {
      co_await transfer(group, transaction, content);
    }
  }

  std::vector<ClientResult> results;
  results.reserve(group.results.size());
  for (auto& result : group.results) {
    PP_CHECK(result.has_value(), "a recipient without a result");
    results.push_back(std::move(*result));
  }
  co_return results;
}

// What the peer has told us beforehand that it cannot take.
std::optional<ClientResult> ClientSession::refuse_locally(const Transaction& transaction) const {
  if (!usable()) return std::nullopt;
  const Envelope& envelope = transaction.envelope;
  if (auto unmet = unmet_need(envelope, transaction.size, capabilities_, env_.clock.now())) {
    return ClientResult{ClientStage::mail, std::move(unmet->error), unmet->status};
  }
  // Addresses and parameters were parsed when they came in; what comes from a disk is looked at again before it goes on
  // a wire.
  bool control = has_control_octet(to_string(envelope.sender)) || has_control_octet(envelope.id);
  for (const Recipient& recipient : envelope.recipients) {
    control |= has_control_octet(recipient.address.to_string()) || has_control_octet(recipient.original);
  }
  if (control) return ClientResult{ClientStage::mail, Error{Errc::corrupt, "control octet in the envelope"}};
  return std::nullopt;
}

Task<bool> ClientSession::reset() {
  const auto trouble = co_await begin_transaction();
  co_return !trouble;
}

// None: MAIL may be said now.
Task<std::optional<What>> ClientSession::begin_transaction() {
  if (!usable()) co_return What(Error{Errc::closed, "the session is at its end"});
  if (!transaction_open_) co_return std::nullopt;
  What reply = co_await ask("RSET", "RSET", settings_.rset_timeout);
  if (positive(reply)) {
    transaction_open_ = false;
    co_return std::nullopt;
  }
  if (goes_on(reply)) reply = protocol_error("RSET", std::get<Reply>(reply));
  co_return reply;
}

std::string ClientSession::mail_line(const Transaction& transaction) const {
  return mail_command(transaction.envelope, transaction.size, capabilities_, env_.clock.now());
}

// Each command waits for the reply to the one before.
Task<void> ClientSession::ask_one_by_one(Group& group, const Transaction& transaction) {
  What mail = co_await ask(mail_line(transaction), "MAIL", settings_.mail_timeout);
  if (intermediate(mail)) mail = protocol_error("MAIL", std::get<Reply>(mail));
  if (!positive(mail)) {
    group.settle_rest(ClientStage::mail, mail);
    co_return;
  }
  transaction_open_ = true;

  const Envelope& envelope = transaction.envelope;
  for (std::size_t i = 0; i < envelope.recipients.size(); ++i) {
    std::string command = rcpt_command(envelope, envelope.recipients[i], capabilities_);
    What rcpt = co_await ask(std::move(command), "RCPT", settings_.rcpt_timeout);
    if (intermediate(rcpt)) rcpt = protocol_error("RCPT", std::get<Reply>(rcpt));
    if (!goes_on(rcpt)) {
      group.settle_rest(ClientStage::rcpt, rcpt);
      co_return;
    }
    if (positive(rcpt)) {
      ++group.accepted;
    } else {
      group.settle(i, ClientStage::rcpt, std::move(rcpt));
    }
  }
  if (group.accepted == 0) co_return;
  if (in_chunks()) {
    group.go = true;
    co_return;
  }

  What data = co_await ask("DATA", "DATA", settings_.data_timeout);
  if (positive(data)) data = protocol_error("DATA", std::get<Reply>(data));
  group.go = intermediate(data);
  if (!group.go) group.settle_rest(ClientStage::data, data);
}

// RFC 2920 section 3.1: MAIL, all RCPTs and DATA in one go; chunks follow when it is known that somebody is to have them.
// Replies are read while the group is written: a server that writes them before it has read all of it would otherwise wait
// for us as we for it.
Task<void> ClientSession::ask_as_group(Group& group, const Transaction& transaction) {
  if (auto trouble = co_await unasked()) {
    group.settle_rest(ClientStage::mail, *trouble);
    co_return;
  }
  std::string octets;
  const auto add = [&](const std::string& command) {
    emit_command(command);
    octets += command;
    octets += "\r\n";
  };
  const Envelope& envelope = transaction.envelope;
  add(mail_line(transaction));
  for (const Recipient& recipient : envelope.recipients) add(rcpt_command(envelope, recipient, capabilities_));
  if (!in_chunks()) add("DATA");

  writers_.spawn(write_behind(group, std::move(octets)));
  co_await read_group(group);
  co_await writers_.join();
  if (group.write_error && usable()) {
    // All replies have come, to commands that the peer has not read.
    group.settle_group(ClientStage::data, drop("DATA", std::move(*group.write_error)));
    group.go = false;
  } else if (group.go && group.accepted == 0) {
    group.go = false;
    if (!in_chunks()) co_await send_lone_dot();
  }
}

// A failure is not told at once: the replies do not come then, and those that did come count.
Task<void> ClientSession::write_behind(Group& group, std::string octets) {
  auto written = co_await stream_->write_all(octets, in(settings_.mail_timeout));
  if (!written) group.write_error = std::move(written.error());
}

Task<void> ClientSession::read_group(Group& group) {
  What mail = co_await answer("MAIL", settings_.mail_timeout);
  if (intermediate(mail)) mail = protocol_error("MAIL", std::get<Reply>(mail));
  group.mail_accepted = positive(mail);
  transaction_open_ = group.mail_accepted;
  if (!group.mail_accepted) group.settle_rest(ClientStage::mail, mail);
  if (!goes_on(mail)) co_return;

  for (std::size_t i = 0; i < group.results.size(); ++i) {
    What rcpt = co_await answer("RCPT", settings_.rcpt_timeout);
    if (intermediate(rcpt)) rcpt = protocol_error("RCPT", std::get<Reply>(rcpt));
    if (!goes_on(rcpt)) {
      group.settle_group(ClientStage::rcpt, rcpt);
      co_return;
    }
    if (!group.mail_accepted) continue;  // read to stay in step: nothing can have come of it
    if (positive(rcpt)) {
      ++group.accepted;
    } else {
      group.settle(i, ClientStage::rcpt, std::move(rcpt));
    }
  }

  if (in_chunks()) {
    group.go = group.mail_accepted;
  } else {
    What data = co_await answer("DATA", settings_.data_timeout);
    if (positive(data)) data = protocol_error("DATA", std::get<Reply>(data));
    group.go = intermediate(data);
    if (!group.go) group.settle_group(ClientStage::data, data);
    if (!goes_on(data)) co_return;
  }
  if (auto trouble = co_await unasked()) {
    group.go = false;
    group.settle_group(ClientStage::data, *trouble);
  }
}

// RFC 2920 section 3.1: the server waits for content, though nobody is to have it.
Task<void> ClientSession::send_lone_dot() {
  const auto sent = co_await stream_->write_all(".\r\n", in(settings_.block_timeout));
  if (!sent) {
    lose(to_string(sent.error().code));
    co_return;
  }
  // RFC 2033 section 4.2: one reply a recipient, of whom there is none.
  if (protocol_ == Protocol::smtp) static_cast<void>(co_await answer("final dot", settings_.dot_timeout));
  transaction_open_ = false;
}

Task<void> ClientSession::transfer(Group& group, const Transaction& transaction, ContentSource& content) {
  // Before the first octet is sent: a reply that stands here already would be taken for the one to the dot.
  if (auto trouble = co_await unasked()) {
    group.settle_rest(ClientStage::data, *trouble);
    co_return;
  }
  env_.events.emit(event::Data{session_, event::Direction::out, transaction.message});
  DataEncoder encoder;
  std::string out;
  for (bool last = false; !last;) {
    auto piece = co_await content.next();
    if (!piece) {
      group.settle_rest(ClientStage::data, drop("reading the message", std::move(piece.error())));
      co_return;
    }
    // What was encoded before goes out now that it is known not to be the last, which goes along with the dot.
    last = piece->empty();
    if (last) {
      encoder.finish(out);
    } else if (out.empty()) {
      encoder.feed(*piece, out);
      continue;
    }
    auto sent = co_await stream_->write_all(out, in(settings_.block_timeout));
    if (!sent) {
      const What why = co_await last_words("sending the message", std::move(sent.error()));
      group.settle_rest(last ? ClientStage::dot : ClientStage::data, why);
      co_return;
    }
    out.clear();
    encoder.feed(*piece, out);
  }

  co_await read_verdicts(group, "final dot");
}

// RFC 3030 section 2. The last chunk waits until all before it have been taken: a server that forgot that it has refused
// one would make a message of the rest.
Task<void> ClientSession::transfer_in_chunks(Group& group, const Transaction& transaction, ContentSource& content) {
  if (auto trouble = co_await unasked()) {
    group.settle_rest(ClientStage::data, *trouble);
    co_return;
  }
  env_.events.emit(event::Data{session_, event::Direction::out, transaction.message});
  const bool pipelining = capabilities_.pipelining && settings_.pipelining;
  unsigned unanswered = 0;
  std::string chunk;
  for (bool first = true, last = false; !last; first = false) {
    auto piece = co_await content.next();
    if (!piece) {
      group.settle_rest(ClientStage::data, drop("reading the message", std::move(piece.error())));
      co_return;
    }
    last = piece->empty();
    if (first && !last) {
      chunk = std::move(*piece);
      continue;
    }
    const unsigned ahead = pipelining && !last ? kChunksAhead - 1 : 0;
    const bool taken = co_await settle_chunks(group, unanswered, ahead);
    if (!taken) co_return;
    std::string out = fmt::format("BDAT {}{}", chunk.size(), last ? " LAST" : "");
    emit_command(out);
    out += "\r\n";
    out += chunk;
    auto sent = co_await stream_->write_all(out, in(settings_.block_timeout));
    if (!sent) {
      const What why = co_await last_words("sending the message", std::move(sent.error()));
      group.settle_rest(last ? ClientStage::dot : ClientStage::data, why);
      co_return;
    }
    ++unanswered;
    chunk = std::move(*piece);
  }
  co_await read_verdicts(group, "last chunk");
}

// Reads replies to chunks until at most so many are without one. False: a chunk was refused, and the transaction is over;
// RSET will follow.
Task<bool> ClientSession::settle_chunks(Group& group, unsigned& unanswered, unsigned most) {
  bool taken = true;
  while (unanswered > (taken ? most : 0)) {
    What reply = co_await answer("BDAT", settings_.block_timeout);
    --unanswered;
    if (intermediate(reply)) reply = protocol_error("BDAT", std::get<Reply>(reply));
    if (positive(reply)) continue;
    taken = false;
    group.settle_rest(ClientStage::data, reply);
    if (!goes_on(reply)) break;
  }
  co_return taken;
}

// What became of the message: one reply, or one for each recipient that was accepted (RFC 2033 section 4.2).
Task<void> ClientSession::read_verdicts(Group& group, std::string_view name) {
  for (auto& result : group.results) {
    if (result) continue;
    What reply = co_await answer(name, settings_.dot_timeout);
    if (intermediate(reply)) reply = protocol_error(name, std::get<Reply>(reply));
    const bool more = protocol_ == Protocol::lmtp && goes_on(reply);
    if (more) {
      result = ClientResult{ClientStage::dot, std::move(reply)};
    } else {
      group.settle_rest(ClientStage::dot, reply);
    }
  }
  transaction_open_ = false;
}

Task<void> ClientSession::quit() {
  if (state_ == State::in_step || state_ == State::ready) {
    const Deadline deadline = in(settings_.quit_timeout);
    emit_command("QUIT");
    const auto sent = co_await stream_->write_all("QUIT\r\n", deadline);
    if (sent) static_cast<void>(co_await read_reply(deadline));
  }
  lose("quit");
}

void ClientSession::close() { lose("closed"); }

Task<What> ClientSession::ask(std::string command, std::string_view name, Duration timeout, std::string shown) {
  if (auto trouble = co_await unasked()) co_return std::move(*trouble);
  emit_command(shown.empty() ? command : shown);
  command += "\r\n";
  auto sent = co_await stream_->write_all(command, in(timeout));
  if (!sent) co_return co_await last_words(name, std::move(sent.error()));
  co_return co_await answer(name, timeout);
}

// The next reply. The timeout is for all of it: a server that drips cannot stretch it (RFC 5321 section 4.5.3.2).
Task<What> ClientSession::answer(std::string_view name, Duration timeout) {
  auto reply = co_await read_reply(in(timeout));
  if (!reply) {
    Error error = std::move(reply.error());
    if (error.code == Errc::timed_out) error.what = fmt::format("no reply within {}", format_duration(timeout));
    co_return drop(name, std::move(error));
  }
  if (reply->code == kClosing) lose("421");
  co_return std::move(*reply);
}

// The peer has spoken out of turn: a 421 is told as what it is; anything else, and nobody knows any more which reply
// belongs to which command.
Task<std::optional<What>> ClientSession::unasked() {
  if (reader_->empty()) co_return std::nullopt;
  auto reply = co_await read_reply(in(kLastWords));
  if (reply && reply->code == kClosing) {
    lose("421");
    co_return What(std::move(*reply));
  }
  co_return drop("unasked reply", Error{Errc::protocol, reply ? reply->to_string() : reply.error().what});
}

// A write has failed: a refusal that has come already says more than that the connection is gone.
Task<What> ClientSession::last_words(std::string_view name, Error error) {
  if (error.code != Errc::closed) {
    auto reply = co_await read_reply(in(kLastWords));
    if (reply && reply->code >= 400) {
      lose(to_string(error.code));
      co_return What(std::move(*reply));
    }
  }
  co_return drop(name, std::move(error));
}

Task<Result<Reply>> ClientSession::read_reply(Deadline deadline) {
  ReplyParser parser;
  for (;;) {
    while (const auto line = reader_->try_line()) {
      auto reply = parser.feed(line->text, line->size);
      if (!reply) co_return std::unexpected(std::move(reply.error()));
      if (!*reply) continue;
      env_.events.emit(event::Reply{session_, event::Direction::out, (*reply)->code, (*reply)->text()});
      co_return std::move(**reply);
    }
    if (parser.octets() + reader_->pending() > limits::kReplyOctets) co_return fail(Errc::protocol, "endless reply");
    auto more = co_await reader_->fill(deadline);
    if (!more) co_return std::unexpected(std::move(more.error()));
    if (!*more) co_return fail(Errc::unexpected_eof, "connection closed by peer");
  }
}

What ClientSession::protocol_error(std::string_view name, const Reply& reply) {
  return drop(name, Error{Errc::protocol, "reply out of place: " + reply.to_string()});
}

What ClientSession::drop(std::string_view name, Error error) {
  lose(to_string(error.code));
  error.what = fmt::format("{}: {}", name, error.what);
  return error;
}

void ClientSession::emit_command(std::string_view line) {
  env_.events.emit(event::Command{session_, event::Direction::out, line});
}

void ClientSession::lose(std::string_view reason) {
  const bool connected = state_ == State::in_step || state_ == State::ready;
  state_ = State::lost;
  if (!connected) return;
  stream_->close();
  env_.events.emit(event::Close{session_, event::Direction::out, reason});
}

}  // namespace postproof::smtp
