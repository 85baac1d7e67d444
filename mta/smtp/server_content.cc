// Content on its way in: DATA (RFC 5321 section 4.1.1.4), and the commit whose reply is the one to the final dot.
#include <fmt/format.h>

#include <utility>

#include "mta/smtp/data_decoder.h"
#include "mta/smtp/server_session.h"

namespace postproof::smtp {

Task<void> ServerSession::on(command::Data) {
  const bool behind = !reader_->empty();
  if (!transaction_ || recipients_ == 0) {
    // RFC 2920 section 3.1 has DATA at the end of its group. A client that goes on regardless sends content, which
    // must not be read as commands: that content is somebody else's, and could hold some (smuggling).
    const bool none_valid = transaction_ && recipients_refused_;
    Reply reply = none_valid ? Reply::of(554, "5.5.1", "no valid recipients")
                             : Reply::of(503, "5.5.1", transaction_ ? "say RCPT first" : "say MAIL first");
    answer(std::move(reply));
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
  co_await receive(std::move(*incoming));
}

// From 354 to the reply to the final dot. A message that is refused on the way is read to its end, so that the reply
// stands where the client waits for it.
Task<void> ServerSession::receive(std::unique_ptr<Incoming> incoming) {
  DataDecoder decoder(settings_.bare_newline_ok ? DataDecoder::BareNewlines::convert : DataDecoder::BareNewlines::keep);
  std::optional<Reply> refusal;
  const auto refuse = [&](int code, std::string_view status, std::string text) {
    refusal = Reply::of(code, status, std::move(text));
    incoming->abandon();
    decoder.discard();
  };
  while (!decoder.done()) {
    if (reader_->empty()) {
      bool goes_on = co_await flush();
      if (goes_on) goes_on = co_await fill(until(settings_.data_timeout), Waiting::for_content);
      if (!goes_on) {
        incoming->abandon();
        ending_ = true;
        co_return;
      }
    }
    reader_->consume(decoder.feed(reader_->buffered()));
    if (refusal) continue;
    if (decoder.bare_newline() && !settings_.bare_newline_ok) {
      refuse(550, "5.6.11", "bare CR or LF in the message: lines end in CRLF");  // RFC 5321 section 2.3.8
    } else if (settings_.message_size_max > 0 && decoder.size() > settings_.message_size_max) {
      refuse(552, "5.3.4", fmt::format("message over the limit of {} octets", settings_.message_size_max));
    } else if (decoder.full() || decoder.done()) {
      Chunk chunk = decoder.take();
      if (!chunk.empty()) co_await incoming->write(std::move(chunk));
    }
  }
  if (!refusal) refusal = co_await incoming->commit();
  drop_transaction();
  if (refusal->positive()) {
    errors_ = 0;
    junk_ = 0;
  }
  answer(std::move(*refusal));
}

}  // namespace postproof::smtp
