// `tls`: the handshakes of a run, one for each connection that came to one, as both sides tell them.
#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/judge/expect.h"
#include "sim/judge/moments.h"
#include "sim/recording/view_time.h"

namespace postproof::sim {

namespace {

// What the two sides told of one connection.
struct Handshake {
  const Conversation* conversation = nullptr;
  const HeardTls* last = nullptr;  // of what was told of the handshake
  std::string version, cipher, server_name, verified, detail;
  bool failed = false;
};

std::vector<Handshake> handshakes(const Evidence& evidence) {
  std::vector<Handshake> list;
  for (const Conversation& conversation : evidence.conversations()) {
    Handshake one;
    one.conversation = &conversation;
    for (const HeardTls& heard : conversation.tls) {
      const record::Tls& told = *heard.told;
      if (told.state != "established" && told.state != "failed") continue;
      one.last = &heard;
      one.failed = one.failed || told.state == "failed";
      if (!told.version.empty()) one.version = told.version;
      if (!told.cipher.empty()) one.cipher = told.cipher;
      if (!told.server_name.empty()) one.server_name = told.server_name;
      if (told.from == Side::opener) one.verified = told.verified;
      if (!told.detail.empty()) one.detail += (one.detail.empty() ? "" : "; ") + told.node + ": " + told.detail;
    }
    if (one.last != nullptr) list.push_back(std::move(one));
  }
  return list;
}

// No pattern fits what a handshake never came to.
bool fits(std::string_view pattern, std::string_view text) {
  return pattern.empty() || (!text.empty() && glob_match(pattern, text, true));
}

bool fits(const ExpectTls& expect, const Handshake& one) {
  return (expect.at.empty() || expect.at == one.conversation->acceptor) &&
         (expect.from.empty() || expect.from == one.conversation->opener) && fits(expect.version, one.version) &&
         fits(expect.cipher, one.cipher) && fits(expect.sni, one.server_name) && fits(expect.verified, one.verified) &&
         (expect.result.empty() || (expect.result == "failed") == one.failed) && fits(expect.detail, one.detail);
}

std::string describe(const Handshake& one) {
  std::string text = fmt::format("{} > {} {} {}", one.conversation->opener, one.conversation->acceptor,
                                 view_time(one.last->at), one.failed ? "failed" : "established");
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format(" {}=\"{}\"", name, escape(value));
  };
  add("version", one.version);
  add("cipher", one.cipher);
  add("sni", one.server_name);
  add("verified", one.verified);
  add("detail", one.detail);
  return text + event_reference(one.last->record);
}

std::string wanted_text(const ExpectTls& expect) {
  std::string text = expect.count ? counted(*expect.count, "handshake", "handshakes") : "at least 1 handshake";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format(", {} {}", name, value);
  };
  add("at", expect.at);
  add("from", expect.from);
  add("result", expect.result);
  add("version", expect.version);
  add("cipher", expect.cipher);
  add("sni", expect.sni);
  add("verified", expect.verified);
  add("detail", expect.detail);
  return text;
}

}  // namespace

std::optional<Failure> check(const ExpectTls& expect, const Evidence& evidence) {
  const std::vector<Handshake> all = handshakes(evidence);
  std::vector<const Handshake*> found;
  for (const Handshake& one : all) {
    if (fits(expect, one)) found.push_back(&one);
  }
  if (expect.count ? found.size() == *expect.count : !found.empty()) return std::nullopt;
  Failure failure;
  failure.expectation = "expect tls";
  failure.wanted = wanted_text(expect);
  const Handshake* nearest = !found.empty() ? found.back() : all.empty() ? nullptr : &all.back();
  if (nearest == nullptr) {
    failure.nearest = "no TLS was tried on any connection";
    return failure;
  }
  failure.nearest = fmt::format("{}{}", found.empty() ? "" : counted(found.size(), "handshake: ", "handshakes: "),
                                describe(*nearest));
  failure.records = evidence.around(nearest->last->record);
  return failure;
}

}  // namespace postproof::sim
