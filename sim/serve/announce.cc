#include "sim/serve/announce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "mta/base/text.h"
#include "sim/recording/view_time.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace json = boost::json;

namespace {

std::vector<std::string> endpoints_of(const PeerPart& part) {
  std::vector<std::string> list;
  for (const IpAddress& address : part.addresses) list.push_back(Endpoint(address, part.port).to_string());
  return list;
}

// Where submissions and dialogues come from.
std::vector<std::string> client_addresses(const PlacedScenario& placed) {
  std::set<IpAddress> all(placed.submit_hosts.begin(), placed.submit_hosts.end());
  for (const ClientPart& part : placed.scenario.clients) all.insert(part.addresses.begin(), part.addresses.end());
  std::vector<std::string> list;
  for (const IpAddress& address : all) list.push_back(address.to_string());
  return list;
}

json::array to_array(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

}  // namespace

std::string announcement_text(const PlacedScenario& placed, std::string_view ca_file) {
  const Scenario& scenario = placed.scenario;
  std::string text = fmt::format("{}: {}\n", scenario.file, escape(scenario.title));
  text += fmt::format("  resolver  {}   the DNS server to ask, over UDP and TCP\n", placed.resolver.to_string());
  text += fmt::format("  clients   {}   who must be allowed to relay\n", fmt::join(client_addresses(placed), ", "));
  for (const MtaPart& part : scenario.mtas) {
    text += fmt::format("  mta       {} at {}   where {} must listen; called {}\n", part.name,
                        part.config.listen.front().to_string(), part.name, fmt::join(part.names, ", "));
  }
  for (const PeerPart& part : scenario.peers) {
    text += fmt::format("  peer      {} at {}   called {}\n", part.name, fmt::join(endpoints_of(part), ", "),
                        fmt::join(part.names, ", "));
  }
  if (!ca_file.empty()) {
    text += fmt::format("  ca        {}   who has signed the peers' certificates\n", ca_file);
  } else if (std::ranges::any_of(scenario.peers, may_speak_tls)) {
    text += "  ca        --ca FILE leaves the certificate of who has signed those of the peers\n";
  }
  return text;
}

std::string announcement_json(const PlacedScenario& placed, std::string_view ca) {
  const Scenario& scenario = placed.scenario;
  json::array mtas, peers;
  for (const MtaPart& part : scenario.mtas) {
    mtas.push_back(json::object{
        {"name", part.name}, {"names", to_array(part.names)}, {"listen", part.config.listen.front().to_string()}});
  }
  for (const PeerPart& part : scenario.peers) {
    peers.push_back(
        json::object{{"name", part.name}, {"names", to_array(part.names)}, {"listen", to_array(endpoints_of(part))}});
  }
  const json::object all = {{"serve", scenario.file},
                            {"title", scenario.title},
                            {"resolver", placed.resolver.to_string()},
                            {"clients", to_array(client_addresses(placed))},
                            {"mtas", std::move(mtas)},
                            {"peers", std::move(peers)},
                            {"ca", std::string(ca)}};
  return json::serialize(all) + "\n";
}

std::string verdict_text(const RunResult& result) {
  std::string text = failure_report(result.recording);
  if (text.empty()) text = fmt::format("ok   {}   {}\n", result.recording.scenario, view_time(result.virtual_time));
  for (const Unjudged& one : result.judgement.unjudged) {
    text += fmt::format("  :{} {} not judged: {}\n", one.line, one.expectation, one.why);
  }
  return text;
}

std::string verdict_json(const RunResult& result) {
  json::array failures, unjudged;
  for (const Failure& failure : result.judgement.failures) {
    failures.push_back(json::object{{"line", failure.line},
                                    {"expectation", failure.expectation},
                                    {"wanted", failure.wanted},
                                    {"nearest", failure.nearest}});
  }
  for (const Unjudged& one : result.judgement.unjudged) {
    unjudged.push_back(json::object{{"line", one.line}, {"expectation", one.expectation}, {"why", one.why}});
  }
  const json::object all = {{"result", result.judgement.ok() ? "passed" : "failed"},
                            {"held", result.judgement.passed},
                            {"failures", std::move(failures)},
                            {"unjudged", std::move(unjudged)}};
  return json::serialize(all) + "\n";
}

}  // namespace postproof::sim
