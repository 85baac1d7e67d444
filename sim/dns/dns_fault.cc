#include "sim/dns/dns_fault.h"

#include <utility>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

constexpr std::pair<std::string_view, DnsFaultKind> kWords[] = {
    {"nxdomain", DnsFaultKind::nxdomain},     {"nodata", DnsFaultKind::nodata},
    {"servfail", DnsFaultKind::servfail},     {"refused", DnsFaultKind::refused},
    {"timeout", DnsFaultKind::timeout},       {"truncate", DnsFaultKind::truncate},
    {"tcp-refuse", DnsFaultKind::tcp_refuse}, {"wrong-id", DnsFaultKind::wrong_id},
    {"bogus", DnsFaultKind::bogus},           {"formerr", DnsFaultKind::formerr},
    {"edns-drop", DnsFaultKind::edns_drop},   {"lame", DnsFaultKind::lame},
    {"cname-loop", DnsFaultKind::cname_loop}, {"delay", DnsFaultKind::delay},
    {"insecure", DnsFaultKind::insecure},     {"ttl", DnsFaultKind::ttl},
    {"extra", DnsFaultKind::extra},
};

bool changes_answers(DnsFaultKind kind) {
  return kind == DnsFaultKind::delay || kind == DnsFaultKind::insecure || kind == DnsFaultKind::ttl ||
         kind == DnsFaultKind::extra;
}

bool covers(std::string_view above, std::string_view name) {
  if (above.empty() || above == name) return true;
  return name.size() > above.size() && name.ends_with(above) && name[name.size() - above.size() - 1] == '.';
}

}  // namespace

std::optional<DnsFaultKind> dns_fault_kind(std::string_view word) {
  for (const auto& [known, kind] : kWords) {
    if (known == word) return kind;
  }
  return std::nullopt;
}

std::string_view to_string(DnsFaultKind kind) {
  for (const auto& [word, known] : kWords) {
    if (known == kind) return word;
  }
  return "unknown";
}

std::uint64_t DnsFaults::add(DnsFault fault) {
  fault.name = ascii_lower(fault.name);
  if (fault.name.ends_with('.')) fault.name.pop_back();
  if (fault.name == "*") fault.name.clear();
  faults_.emplace(next_id_, std::move(fault));
  return next_id_++;
}

void DnsFaults::remove(std::uint64_t id) { faults_.erase(id); }

template <class Applies>
const DnsFault* DnsFaults::best(std::string_view name, Applies applies) const {
  const DnsFault* found = nullptr;
  for (const auto& [id, fault] : faults_) {
    if (!covers(fault.name, name) || !applies(fault.kind)) continue;
    if (found == nullptr || fault.name.size() >= found->name.size()) found = &fault;
  }
  return found;
}

const DnsFault* DnsFaults::find(std::string_view name, DnsTransport transport, bool edns) const {
  return best(name, [&](DnsFaultKind kind) {
    switch (kind) {
      case DnsFaultKind::truncate:
      case DnsFaultKind::wrong_id: return transport == DnsTransport::udp;
      case DnsFaultKind::tcp_refuse: return transport == DnsTransport::tcp;
      case DnsFaultKind::formerr: return edns;
      case DnsFaultKind::edns_drop: return edns && transport == DnsTransport::udp;
      default: return !changes_answers(kind);
    }
  });
}

std::vector<const DnsFault*> DnsFaults::find_changes(std::string_view name) const {
  std::vector<const DnsFault*> found;
  if (faults_.empty()) return found;
  for (const DnsFaultKind wanted :
       {DnsFaultKind::insecure, DnsFaultKind::extra, DnsFaultKind::ttl, DnsFaultKind::delay}) {
    const DnsFault* fault = best(name, [&](DnsFaultKind kind) { return kind == wanted; });
    if (fault != nullptr) found.push_back(fault);
  }
  return found;
}

const DnsFault* DnsFaults::find_upstream(std::string_view name) const {
  return best(name, [](DnsFaultKind kind) {
    switch (kind) {
      case DnsFaultKind::nxdomain:
      case DnsFaultKind::nodata:
      case DnsFaultKind::servfail:
      case DnsFaultKind::refused:
      case DnsFaultKind::timeout:
      case DnsFaultKind::bogus: return true;
      default: return false;
    }
  });
}

bool DnsFaults::tcp_closed() const {
  for (const auto& [id, fault] : faults_) {
    if (fault.kind == DnsFaultKind::tcp_refuse && fault.name.empty()) return true;
  }
  return false;
}

}  // namespace postproof::sim
