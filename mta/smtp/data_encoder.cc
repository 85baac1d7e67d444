#include "mta/smtp/data_encoder.h"

#include <cstring>

namespace postproof::smtp {

void DataEncoder::feed(std::string_view content, std::string& out) {
  const char* at = content.data();
  const char* const end = at + content.size();
  const char* lf = nullptr;  // the next one at or behind `at`, `end` if there is none: each octet is searched once
  while (at < end) {
    if (cr_) {
      cr_ = false;
      out += "\r\n";
      line_start_ = true;
      if (*at == '\n') ++at;
      continue;
    }
    if (line_start_ && *at == '.') out += '.';
    line_start_ = false;
    if (lf == nullptr || lf < at) {
      lf = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      if (lf == nullptr) lf = end;
    }
    const void* const cr = std::memchr(at, '\r', static_cast<std::size_t>(lf - at));
    const char* const run_end = cr == nullptr ? lf : static_cast<const char*>(cr);
    out.append(at, run_end);
    at = run_end;
    if (at == end) break;
    if (*at++ == '\r') {
      cr_ = true;
    } else {
      out += "\r\n";
      line_start_ = true;
    }
  }
}

void DataEncoder::finish(std::string& out) {
  if (cr_ || !line_start_) out += "\r\n";
  cr_ = false;
  line_start_ = true;
  out += ".\r\n";
}

}  // namespace postproof::smtp
