#include "mta/smtp/content_receiver.h"

#include <fmt/format.h>

#include <utility>

namespace postproof::smtp {

namespace {

DataDecoder::BareNewlines bare_newlines(const ServerSettings& settings) {
  return settings.bare_newline_ok ? DataDecoder::BareNewlines::convert : DataDecoder::BareNewlines::keep;
}

}  // namespace

ContentReceiver::ContentReceiver(const ServerSettings& settings, std::unique_ptr<Incoming> incoming,
                                 DataDecoder::Framing framing)
    : settings_(&settings), incoming_(std::move(incoming)), decoder_(bare_newlines(settings), framing) {}

Task<std::size_t> ContentReceiver::take(std::string_view octets) {
  std::size_t taken = 0;
  while (taken < octets.size() && !decoder_.done()) {
    taken += decoder_.feed(octets.substr(taken));
    judge();
    if (refusal_ || !decoder_.full()) continue;
    Chunk chunk = decoder_.take();
    co_await incoming_->write(std::move(chunk));
  }
  co_return taken;
}

void ContentReceiver::expect(std::uint64_t octets) {
  const std::uint64_t there = decoder_.size();
  if (!refusal_ && over_limit(octets > UINT64_MAX - there ? UINT64_MAX : there + octets)) refuse(too_large());
}

void ContentReceiver::judge() {
  if (refusal_) return;
  if (decoder_.bare_newline() && !settings_->bare_newline_ok) {
    refuse(Reply::of(550, "5.6.11", "bare CR or LF in the message: lines end in CRLF"));
  } else if (over_limit(decoder_.size())) {
    refuse(too_large());
  }
}

void ContentReceiver::refuse(Reply reply) {
  refusal_ = std::move(reply);
  incoming_->abandon();
  decoder_.discard();
}

bool ContentReceiver::over_limit(std::uint64_t size) const {
  return settings_->message_size_max > 0 && size > settings_->message_size_max;
}

Reply ContentReceiver::too_large() const {
  return Reply::of(552, "5.3.4", fmt::format("message over the limit of {} octets", settings_->message_size_max));
}

Task<Reply> ContentReceiver::finish() {
  if (!decoder_.done()) decoder_.finish();
  judge();
  if (refusal_) co_return std::move(*refusal_);
  Chunk rest = decoder_.take();
  if (!rest.empty()) co_await incoming_->write(std::move(rest));
  co_return co_await incoming_->commit();
}

}  // namespace postproof::smtp
