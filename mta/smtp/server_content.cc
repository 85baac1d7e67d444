// Content on its way in: DATA (RFC 5321 section 4.1.1.4), BDAT (RFC 3030), and the commit whose reply is the one to the final
// dot or the last chunk.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/smtp/server_session.h"

namespace postproof::smtp {

namespace {

// Of a chunk that is refused: so much is read, and a longer one ends the session instead.
constexpr std::uint64_t kRefusedChunkMax = 64 * 1024 * 1024;

}  // namespace

Task<void> ServerSession::on(command::Data) {
  const bool behind = !reader_->empty();
  if (content_ || chunk_refused_ || !transaction_ || recipients_ == 0) {
    // RFC 2920 section 3.1 has DATA at the end of its group. A client that goes on regardless sends content, which
    // must not be read as commands: that content is somebody else's, and could hold some (smuggling).
    answer(content_ || chunk_refused_ ? Reply::of(503, "5.5.1", "not behind BDAT") : nobody_to_get_it());
    if (behind && !ending_) end(Reply::of(421, "4.7.0", "octets behind a DATA that was refused"), "out of step");
    co_return;
  }
  auto incoming = co_await intake_->begin();
  if (!incoming) {
    drop_transaction();
    answer(std::move(incoming.error()));
    if (behind && !ending_) end(Reply::of(421, "4.7.0", "octets behind a DATA that was refused"), "out of step");
    co_return;
  }
  say(Reply::of(354, "", "end data with <CRLF>.<CRLF>"));
  env_.events.emit(event::Data{info_.session, event::Direction::in, {}});
  content_.emplace(settings_, std::move(*incoming), DataDecoder::Framing::dots);
  pace_ = ContentPace(settings_);
  co_await receive();
}

Reply ServerSession::nobody_to_get_it() const {
  if (transaction_ && recipients_refused_) return Reply::of(554, "5.5.1", "no valid recipients");
  return Reply::of(503, "5.5.1", transaction_ ? "say RCPT first" : "say MAIL first");
}

// From 354 to the reply to the final dot.
Task<void> ServerSession::receive() {
  while (!content_->ended()) {
    if (reader_->empty()) {
      const bool more = co_await await_content();
      if (!more) co_return;
    }
    const std::size_t taken = co_await content_->take(reader_->buffered());
    reader_->consume(taken);
  }
  Reply reply = co_await content_->finish();
  conclude(std::move(reply));
}

// RFC 3030 section 2. The octets of a chunk are its own, whatever is wrong: they are read, and never as commands. One chunk
// that is refused refuses what is behind it, up to RSET or the last one: a message that lacks a part must not go through.
Task<void> ServerSession::on(command::Bdat bdat) {
  if (!bdat.size) {
    answer(Reply::of(501, "5.5.4", "syntax: BDAT octets [LAST]"));
    if (!ending_) end(Reply::of(421, "4.7.0", "octets behind a BDAT that cannot be read"), "out of step");
    co_return;
  }
  std::optional<Reply> refusal = refuse_chunk();
  if (!refusal && !content_) {
    auto incoming = co_await intake_->begin();
    if (incoming) {
      env_.events.emit(event::Data{info_.session, event::Direction::in, {}});
      content_.emplace(settings_, std::move(*incoming), DataDecoder::Framing::chunks);
      pace_ = ContentPace(settings_);
    } else {
      refusal = std::move(incoming.error());
    }
  }
  if (!refusal) {
    content_->expect(*bdat.size);
    refusal = content_->refusal();
  }
  if (refusal && *bdat.size > kRefusedChunkMax) {
    answer(std::move(*refusal));
    if (!ending_) end(Reply::of(421, "4.7.0", "a refused chunk of too many octets to read"), "out of step");
    co_return;
  }
  const bool read = co_await read_chunk(*bdat.size, !refusal);
  if (!read) co_return;
  if (!refusal) refusal = content_->refusal();
  if (!refusal && bdat.last) {
    Reply reply = co_await content_->finish();
    conclude(std::move(reply));
  } else if (bdat.last) {
    conclude(std::move(*refusal));
  } else if (refusal) {
    content_.reset();
    chunk_refused_ = transaction_;
    answer(std::move(*refusal));
  } else if (*bdat.size > 0 || !junk()) {
    say(Reply::of(250, "2.0.0", fmt::format("{} octets received", *bdat.size)));
  }
}

std::optional<Reply> ServerSession::refuse_chunk() const {
  if (!offered().chunking) return Reply::of(502, "5.5.1", "command not offered");
  if (chunk_refused_) return Reply::of(503, "5.5.1", "an earlier chunk was refused; say RSET");
  if (!transaction_ || recipients_ == 0) return nobody_to_get_it();
  return std::nullopt;
}

// Reads what a BDAT has announced, and no octet further. False: the session is at its end.
Task<bool> ServerSession::read_chunk(std::uint64_t size, bool kept) {
  if (!kept) pace_ = ContentPace(settings_);
  while (size > 0) {
    if (reader_->empty()) {
      const bool more = co_await await_content();
      if (!more) co_return false;
    }
    const std::string_view there = reader_->buffered();
    const auto octets = static_cast<std::size_t>(std::min<std::uint64_t>(there.size(), size));
    if (kept) static_cast<void>(co_await content_->take(there.substr(0, octets)));
    reader_->consume(octets);
    size -= octets;
  }
  co_return true;
}

// Waits for octets of content; false: the session is at its end.
Task<bool> ServerSession::await_content() {
  bool goes_on = co_await flush();
  if (goes_on) {
    const MonoTime begun = env_.clock.mono();
    goes_on = co_await fill(until(pace_.patience()), Waiting::for_content);
    pace_.heard(env_.clock.mono() - begun, reader_->buffered().size());
  }
  if (!goes_on) {
    content_.reset();
    ending_ = true;
  }
  co_return goes_on;
}

// The transaction is over, with this reply.
void ServerSession::conclude(Reply reply) {
  drop_transaction();
  if (reply.positive()) {
    errors_ = 0;
    junk_ = 0;
  }
  answer(std::move(reply));
}

}  // namespace postproof::smtp
