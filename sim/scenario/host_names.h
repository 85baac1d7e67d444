// The hosts that a scenario may name, and complaints about those that it should not have named.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "mta/base/toml_reader.h"

namespace postproof::sim {

enum class HostKind : std::uint8_t { mta, peer, client, world };

class HostNames {
 public:
  HostNames();  // with the world's own hosts

  // False if there is a host of this name already.
  bool add(std::string_view name, HostKind kind);
  // The peer answers by a script alone.
  void mark_scripted(std::string_view name) { scripted_.emplace(name); }
  bool is_scripted(std::string_view name) const { return scripted_.contains(name); }
  std::size_t size() const { return hosts_.size(); }

  // The value of `key`, if it names a host of one of these kinds (none given: of any); complains otherwise.
  std::optional<std::string> read(TomlReader& table, std::string_view key, std::initializer_list<HostKind> kinds) const;
  // The same for a value that has been read.
  bool check(TomlReader& table, std::string_view key, std::string_view name,
             std::initializer_list<HostKind> kinds) const;

 private:
  std::map<std::string, HostKind, std::less<>> hosts_;
  std::set<std::string, std::less<>> scripted_;
};

}  // namespace postproof::sim
