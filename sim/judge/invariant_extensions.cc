// Walks each connection that an MTA opened, with what the server had offered by then: parameters of MAIL
// and RCPT, verbs, and commands sent before the reply to the one before (RFC 2920).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

namespace {

struct Need {
  std::string_view word;     // parameter or verb
  std::string_view keyword;  // of EHLO
};
constexpr std::array<Need, 11> kParameters = {{{"SIZE", "SIZE"},      // RFC 1870
                                               {"BODY", "8BITMIME"},  // RFC 6152
                                               {"RET", "DSN"},        // RFC 3461
                                               {"ENVID", "DSN"},
                                               {"NOTIFY", "DSN"},
                                               {"ORCPT", "DSN"},
                                               {"SMTPUTF8", "SMTPUTF8"},      // RFC 6531
                                               {"AUTH", "AUTH"},              // RFC 4954
                                               {"BY", "DELIVERBY"},           // RFC 2852
                                               {"HOLDFOR", "FUTURERELEASE"},  // RFC 4865
                                               {"HOLDUNTIL", "FUTURERELEASE"}}};
constexpr std::array<Need, 4> kVerbs = {
    {{"STARTTLS", "STARTTLS"}, {"AUTH", "AUTH"}, {"BDAT", "CHUNKING"}, {"ETRN", "ETRN"}}};
// RFC 2920 section 3.1: what may stand only last in a group.
constexpr std::array<std::string_view, 8> kLastOfGroup = {"EHLO", "HELO", "DATA",     "VRFY",
                                                         "EXPN", "TURN", "NOOP", "STARTTLS"};

// A client that has waited so long for a reply may take its leave without it.
constexpr Duration kPatience = std::chrono::seconds{1};

class Walk {
 public:
  Walk(const Conversation& conversation, const Evidence& evidence, Breaches& breaches)
      : conversation_(conversation), evidence_(evidence), breaches_(breaches) {}

  void walk() {
    std::optional<std::size_t> awaited = 0;  // the reply to what was sent last: at first the greeting
    Duration last_sent{};
    for (std::size_t i = 0; i < conversation_.commands.size(); ++i) {
      const HeardCommand& command = conversation_.commands[i];
      check_waiting(command, i == 0 ? nullptr : &conversation_.commands[i - 1], awaited, last_sent);
      check_words(command);
      learn(command);
      // RFC 3207 section 4.2: what was offered in the clear is forgotten.
      if (command.verb == "STARTTLS" && positive(command.reply)) offered_.clear();
      awaited = command.reply;
      last_sent = command.sent;
      if (const HeardMessage* message = conversation_.content_of(i)) {
        if (conversation_.by_data(*message) && !arrived_by(command.reply, message->begun)) breach(command.record, "content before 354 has come");
        awaited = message->reply;
        last_sent = message->sent;
      }
    }
  }

 private:
  void check_waiting(const HeardCommand& command, const HeardCommand* before, const std::optional<std::size_t>& awaited,
                     Duration last_sent) {
    if (arrived_by(awaited, command.begun)) return;
    if (command.verb == "QUIT" && command.begun >= last_sent + kPatience) return;
    if (before == nullptr) {
      breach(command.record, fmt::format("{} before the greeting has come", escape(command.line)));
    } else if (!offered_.contains("PIPELINING")) {
      breach(command.record, fmt::format("{} before the reply to {}, and PIPELINING was not offered",
                                         escape(command.line), before->verb));
    } else if (std::ranges::find(kLastOfGroup, before->verb) != kLastOfGroup.end() && !content_of_before(before)) {
      breach(command.record, fmt::format("{} behind {} in one group", escape(command.line), before->verb));
    }
  }

  void check_words(const HeardCommand& command) {
    for (const Need& need : kVerbs) {
      if (command.verb == need.word && !offered_.contains(need.keyword)) {
        breach(command.record, fmt::format("{}, and {} was not offered", escape(command.line), need.keyword));
      }
    }
    if (command.verb != "MAIL" && command.verb != "RCPT") return;
    // RFC 6531 section 3.1.
    if (!is_ascii(command.line) && !offered_.contains("SMTPUTF8")) {
      breach(command.record, fmt::format("8-bit octets in \"{}\", and SMTPUTF8 was not offered", escape(command.line)));
    }
    for (const std::string_view parameter : split(command.parameters, ' ')) {
      if (parameter.empty()) continue;
      const std::string word = ascii_upper(parameter.substr(0, parameter.find('=')));
      const auto known = std::ranges::find(kParameters, word, &Need::word);
      // A parameter that is not known here belongs to an extension of its own name.
      const std::string keyword = known == kParameters.end() ? word : std::string(known->keyword);
      if (!offered_.contains(keyword)) {
        breach(command.record,
               fmt::format("{} in \"{}\", and {} was not offered", word, escape(command.line), keyword));
      }
    }
  }

  void learn(const HeardCommand& command) {
    if (command.verb == "HELO") offered_.clear();
    if (command.verb != "EHLO" && command.verb != "LHLO") return;
    offered_.clear();
    if (!positive(command.reply)) return;
    const auto& lines = conversation_.replies[*command.reply].lines;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::string_view text = std::string_view(lines[i]).substr(std::min<std::size_t>(4, lines[i].size()));
      offered_.insert(ascii_upper(trim(text.substr(0, text.find_first_of(" =")))));
    }
  }

  bool arrived_by(const std::optional<std::size_t>& reply, Duration moment) const {
    if (!reply || *reply >= conversation_.replies.size()) return false;
    const auto& arrived = conversation_.replies[*reply].arrived;
    return arrived && *arrived <= moment;
  }
  bool positive(const std::optional<std::size_t>& reply) const {
    return reply && conversation_.replies[*reply].positive();
  }
  bool content_of_before(const HeardCommand* before) const {
    return conversation_.content_of(static_cast<std::size_t>(before - conversation_.commands.data())) != nullptr;
  }
  void breach(std::size_t record, std::string what) {
    breaches_.add(
        fmt::format("{} to {}: {}", conversation_.opener,
                    conversation_.acceptor.empty() ? conversation_.to.to_string() : conversation_.acceptor, what),
        evidence_.around(record));
  }

  const Conversation& conversation_;
  const Evidence& evidence_;
  Breaches& breaches_;
  std::set<std::string, std::less<>> offered_;
};

}  // namespace

void check_extensions(const Evidence& evidence, std::vector<Failure>& failures) {
  Breaches breaches("no extension is used that was not offered", "only what the last EHLO offered", failures);
  for (const Conversation& conversation : evidence.conversations()) {
    if (conversation.smtp && evidence.is_mta(conversation.opener)) Walk(conversation, evidence, breaches).walk();
  }
}

}  // namespace postproof::sim
