#include "sim/explore/target.h"

#include <algorithm>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

using document::Table;
using document::Value;

void add_domain(const Value& recipient, std::vector<std::string>& domains) {
  const auto* text = recipient.as<std::string>();
  if (text == nullptr) return;
  const std::string_view mailbox = std::string_view(*text).substr(0, text->find(' '));
  const std::size_t at = mailbox.rfind('@');
  if (at == std::string_view::npos || mailbox.substr(at + 1).starts_with('[')) return;
  std::string domain = ascii_lower(mailbox.substr(at + 1));
  if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(std::move(domain));
}

void add_domains(const Table& submit, std::vector<std::string>& domains) {
  const Value* rcpt = submit.find("rcpt");
  if (rcpt == nullptr) return;
  if (const auto* list = rcpt->as<document::Array>()) {
    for (const Value& one : *list) add_domain(one, domains);
  } else {
    add_domain(*rcpt, domains);
  }
}

}  // namespace

Target read_target(const document::Document& document) {
  Target target;
  const auto moment = [&](const Table& body, std::string_view key) {
    target.moments.push_back(parse_duration(body.text(key)).value_or(Duration{0}));
  };
  for (const document::Section& section : document.sections) {
    if (section.kind == "mta") target.mtas.push_back(section.name);
    if (section.kind == "peer") target.peers.push_back(section.name);
    if (section.kind == "peer" && section.body.find("cert") != nullptr) target.tls_peers.push_back(section.name);
    if (section.kind == "client") target.clients.push_back(section.name);
    if (section.kind == "client" && section.body.find("script") != nullptr) moment(section.body, "start");
    if (section.kind != "at") continue;
    const Value* submit = section.body.find("submit");
    if (submit == nullptr || submit->as<Table>() == nullptr) continue;
    moment(section.body, "t");
    add_domains(*submit->as<Table>(), target.domains);
  }
  if (target.moments.empty()) target.moments.push_back(Duration{0});
  std::ranges::sort(target.moments);
  return target;
}

}  // namespace postproof::sim
