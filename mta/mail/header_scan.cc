#include "mta/mail/header_scan.h"

#include <algorithm>
#include <cstring>

#include "mta/base/text.h"

namespace postproof {

namespace {
constexpr std::size_t kStartMax = 64;  // blanks may stand between the name and its colon (RFC 5322 section 4.5)
}  // namespace

void HeaderScan::feed(std::string_view chunk) {
  if (ended_) return;
  if (!begun_ && !chunk.empty()) begun_ = true, folded_ = chunk.front() == ' ' || chunk.front() == '\t';
  if (chunk.size() > left_) chunk = chunk.substr(0, left_);
  left_ -= chunk.size();
  while (!chunk.empty() && !ended_) {
    const auto* lf = static_cast<const char*>(std::memchr(chunk.data(), '\n', chunk.size()));
    const std::size_t size = lf == nullptr ? chunk.size() : static_cast<std::size_t>(lf - chunk.data());
    const std::string_view piece = chunk.substr(0, size);
    if (start_.size() < kStartMax) start_ += piece.substr(0, kStartMax - start_.size());
    line_size_ += piece.size();
    eight_bit_ = eight_bit_ || !postproof::is_ascii(piece);
    if (lf == nullptr) break;
    end_line();
    chunk.remove_prefix(size + 1);
  }
  overlong_ = left_ == 0 && !ended_;
  if (overlong_) ended_ = true;
}

void HeaderScan::end_line() {
  if (line_size_ == 0 || (line_size_ == 1 && start_ == "\r")) {
    ended_ = true;
  } else if (const auto colon = start_.find(':'); colon != std::string::npos) {
    const std::string_view name = std::string_view(start_).substr(0, colon);
    const auto end = name.find_last_not_of(" \t");
    if (end != std::string_view::npos) see(name.substr(0, end + 1));
  }
  start_.clear();
  line_size_ = 0;
}

void HeaderScan::see(std::string_view field_name) {
  if (equal_ignoring_case(field_name, "Received")) ++received_;
  if (equal_ignoring_case(field_name, "Date")) date_ = true;
  if (equal_ignoring_case(field_name, "Message-ID")) message_id_ = true;
}

}  // namespace postproof
