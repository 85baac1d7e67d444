#include "sim/wire/reply.h"

#include <fmt/format.h>

#include "mta/base/text.h"

namespace postproof::sim {

std::string WireReply::text() const {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty()) out += "\r\n";
    out += line;
  }
  return out;
}

std::optional<ReplyLine> parse_reply_line(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5') return std::nullopt;
  const auto code = parse_decimal(line.substr(0, 3));
  if (!code) return std::nullopt;
  // RFC 5321 section 4.2: a code alone, without a blank behind it, is a whole line.
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return std::nullopt;
  return ReplyLine{static_cast<int>(*code), line.size() > 3 && line[3] == '-'};
}

ReplyCollector::State ReplyCollector::add(std::string line) {
  const auto parsed = parse_reply_line(line);
  const bool fits = parsed && (reply_.lines.empty() || parsed->code == reply_.code);
  reply_.lines.push_back(std::move(line));
  if (!fits || reply_.lines.size() > kWireReplyLinesMax) return State::broken;
  reply_.code = parsed->code;
  return parsed->more ? State::more : State::complete;
}

WireReply ReplyCollector::take() { return std::exchange(reply_, {}); }

Task<Result<WireReply>> read_reply(LineBuffer& buffer, Deadline deadline) {
  ReplyCollector collector;
  for (;;) {
    Result<std::string> line = co_await buffer.line(LineEnd::lf, deadline);
    if (!line) co_return fail("read a reply", line.error());
    const std::string shown = escape(*line);
    const auto state = collector.add(std::move(*line));
    if (state == ReplyCollector::State::complete) co_return collector.take();
    if (state == ReplyCollector::State::broken) {
      co_return fail(Errc::protocol, fmt::format("read a reply: \"{}\" is no line of it", shown));
    }
  }
}

}  // namespace postproof::sim
