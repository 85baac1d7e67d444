// `never`: connect, command, reply and data are looked for on the wire, dns-query at the DNS servers,
// all others among the MTAs' own events.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mta/base/event.h"
#include "mta/base/text.h"
#include "sim/judge/event_line.h"
#include "sim/judge/expect.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

struct Found {
  std::size_t record;
  std::string text;
};

using Matches = std::function<bool(std::string_view)>;

bool protection_fits(const ExpectNever& expect, std::string_view protection) {
  return expect.tls.empty() || expect.tls == protection || (expect.tls == "encrypted" && protection == "verified");
}

bool brings_content(const HeardCommand& command, const HeardReply& reply) {
  return command.verb == "DATA" ? reply.code == 354 : command.verb == "BDAT" && reply.positive();
}

std::optional<Found> on_wire(const ExpectNever& expect, const Conversation& conversation, const Recording& recording,
                             const Matches& matches) {
  const auto in_window = [&](std::size_t record) { return expect.window.holds(recording.records[record].at); };
  if (expect.event == "connect") {
    const std::string text =
        fmt::format("{} > {} {}", conversation.opener, conversation.acceptor.empty() ? "nobody" : conversation.acceptor,
                    conversation.to.to_string());
    if (in_window(conversation.dial) && matches(text)) return Found{conversation.dial, text};
  } else if (expect.event == "command") {
    for (const HeardCommand& command : conversation.commands) {
      if (!protection_fits(expect, conversation.protection(command))) continue;
      if (in_window(command.record) && matches(command.line)) return Found{command.record, command.line};
    }
  } else if (expect.event == "reply") {
    for (const HeardReply& reply : conversation.replies) {
      if (in_window(reply.record) && matches(reply.on_one_line())) return Found{reply.record, reply.on_one_line()};
    }
  } else if (expect.event == "data") {
    // Content that begins to cross counts, whether its end comes or not.
    for (std::size_t i = 0; i < conversation.commands.size(); ++i) {
      const HeardCommand& command = conversation.commands[i];
      if (!protection_fits(expect, conversation.protection(command))) continue;
      if (!in_window(command.record) || !command.reply || !brings_content(command, conversation.replies[*command.reply])) continue;
      const auto message = std::ranges::find(conversation.messages, i, &HeardMessage::command);
      const bool whole = message != conversation.messages.end();
      if (expect.match == "*" || (whole && (matches(message->content) || matches(message->sender)))) {
        return Found{command.record, whole ? fmt::format("content from <{}>", message->sender) : "content"};
      }
    }
  }
  return std::nullopt;
}

// The host that a field names: "mx1.dest.example [192.0.2.1]:25", "10.0.2.1:25".
bool names_host(std::string_view field, const HostPart& host) {
  if (field.empty()) return false;
  if (const auto endpoint = Endpoint::parse(field); endpoint && endpoint->kind() == Endpoint::Kind::ip) {
    return std::ranges::find(host.addresses, endpoint->address()) != host.addresses.end();
  }
  const auto named = [&](const std::string& name) {
    return starts_with_ignoring_case(field, name) && (field.size() == name.size() || field[name.size()] == ' ');
  };
  const auto at = [&](const IpAddress& address) {
    return field.find(fmt::format("[{}]", address.to_string())) != std::string_view::npos;
  };
  return std::ranges::any_of(host.names, named) || std::ranges::any_of(host.addresses, at);
}

// The host of this name. The one that submissions come from is no part of the scenario: its dials tell its addresses.
std::optional<HostPart> find_host(const Evidence& evidence, std::string_view name) {
  if (name == kSubmitHost) {
    HostPart host;
    for (const Record& record : evidence.recording().records) {
      const auto* dial = std::get_if<record::Dial>(&record.what);
      if (dial == nullptr || dial->from_node != name || dial->from.kind() != Endpoint::Kind::ip) continue;
      const IpAddress address = dial->from.address();
      if (std::ranges::find(host.addresses, address) == host.addresses.end()) host.addresses.push_back(address);
    }
    return host;
  }
  const Scenario& scenario = evidence.scenario();
  const auto in = [&](const auto& parts) -> std::optional<HostPart> {
    const auto at = std::ranges::find(parts, name, &HostPart::name);
    if (at == parts.end()) return std::nullopt;
    return HostPart(*at);
  };
  if (auto host = in(scenario.peers)) return host;
  if (auto host = in(scenario.mtas)) return host;
  return in(scenario.clients);
}

// Which events of MTAs are at a host: those of the MTA itself, those that name the host, and those of a session with it.
// That an event of a session (tls, close, ...) does not say whom it is with: its `connect` has said so.
class AtHost {
 public:
  AtHost(const Evidence& evidence, std::string_view at) : at_(at), host_(find_host(evidence, at)) {}

  // To be asked of all events, in their order.
  bool operator()(const EventSeen& seen) {
    if (at_.empty() || seen.event->node == at_) return true;
    if (!host_) return false;
    const bool named = names_host(seen.field("host"), *host_) || names_host(seen.field("peer"), *host_);
    const std::string_view session = seen.field("session");
    if (session.empty()) return named;
    const std::pair key(seen.event->node, std::string(session));
    if (seen.event->name == event::Connect::kName) {
      if (named) {
        sessions_.insert(key);
      } else {
        sessions_.erase(key);  // of an earlier life of the MTA
      }
    }
    return named || sessions_.contains(key);
  }

 private:
  std::string_view at_;
  std::optional<HostPart> host_;
  std::set<std::pair<std::string, std::string>> sessions_;  // node, number: with that host
};

// Read from the octets of connections.
bool is_smtp_event(std::string_view event) {
  return event == "connect" || event == "command" || event == "reply" || event == "data";
}

std::optional<Found> find(const ExpectNever& expect, const Evidence& evidence) {
  const Matches matches = [&](std::string_view text) { return glob_match(expect.match, text, true); };
  if (is_smtp_event(expect.event)) {
    for (const Conversation& conversation : evidence.conversations()) {
      if (!conversation.smtp || (!expect.at.empty() && conversation.acceptor != expect.at)) continue;
      if (!expect.by.empty() && conversation.opener != expect.by) continue;
      if (auto found = on_wire(expect, conversation, evidence.recording(), matches)) return found;
    }
    return std::nullopt;
  }
  if (expect.event == "dns-query") {
    const auto& records = evidence.recording().records;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto* dns = std::get_if<record::Dns>(&records[i].what);
      if (dns == nullptr || (!expect.at.empty() && dns->server != expect.at && dns->client != expect.at)) continue;
      const std::string text = fmt::format("{} {}", dns->name, dns->type);
      if (expect.window.holds(records[i].at) && (matches(text) || matches(dns->name))) return Found{i, text};
    }
    return std::nullopt;
  }
  AtHost at_host(evidence, expect.at);
  for (const EventSeen& seen : evidence.events()) {
    if (const bool there = at_host(seen); !there || seen.event->name != expect.event) continue;
    if (expect.window.holds(seen.at) && event_matches(*seen.event, expect.match)) return Found{seen.record, event_line(*seen.event)};
  }
  return std::nullopt;
}

}  // namespace

bool is_wire_event(std::string_view event) { return is_smtp_event(event) || event == "dns-query"; }

std::optional<Failure> check(const ExpectNever& expect, const Evidence& evidence) {
  const auto found = find(expect, evidence);
  if (!found) return std::nullopt;
  Failure failure;
  failure.expectation = "expect never";
  failure.wanted = fmt::format("no {}", expect.event);
  if (!expect.at.empty()) failure.wanted += " at " + expect.at;
  if (!expect.tls.empty()) failure.wanted += " with tls=" + expect.tls;
  if (!expect.by.empty()) failure.wanted += " by " + expect.by;
  if (expect.window.from) failure.wanted += " from " + view_time(*expect.window.from);
  if (expect.window.until) failure.wanted += " until " + view_time(*expect.window.until);
  if (expect.match != "*") failure.wanted += fmt::format(" like \"{}\"", expect.match);
  failure.nearest =
      fmt::format("{} at {}: {}  <- event {}", expect.event, view_time(evidence.recording().records[found->record].at),
                  escape(found->text), found->record);
  failure.records = evidence.around(found->record);
  return failure;
}

}  // namespace postproof::sim
