// `wire`: lines of SMTP on one connection, in their order, and lines that must not be there.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

struct WireLine {
  std::size_t record = 0;  // of the octets that ended it
  bool from_opener = true;
  std::string text;
};

// All whole lines of a connection as they were sent. Content stands where its end does.
std::vector<WireLine> lines_of(const Conversation& conversation) {
  std::vector<WireLine> lines;
  for (const HeardReply& reply : conversation.replies) {
    for (const std::string& line : reply.lines) lines.push_back(WireLine{reply.record, false, line});
  }
  for (std::size_t i = 0; i < conversation.commands.size(); ++i) {
    const HeardCommand& command = conversation.commands[i];
    lines.push_back(WireLine{command.record, true, command.line});
    // In LMTP there are as many of a content as it has recipients.
    if (const HeardMessage* heard = conversation.content_of(i)) {
      const HeardMessage& message = *heard;
      std::string_view rest = message.content;
      while (!rest.empty()) {
        const std::size_t end = rest.find("\r\n");
        const std::string_view line = rest.substr(0, end);
        const bool stuffed = conversation.by_data(message) && line.starts_with('.');
        lines.push_back(WireLine{message.record, true, (stuffed ? "." : "") + std::string(line)});
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
      }
      if (conversation.by_data(message)) lines.push_back(WireLine{message.record, true, "."});
    }
  }
  std::ranges::stable_sort(lines, {}, &WireLine::record);
  return lines;
}

bool matches(const ExpectWire::Line& wanted, const WireLine& line) {
  return wanted.from_opener == line.from_opener && glob_match(wanted.pattern, line.text, true);
}

std::string to_text(const ExpectWire::Line& line) { return fmt::format("{} {}", line.from_opener ? ">" : "<", line.pattern); }

// How many of the wanted lines are there, from the first on, and which one came last.
struct Reached {
  std::size_t lines = 0;
  std::optional<std::size_t> last, next;  // records: of the last wanted line; of what stands in place of the next
};

Reached reach_with_gaps(const ExpectWire& expect, const std::vector<WireLine>& lines) {
  Reached reached;
  for (const WireLine& line : lines) {
    if (reached.lines == expect.lines.size()) break;
    if (!matches(expect.lines[reached.lines], line)) continue;
    ++reached.lines;
    reached.last = line.record;
  }
  return reached;
}

// The longest run of wanted lines that stand next to each other.
Reached reach_in_a_row(const ExpectWire& expect, const std::vector<WireLine>& lines) {
  Reached best;
  for (std::size_t begin = 0; begin < lines.size() && best.lines < expect.lines.size(); ++begin) {
    std::size_t n = 0;
    while (n < expect.lines.size() && begin + n < lines.size() && matches(expect.lines[n], lines[begin + n])) ++n;
    if (n <= best.lines) continue;
    best = Reached{n, lines[begin + n - 1].record, {}};
    if (begin + n < lines.size()) best.next = lines[begin + n].record;
  }
  return best;
}

}  // namespace

std::optional<Failure> check(const ExpectWire& expect, const Evidence& evidence) {
  Failure failure;
  failure.expectation = "expect wire";
  const Conversation* nearest = nullptr;
  Reached best;
  std::size_t seen = 0;
  bool found = expect.lines.empty();
  for (const Conversation& conversation : evidence.conversations()) {
    if (!conversation.smtp) continue;
    if (!expect.from.empty() && conversation.opener != expect.from) continue;
    if (!expect.to.empty() && conversation.acceptor != expect.to) continue;
    if (++seen; expect.nth && seen != *expect.nth) continue;
    const std::vector<WireLine> lines = lines_of(conversation);
    for (const WireLine& line : lines) {
      const auto forbidden = std::ranges::find_if(expect.forbid, [&](const auto& one) { return matches(one, line); });
      if (forbidden == expect.forbid.end()) continue;
      failure.wanted = fmt::format("no line \"{}\"", escape(to_text(*forbidden)));
      failure.nearest = fmt::format("{} at {}: {}{}", counted(1, "such line", ""), view_time(evidence.recording().records[line.record].at),
                                    escape(line.text), event_reference(line.record));
      failure.records = evidence.around(line.record);
      return failure;
    }
    if (found) continue;
    const Reached reached = expect.skip ? reach_with_gaps(expect, lines) : reach_in_a_row(expect, lines);
    if (reached.lines == expect.lines.size()) {
      found = true;
    } else if (nearest == nullptr || reached.lines > best.lines) {
      nearest = &conversation;
      best = reached;
    }
  }
  const bool right_number = seen >= expect.nth.value_or(1);
  if (found && right_number) return std::nullopt;

  std::string where = expect.from.empty() && expect.to.empty() ? "" : fmt::format(" from {} to {}", expect.from.empty() ? "anybody" : expect.from,
                                                                                  expect.to.empty() ? "anybody" : expect.to);
  failure.wanted = fmt::format("{} on a connection{}", expect.skip ? "in order" : "in a row", where);
  if (expect.nth) failure.wanted = fmt::format("{}, number {}", failure.wanted, *expect.nth);
  for (const ExpectWire::Line& line : expect.forbid) failure.wanted += fmt::format(" | not {}", escape(to_text(line)));
  for (const ExpectWire::Line& line : expect.lines) failure.wanted += fmt::format(" | {}", escape(to_text(line)));
  if (nearest == nullptr) {
    failure.nearest = counted(seen, "such connection", "such connections");
    return failure;
  }
  failure.nearest = fmt::format("connection {}: {} of {} lines, then not \"{}\"", nearest->connection, best.lines, expect.lines.size(),
                                escape(to_text(expect.lines[best.lines])));
  const std::size_t at = best.next.value_or(best.last.value_or(nearest->dial));
  failure.nearest += event_reference(at);
  failure.records = evidence.around(at);
  if (best.last) add_records(failure.records, {*best.last});
  return failure;
}

}  // namespace postproof::sim
