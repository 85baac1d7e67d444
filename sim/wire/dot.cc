#include "sim/wire/dot.h"

#include <algorithm>

namespace postproof::sim {

bool LenientDotDecoder::ends(LineMark after) const {
  if (mark_ == LineMark::crlf && after == LineMark::crlf) return true;
  return std::ranges::any_of(also_, [&](const FinalDot& kind) { return kind.before == mark_ && kind.after == after; });
}

// A dot here may be a final one.
bool LenientDotDecoder::may_end() const {
  if (mark_ == LineMark::crlf) return true;
  return std::ranges::any_of(also_, [&](const FinalDot& kind) { return kind.before == mark_; });
}

void LenientDotDecoder::add(char c, std::string& content) {
  if (c == '\n') {
    mark_ = mark_ == LineMark::cr ? LineMark::crlf : LineMark::lf;
  } else {
    mark_ = c == '\r' ? LineMark::cr : LineMark::none;
  }
  content += c;
}

void LenientDotDecoder::add_dot(std::string& content) {
  if (mark_ != LineMark::crlf) content += '.';
  mark_ = LineMark::none;
  state_ = State::text;
}

std::size_t LenientDotDecoder::feed(std::string_view octets, std::string& content) {
  std::size_t at = 0;
  while (at < octets.size() && state_ != State::done) {
    const char c = octets[at];
    switch (state_) {
      case State::text:
        if (c == '.' && may_end()) {
          state_ = State::dot;
        } else {
          add(c, content);
        }
        ++at;
        break;
      case State::dot:
        if (c == '\n' && ends(LineMark::lf)) {
          state_ = State::done;
          ++at;
        } else if (c == '\r') {
          state_ = ends(LineMark::cr) ? State::done : State::dot_cr;
          ++at;
        } else {
          add_dot(content);  // c is looked at anew
        }
        break;
      case State::dot_cr:
        if (c == '\n' && ends(LineMark::crlf)) {
          state_ = State::done;
          ++at;
        } else {
          add_dot(content);
          add('\r', content);
        }
        break;
      case State::done: break;
    }
  }
  return at;
}

std::size_t DotDecoder::feed(std::string_view octets, std::string& content) {
  std::size_t at = 0;
  while (at < octets.size() && state_ != State::done) {
    if (state_ == State::text) {  // most of it: everything up to the next CR
      const std::size_t cr = octets.find('\r', at);
      content += octets.substr(at, cr == std::string_view::npos ? cr : cr - at);
      if (cr == std::string_view::npos) return octets.size();
      at = cr;
    }
    const char c = octets[at];
    switch (state_) {
      case State::line_start:
        if (c == '.') {
          state_ = State::dot;
        } else {
          content += c;
          state_ = c == '\r' ? State::cr : State::text;
        }
        ++at;
        break;
      case State::text:
      case State::cr:
        content += c;
        if (c == '\r') {
          state_ = State::cr;
        } else {
          state_ = c == '\n' && state_ == State::cr ? State::line_start : State::text;
        }
        ++at;
        break;
      case State::dot:
        if (c == '\r') {
          state_ = State::dot_cr;
          ++at;
        } else {
          state_ = State::text;  // the dot was stuffing; c is looked at anew
        }
        break;
      case State::dot_cr:
        if (c == '\n') {
          state_ = State::done;
          ++at;
        } else {
          content += '\r';  // a line that begins with a stuffed dot and a bare CR
          state_ = State::cr;
        }
        break;
      case State::done: break;
    }
  }
  return at;
}

std::string dot_encode(std::string_view content) {
  std::string wire;
  wire.reserve(content.size() + content.size() / 64 + 8);
  if (content.starts_with('.')) wire += '.';
  for (;;) {
    const std::size_t at = content.find("\r\n.");
    if (at == std::string_view::npos) break;
    wire += content.substr(0, at + 2);
    wire += '.';
    content.remove_prefix(at + 2);
  }
  wire += content;
  if (!wire.empty() && !wire.ends_with("\r\n")) wire += "\r\n";
  wire += ".\r\n";
  return wire;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32 + 2);
  while (!text.empty()) {
    const std::size_t lf = text.find('\n');
    if (lf == std::string_view::npos) break;
    out += text.substr(0, lf > 0 && text[lf - 1] == '\r' ? lf - 1 : lf);
    out += "\r\n";
    text.remove_prefix(lf + 1);
  }
  out += text;
  return out;
}

}  // namespace postproof::sim
