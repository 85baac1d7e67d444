// `resource`: how much of something hosts have used: connections at once, dials, datagrams, octets, disk operations.
#include <fmt/format.h>

#include <algorithm>

#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

// So much at most, and the record that showed it.
struct Used {
  std::uint64_t amount = 0;
  std::optional<std::size_t> record;
};

bool among(const std::vector<std::string>& hosts, std::string_view host) {
  return hosts.empty() || std::ranges::find(hosts, host) != hosts.end();
}

// Between `host`, if one is named, and one of `to`.
bool is_about(const ExpectResource& expect, std::string_view from, std::string_view to, bool either_side) {
  const auto fits = [&](std::string_view own, std::string_view other) {
    return (expect.host.empty() || own == expect.host) && among(expect.to, other);
  };
  return fits(from, to) || (either_side && fits(to, from));
}

bool counts(const ExpectResource& expect, const Conversation& conversation, const Evidence& evidence) {
  if (!conversation.smtp) return false;
  if (expect.of == "connections") return conversation.established && is_about(expect, conversation.opener, conversation.acceptor, true);
  if (expect.of == "lanes" && (!conversation.established || !evidence.is_mta(conversation.opener))) return false;
  return is_about(expect, conversation.opener, conversation.acceptor, false);
}

Used connections_at_once(const ExpectResource& expect, const Evidence& evidence) {
  struct Change {
    Duration at{};
    int by = 0;
    std::size_t record = 0;
  };
  std::vector<Change> changes;
  const auto& records = evidence.recording().records;
  for (const Conversation& conversation : evidence.conversations()) {
    if (!counts(expect, conversation, evidence)) continue;
    changes.push_back(Change{records[conversation.dial].at, 1, conversation.dial});
    // Until the side that opened it is done with it, or learns that it is cut.
    std::optional<Duration> ended = conversation.opener_ended;
    if (conversation.acceptor_reset && (!ended || *conversation.acceptor_reset < *ended)) ended = conversation.acceptor_reset;
    if (ended) changes.push_back(Change{*ended, -1, conversation.dial});
  }
  std::ranges::stable_sort(changes, [](const Change& a, const Change& b) { return a.at < b.at || (a.at == b.at && a.by < b.by); });
  Used used;
  std::int64_t now = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    now += changes[i].by;
    const bool last_of_moment = i + 1 == changes.size() || changes[i + 1].at != changes[i].at;
    // What stood when the window began counts too.
    const Duration until = last_of_moment && i + 1 < changes.size() ? changes[i + 1].at : evidence.ended_at();
    const bool within = (!expect.window.until || changes[i].at < *expect.window.until) && (!expect.window.from || until > *expect.window.from);
    if (now > static_cast<std::int64_t>(used.amount) && within) used = Used{static_cast<std::uint64_t>(now), changes[i].record};
  }
  return used;
}

Used counted_records(const ExpectResource& expect, const Evidence& evidence) {
  Used used;
  const auto& records = evidence.recording().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!expect.window.holds(records[i].at)) continue;
    std::uint64_t more = 0;
    if (expect.of == "dials") {
      const auto* dial = std::get_if<record::Dial>(&records[i].what);
      const Conversation* conversation = dial == nullptr ? nullptr : evidence.conversation(dial->connection);
      more = conversation != nullptr && counts(expect, *conversation, evidence) ? 1 : 0;
    } else if (expect.of == "datagrams") {
      const auto* datagram = std::get_if<record::Datagram>(&records[i].what);
      more = datagram != nullptr && is_about(expect, datagram->from_node, datagram->to_node, true) ? 1 : 0;
    } else if (expect.of == "octets") {
      const auto* octets = std::get_if<record::Octets>(&records[i].what);
      const Conversation* conversation = octets == nullptr ? nullptr : evidence.conversation(octets->connection);
      if (conversation != nullptr) {
        const bool forth = octets->from == Side::opener;
        const std::string& from = forth ? conversation->opener : conversation->acceptor;
        const std::string& to = forth ? conversation->acceptor : conversation->opener;
        more = is_about(expect, from, to, false) ? octets->octets.size() : 0;
      }
    } else if (const auto* operation = std::get_if<record::DiskOperation>(&records[i].what)) {
      const bool sync = operation->operation == "sync" || operation->operation == "sync_dir";
      more = (expect.host.empty() || operation->node == expect.host) && (expect.of == "disk_operations" || sync) ? 1 : 0;
    }
    used.amount += more;
    if (more > 0) used.record = i;
  }
  return used;
}

}  // namespace

std::optional<Failure> check(const ExpectResource& expect, const Evidence& evidence) {
  const bool at_once = expect.of == "connections" || expect.of == "lanes";
  const Used used = at_once ? connections_at_once(expect, evidence) : counted_records(expect, evidence);
  if ((!expect.min || used.amount >= *expect.min) && (!expect.max || used.amount <= *expect.max)) return std::nullopt;

  Failure failure;
  failure.expectation = "expect resource";
  failure.wanted = expect.of;
  if (!expect.host.empty()) failure.wanted += " of " + expect.host;
  for (std::size_t i = 0; i < expect.to.size(); ++i) failure.wanted += (i == 0 ? " with " : ", ") + expect.to[i];
  if (expect.window.from) failure.wanted += " from " + view_time(*expect.window.from);
  if (expect.window.until) failure.wanted += " until " + view_time(*expect.window.until);
  failure.wanted += at_once ? ", at once:" : ":";
  if (expect.min) failure.wanted += fmt::format(" at least {}", *expect.min);
  if (expect.max) failure.wanted += fmt::format("{} at most {}", expect.min ? "," : "", *expect.max);
  failure.nearest = fmt::format("{}", used.amount);
  if (used.record) {
    failure.nearest += fmt::format(", the last at {}{}", view_time(evidence.recording().records[*used.record].at), event_reference(*used.record));
    failure.records = evidence.around(*used.record);
  }
  return failure;
}

}  // namespace postproof::sim
