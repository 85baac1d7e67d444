#include "mta/smtp/reply_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/limits.h"
#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

constexpr std::size_t kShown = 80;  // octets of a strange line that an error quotes

std::string shown(std::string_view line) {
  return fmt::format("'{}{}'", line.substr(0, kShown), line.size() > kShown ? "..." : "");
}

// 0: the line does not begin with a code of SMTP.
int code_of(std::string_view line) {
  if (line.size() < 3) return 0;
  const auto code = parse_decimal(line.substr(0, 3));
  return code && *code >= 200 && *code <= 599 ? static_cast<int>(*code) : 0;
}

// Takes an enhanced code off the start of a line's text. RFC 2034 section 4: it ends at a blank; that of a line
// without any text ends with the line.
std::optional<EnhancedStatus> take_status(std::string_view& text) {
  const auto blank = std::min(text.find(' '), text.size());
  const auto status = EnhancedStatus::parse(text.substr(0, blank));
  if (status) text.remove_prefix(std::min(blank + 1, text.size()));
  return status;
}

}  // namespace

Result<std::optional<Reply>> ReplyParser::feed(std::string_view line, std::size_t size) {
  octets_ += std::max(size, line.size());
  if (octets_ > limits::kReplyOctets) return fail(Errc::protocol, "endless reply");

  const int code = code_of(line);
  const bool last = line.size() == 3 || (line.size() > 3 && line[3] == ' ');
  const bool goes_on = line.size() > 3 && line[3] == '-';
  if (code == 0 || (!last && !goes_on)) return fail(Errc::protocol, "not a reply: " + shown(line));
  if (reply_.code == 0) {
    reply_.code = code;
  } else if (reply_.code != code) {
    return fail(Errc::protocol, fmt::format("a reply of {} goes on with {}", reply_.code, shown(line)));
  }

  if (reply_.lines.size() < limits::kReplyLines) {
    std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
    std::string_view behind_status = text;
    const auto status = take_status(behind_status);
    // The code decides: an enhanced code of another class, or one that differs from the first line's, is text.
    if (status && reply_.lines.empty() && status->klass == code / 100) reply_.status = status;
    if (status && status == reply_.status) text = behind_status;
    reply_.lines.emplace_back(text);
  }
  if (goes_on) return std::nullopt;

  octets_ = 0;
  return std::exchange(reply_, Reply{});
}

}  // namespace postproof::smtp
