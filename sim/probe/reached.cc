// What a recording shows of the probes. Which hosts are MTAs is told by their events.
#include <fmt/format.h>

#include <algorithm>

#include "sim/judge/conversation.h"
#include "sim/judge/report_reader.h"
#include "sim/probe/probes.h"

namespace postproof::sim {

namespace {

class Reader {
 public:
  explicit Reader(const Recording& recording) {
    for (const Record& record : recording.records) {
      if (const auto* event = std::get_if<record::MtaEvent>(&record.what)) mtas_.insert(event->node);
    }
    for (const Record& record : recording.records) {
      std::visit([this](const auto& what) { see(what); }, record.what);
    }
    for (const Conversation& conversation : read_conversations(recording)) see(conversation);
  }

  ProbeSet take() { return std::move(reached_); }

 private:
  void reach(std::string probe) {
    static const ProbeSet known(all_probes().begin(), all_probes().end());
    if (known.contains(probe)) reached_.insert(std::move(probe));
  }

  template <class Other>
  void see(const Other&) {}

  void see(const record::Fault& fault) { reach("fault " + fault.kind); }

  void see(const record::MtaEvent& event) {
    reach("event " + event.name);
    const auto field = [&](std::string_view key) {
      const std::string* value = event.find(key);
      return value == nullptr ? std::string_view{} : std::string_view{*value};
    };
    if (event.name == "deferred" || event.name == "bounced") reach(fmt::format("{} {}", event.name, field("stage")));
    if (event.name != "service") return;
    if (field("state") == "trouble") reach("process trouble");
    if (field("state") != "recovered") return;
    const bool torn = field("detail").find("torn tail") != std::string_view::npos;
    reach(torn ? "process torn tail" : "process recovery");
  }

  void see(const record::NodeState& state) {
    if (state.state == "crash") reach("process crash");
  }

  void see(const record::DiskOperation& operation) {
    if (operation.result != "ok") reach(fmt::format("disk {} fails", operation.operation));
  }

  void see(const record::Dns& dns) {
    if (mtas_.contains(dns.client)) reach("dns " + dns.answer.substr(0, dns.answer.find_first_of(": ")));
  }

  void see(const record::Tls& tls) {
    if (!mtas_.contains(tls.node)) return;
    reach("tls " + tls.state);
    if (tls.verified == "ok") reach("tls verified");
    if (!tls.verified.empty() && tls.verified != "ok") reach("tls unverified");
  }

  void see(const record::PeerMessage& message) {
    if (!message.sender.empty()) return;
    const auto report = read_report(message.content);
    if (!report) return;
    for (const ReportRecipient& recipient : report->recipients) reach("dsn " + recipient.action);
  }

  void see(const Conversation& conversation) {
    if (!conversation.smtp || !conversation.established) return;
    if (mtas_.contains(conversation.opener)) {
      see_replies(conversation, [this](std::string_view where, std::string_view what) {
        reach(fmt::format("reply {} {}", where, what));
      });
    }
    if (mtas_.contains(conversation.acceptor)) {
      see_replies(conversation, [this](std::string_view where, std::string_view what) {
        reach(what == "421" ? std::string("answer 421") : fmt::format("answer {} {}", where, what));
      });
    }
  }

  template <class Told>
  static void see_replies(const Conversation& conversation, const Told& told) {
    const auto what = [&](const std::optional<std::size_t>& reply) -> std::string {
      if (!reply || *reply >= conversation.replies.size()) return "none";
      const int code = conversation.replies[*reply].code;
      return code == 0 ? "broken" : code == 421 ? "421" : fmt::format("{}yz", code / 100);
    };
    told("greeting", what(0));
    for (const HeardCommand& command : conversation.commands) told(command.verb, what(command.reply));
    for (const HeardMessage& message : conversation.messages) told("dot", what(message.reply));
  }

  ProbeSet reached_;
  std::set<std::string, std::less<>> mtas_;
};

}  // namespace

ProbeSet probes_reached(const Recording& recording) { return Reader(recording).take(); }

}  // namespace postproof::sim
