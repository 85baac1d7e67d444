#include "mta/smtp/data_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mta/base/limits.h"

namespace postproof::smtp {

namespace {

// One octet of input gives at most so many of output: a held-back CR that becomes CRLF, and a bare LF that does.
constexpr std::size_t kStepMax = 4;

}  // namespace

bool DataDecoder::full() const { return ready_.size() + kStepMax > limits::kChunk; }

std::string DataDecoder::take() { return std::exchange(ready_, {}); }

void DataDecoder::discard() {
  discarding_ = true;
  ready_ = {};
}

std::size_t DataDecoder::feed(std::string_view octets) {
  const char* at = octets.data();
  const char* const end = at + octets.size();
  const char* lf = nullptr;  // the next one at or behind `at`, `end` if there is none: each octet is searched once
  while (at < end && !done() && !full()) {
    if (state_ != State::middle) {
      step(*at++);
      continue;
    }
    if (lf == nullptr || lf < at) {
      lf = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      if (lf == nullptr) lf = end;
    }
    const auto room = static_cast<std::ptrdiff_t>(limits::kChunk - kStepMax + 1 - ready_.size());
    const char* const stop = at + std::min(lf - at, room);
    const void* const cr = std::memchr(at, '\r', static_cast<std::size_t>(stop - at));
    const char* const run_end = cr == nullptr ? stop : static_cast<const char*>(cr);
    put(std::string_view(at, run_end));
    at = run_end;
    if (at < end && (*at == '\r' || *at == '\n') && !full()) step(*at++);
  }
  return static_cast<std::size_t>(at - octets.data());
}

void DataDecoder::step(char c) {
  switch (state_) {
    case State::line_start:
      if (c == '.' && framing_ == Framing::dots) {
        state_ = State::dot;
        return;
      }
      break;
    case State::dot:
      // The dot was stuffing, whatever is behind it, unless CRLF is.
      if (c == '\r') {
        state_ = State::dot_cr;
        return;
      }
      break;
    case State::dot_cr:
      if (c == '\n') {
        state_ = State::done;
        return;
      }
      put_bare('\r');
      break;
    case State::cr:
      if (c == '\n') {
        put("\r\n");
        state_ = State::line_start;
        return;
      }
      put_bare('\r');
      break;
    case State::middle:
    case State::done: break;
  }
  state_ = State::middle;
  if (c == '\r') {
    state_ = State::cr;
  } else if (c == '\n') {
    put_bare('\n');
  } else {
    put(std::string_view(&c, 1));
  }
}

void DataDecoder::finish() {
  if (state_ == State::cr) put_bare('\r');
  if (!line_ended_) put("\r\n");
  state_ = State::done;
}

void DataDecoder::put(std::string_view octets) {
  size_ += octets.size();
  line_ended_ = octets == "\r\n";
  if (!discarding_) ready_ += octets;
}

void DataDecoder::put_bare(char c) {
  bare_newline_ = true;
  put(bare_ == BareNewlines::convert ? std::string_view("\r\n") : std::string_view(&c, 1));
}

}  // namespace postproof::smtp
