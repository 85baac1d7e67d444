#include "mta/smtp/capabilities.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

// Words behind a keyword.
using Words = std::vector<std::string_view>;

struct Flag {
  std::string_view keyword;
  bool Capabilities::*offered;
};
constexpr std::array kFlags{
    Flag{"PIPELINING", &Capabilities::pipelining},
    Flag{"8BITMIME", &Capabilities::eight_bit_mime},
    Flag{"ENHANCEDSTATUSCODES", &Capabilities::enhanced_status_codes},
    Flag{"STARTTLS", &Capabilities::start_tls},
    Flag{"CHUNKING", &Capabilities::chunking},
    Flag{"DSN", &Capabilities::dsn},
    Flag{"SMTPUTF8", &Capabilities::utf8},
    Flag{"ETRN", &Capabilities::etrn},
    Flag{"MT-PRIORITY", &Capabilities::mt_priority},
};

// RFC 1870 section 4. What is no number, or does not fit, says nothing about a limit; 0 says that there is
// none. The extension stands offered all the same.
void read_size(const Words& words, Capabilities& into) {
  into.size = true;
  const auto limit = words.size() == 1 ? parse_decimal(words[0]) : std::nullopt;
  into.size_max = limit && *limit > 0 ? limit : std::nullopt;
}

std::vector<std::string> upper_case(const Words& words) {
  std::vector<std::string> list;
  for (const std::string_view word : words) list.push_back(ascii_upper(word));
  return list;
}

// RFC 9422 section 4: what we do not know of it limits nothing.
void read_limits(const Words& words, Capabilities& into) {
  for (const std::string_view word : words) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto limit = parse_decimal(word.substr(equals + 1));
    if (!limit || *limit == 0) continue;
    if (equal_ignoring_case(word.substr(0, equals), "MAILMAX")) into.mail_max = limit;
    if (equal_ignoring_case(word.substr(0, equals), "RCPTMAX")) into.rcpt_max = limit;
  }
}

// A number of seconds of at most nine digits (RFC 2852 section 2, RFC 4865 section 3).
std::optional<Duration> seconds_in(std::string_view digits) {
  if (digits.size() > 9) return std::nullopt;
  const auto seconds = parse_decimal(digits);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

void read_deliver_by(const Words& words, Capabilities& into) {
  into.deliver_by = words.empty() ? Duration{0} : seconds_in(words[0]);
}

void read_future_release(const Words& words, Capabilities& into) {
  if (words.size() != 2) return;
  const auto interval = seconds_in(words[0]);
  const auto until = parse_rfc3339(words[1]);
  if (interval && until) into.future_release = FutureRelease{*interval, *until};
}

}  // namespace

Capabilities Capabilities::of(const Reply& ehlo) {
  Capabilities offered;
  offered.extended = true;
  // The first line is the server's name and greeting.
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    Words words = split(ehlo.lines[i], ' ');
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    if (words.empty()) continue;
    const std::string_view keyword = words.front();
    words.erase(words.begin());
    const auto flag = std::ranges::find_if(kFlags, [&](const Flag& f) { return equal_ignoring_case(f.keyword, keyword); });
    if (flag != kFlags.end()) {
      offered.*(flag->offered) = true;
    } else if (equal_ignoring_case(keyword, "SIZE")) {
      read_size(words, offered);
    } else if (equal_ignoring_case(keyword, "AUTH")) {
      offered.auth = upper_case(words);
    } else if (equal_ignoring_case(keyword, "LIMITS")) {
      read_limits(words, offered);
    } else if (equal_ignoring_case(keyword, "DELIVERBY")) {
      read_deliver_by(words, offered);
    } else if (equal_ignoring_case(keyword, "FUTURERELEASE")) {
      read_future_release(words, offered);
    } else if (equal_ignoring_case(keyword, "XCLIENT")) {
      offered.xclient = upper_case(words);
    }
  }
  return offered;
}

std::vector<std::string> Capabilities::lines() const {
  std::vector<std::string> list;
  if (pipelining) list.emplace_back("PIPELINING");
  if (size) list.push_back(fmt::format("SIZE {}", size_max.value_or(0)));
  for (const Flag& flag : kFlags) {
    if (this->*(flag.offered) && flag.offered != &Capabilities::pipelining) list.emplace_back(flag.keyword);
  }
  if (!auth.empty()) list.push_back(fmt::format("AUTH {}", fmt::join(auth, " ")));
  std::string limits;
  if (mail_max) limits += fmt::format(" MAILMAX={}", *mail_max);
  if (rcpt_max) limits += fmt::format(" RCPTMAX={}", *rcpt_max);
  if (!limits.empty()) list.push_back("LIMITS" + limits);
  if (deliver_by) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*deliver_by).count();
    list.push_back(seconds > 0 ? fmt::format("DELIVERBY {}", seconds) : "DELIVERBY");
  }
  if (future_release) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(future_release->interval_max).count();
    list.push_back(fmt::format("FUTURERELEASE {} {}", seconds, format_rfc3339_seconds(future_release->until_max)));
  }
  if (!xclient.empty()) list.push_back(fmt::format("XCLIENT {}", fmt::join(xclient, " ")));
  return list;
}

}  // namespace postproof::smtp
