#include "sim/scenario/host_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "mta/base/text.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

namespace {

std::string_view to_string(HostKind kind) {
  switch (kind) {
    case HostKind::mta: return "an MTA";
    case HostKind::peer: return "a peer";
    case HostKind::client: return "a client";
    case HostKind::world: return "a host of the world's own";
  }
  return "";
}

}  // namespace

HostNames::HostNames() {
  add(kResolverHost, HostKind::world);
  add(kSubmitHost, HostKind::world);
}

bool HostNames::add(std::string_view name, HostKind kind) { return hosts_.emplace(name, kind).second; }

std::optional<std::string> HostNames::read(TomlReader& table, std::string_view key,
                                           std::initializer_list<HostKind> kinds) const {
  auto name = table.string(key);
  if (!name || !check(table, key, *name, kinds)) return std::nullopt;
  return name;
}

bool HostNames::check(TomlReader& table, std::string_view key, std::string_view name,
                      std::initializer_list<HostKind> kinds) const {
  const auto fits = [&](HostKind kind) {
    return kinds.size() == 0 || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  const auto at = hosts_.find(name);
  if (at != hosts_.end() && fits(at->second)) return true;

  std::vector<std::string_view> good;
  for (const auto& [host, kind] : hosts_) {
    if (fits(kind)) good.push_back(host);
  }
  std::string wanted;
  for (const HostKind kind : kinds) wanted += (wanted.empty() ? "" : " or ") + std::string(to_string(kind));
  std::string expected = "; expected " + (wanted.empty() ? "a host" : wanted);
  if (good.empty()) {
    expected += ", and there is none";
  } else if (const std::string_view near = nearest_word(name, good); !near.empty()) {
    expected = fmt::format("; did you mean \"{}\"?", near);
  } else {
    expected += fmt::format(": {}", fmt::join(good, ", "));
  }
  if (at == hosts_.end()) {
    table.complain(key, fmt::format("no host is named \"{}\"{}", escape(name), expected));
  } else {
    table.complain(key, fmt::format("\"{}\" is {}{}", escape(name), to_string(at->second), expected));
  }
  return false;
}

}  // namespace postproof::sim
