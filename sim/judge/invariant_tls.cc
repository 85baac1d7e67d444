// No clear text where policy forbids it, and what MTAs tell of TLS is what crossed the wire. (What the files of a
// configuration say is asked for by their keys alone.)
#include <fmt/format.h>

#include <map>
#include <utility>

#include "mta/base/text.h"
#include "mta/mail/address.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

namespace {

using tls::Level;

// What the MTA's configuration asks for where it says so: MAIL tells nothing of where the message goes.
Level wanted_for(const MtaPart* client, const HeardCommand& command) {
  if (client == nullptr) return Level::none;
  const route::RouterSettings& router = client->config.router;
  if (command.verb == "MAIL") return router.tls.rules.empty() ? router.tls.level : Level::none;
  if (router.smarthost) return router.tls.of(ascii_lower(router.smarthost->host));
  const auto at = command.address.rfind('@');
  return router.tls.of(at == std::string::npos ? "" : domain_key(std::string_view(command.address).substr(at + 1)));
}

void check_policy(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("no clear text where policy forbids it", "MAIL and RCPT within TLS only", failures);
  // What an MTA has found of a certificate does not show on the wire.
  const std::string_view good = evidence.sight() == Sight::wire ? "encrypted" : "verified";
  for (const Conversation& conversation : evidence.conversations()) {
    const MtaPart* client = evidence.mta(conversation.opener);
    const MtaPart* server = evidence.mta(conversation.acceptor);
    const bool demands = server != nullptr && server->config.server.tls == Level::require;
    for (const HeardCommand& command : conversation.commands) {
      if (command.verb != "MAIL" && command.verb != "RCPT") continue;
      const Level wanted = wanted_for(client, command);
      const std::string_view protection = conversation.protection(command);
      if ((wanted == Level::require && protection == "none") ||
          (wanted == Level::verify && protection != good)) {
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
