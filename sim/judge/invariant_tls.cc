// No clear text where policy forbids it, and what MTAs tell of TLS is what crossed the wire. (What the files of a
// configuration say is asked for by their keys alone.)
#include <fmt/format.h>

#include <map>
#include <utility>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

namespace {

using smtp::TlsLevel;

void check_policy(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("no clear text where policy forbids it", "MAIL within TLS only", failures);
  // What an MTA has found of a certificate does not show on the wire.
  const std::string_view good = evidence.sight() == Sight::wire ? "encrypted" : "verified";
  for (const Conversation& conversation : evidence.conversations()) {
    const MtaPart* client = evidence.mta(conversation.opener);
    const MtaPart* server = evidence.mta(conversation.acceptor);
    const TlsLevel wanted = client == nullptr ? TlsLevel::none : client->config.client.tls;
    const bool demands = server != nullptr && server->config.server.tls == TlsLevel::require;
    for (const HeardCommand& command : conversation.commands) {
      if (command.verb != "MAIL") continue;
      const std::string_view protection = conversation.protection(command);
      if ((wanted == TlsLevel::require && protection == "none") ||
          (wanted == TlsLevel::verify && protection != good)) {
        breaches.add(fmt::format("{} to {}: {} with tls={}", conversation.opener, conversation.acceptor,
                                 escape(command.line), protection),
                     evidence.around(command.record));
      }
      const bool taken = command.reply && conversation.replies[*command.reply].positive();
      if (demands && taken && protection == "none") {
        breaches.add(fmt::format("{} takes {} in the clear", conversation.acceptor, escape(command.line)),
                     evidence.around(command.record));
      }
    }
  }
}

// By node, version and cipher: how often told, how often so.
struct Count {
  std::size_t events = 0, handshakes = 0;
  std::vector<std::size_t> records;
};

void check_claims(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("events agree with the wire", "a \"tls\" event for each handshake that ended well", failures);
  std::map<std::pair<std::string, std::string>, Count> counts;
  for (const Conversation& conversation : evidence.conversations()) {
    for (const HeardTls& heard : conversation.tls) {
      const record::Tls& told = *heard.told;
      if (told.state != "established" || !evidence.is_mta(told.node)) continue;
      Count& count = counts[{told.node, told.version + " " + told.cipher}];
      ++count.handshakes;
      if (count.records.size() < kToldMax) count.records.push_back(heard.record);
    }
  }
  for (const EventSeen& seen : evidence.events()) {
    if (seen.event->name != "tls" || seen.field("result") != "ok") continue;
    Count& count =
        counts[{seen.event->node, std::string(seen.field("version")) + " " + std::string(seen.field("cipher"))}];
    ++count.events;
    if (count.records.size() < kToldMax) count.records.push_back(seen.record);
  }
  for (const auto& [key, count] : counts) {
    if (count.events == count.handshakes) continue;
    std::vector<std::size_t> shown;
    for (const std::size_t record : count.records) add_records(shown, evidence.around(record));
    breaches.add(fmt::format("{} tells \"tls\" {} times for {}, and had {}", key.first, count.events, key.second,
                             count.handshakes),
                 std::move(shown));
  }
}

}  // namespace

void check_tls(const Evidence& evidence, std::vector<Failure>& failures) {
  check_policy(evidence, failures);
  if (evidence.sight() == Sight::everything) check_claims(evidence, failures);
}

}  // namespace postproof::sim
