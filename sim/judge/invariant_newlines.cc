// Every octet that an MTA sent over SMTP, in both roles, across the pieces that it was sent in.
#include <fmt/format.h>

#include <map>
#include <span>
#include <utility>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"
#include "sim/recording/tls_record.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kQuotedBefore = 20, kQuotedAfter = 10;

// What one side has sent.
struct Direction {
  char last = 0;          // octet that it ended in so far
  bool secured = false;   // TLS hides the octets: Plain tells them
  std::size_t seams = 0;  // that were passed

  // Where the first bare CR or LF of this record's octets is; npos: nowhere.
  std::size_t find_bare(std::string_view octets, std::size_t record, std::span<const Seam> all) {
    std::size_t found = std::string_view::npos;
    for (std::size_t i = 0; i < octets.size(); ++i) {
      for (; seams < all.size() && all[seams].record == record && all[seams].offset == i; ++seams) last = all[seams].before;
      const bool bare = (octets[i] == '\n') != (last == '\r');
      if (bare && found == std::string_view::npos) found = octets[i] == '\n' || i == 0 ? i : i - 1;
      last = octets[i];
    }
    return found;
  }
};

}  // namespace

void check_newlines(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("no bare CR or LF is sent", "each CR followed by LF, each LF after a CR", failures);
  std::map<std::pair<ConnectionId, Side>, Direction> directions;
  const auto& records = evidence.recording().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* wire = std::get_if<record::Octets>(&records[i].what);
    const auto* plain = std::get_if<record::Plain>(&records[i].what);
    if (wire == nullptr && plain == nullptr) continue;
    const ConnectionId id = wire != nullptr ? wire->connection : plain->connection;
    const Side from = wire != nullptr ? wire->from : plain->from;
    const std::string& octets = wire != nullptr ? wire->octets : plain->octets;
    const Conversation* conversation = evidence.conversation(id);
    if (octets.empty() || conversation == nullptr || !conversation->smtp) continue;
    const std::string& sender = from == Side::opener ? conversation->opener : conversation->acceptor;
    if (!evidence.is_mta(sender)) continue;
    Direction& direction = directions[{id, from}];
    if (wire != nullptr && !conversation->tls.empty() && begins_tls(octets)) direction.secured = true;
    if (wire != nullptr && direction.secured) continue;
    std::span<const Seam> seams;
    if (from == Side::opener) seams = conversation->seams;
    const std::size_t at = direction.find_bare(octets, i, seams);
    if (at == std::string_view::npos) continue;
    const std::size_t begin = at < kQuotedBefore ? 0 : at - kQuotedBefore;
    breaches.add(fmt::format("{} sends \"{}\"", sender,
                             escape(std::string_view(octets).substr(begin, at - begin + kQuotedAfter))),
                 evidence.around(i));
  }
}

}  // namespace postproof::sim
