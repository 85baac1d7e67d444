// What the resolver has been told, as long as it holds. Bounded: the answer that was not asked for the longest
// makes room. No I/O and no clock: the caller says what time it is.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>

#include "mta/base/hash_map.h"
#include "mta/base/time.h"
#include "mta/dns/resolver.h"

namespace postproof::dns {

struct CacheKey {
  std::string name;  // as normal_name gives it
  Type type = Type::a;
  bool operator==(const CacheKey&) const = default;
};

struct CacheKeyHash {
  std::size_t operator()(const CacheKey& key) const {
    return std::hash<std::string>{}(key.name) * 31 + static_cast<std::size_t>(key.type);
  }
};

class Cache {
 public:
  explicit Cache(std::size_t entries_max) : entries_max_(entries_max) {}

  // Null: not known (any more). What it points to lasts until the next call.
  const Lookup* find(const CacheKey& key, MonoTime now);
  // Holds before `expires`, not at it.
  void put(const CacheKey& key, Lookup lookup, MonoTime expires);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    CacheKey key;
    Lookup lookup;
    MonoTime expires;
  };
  void erase(std::list<Entry>::iterator entry);

  std::size_t entries_max_;
  std::list<Entry> entries_;  // the last one asked for first
  HashMap<CacheKey, std::list<Entry>::iterator, CacheKeyHash> index_;
};

}  // namespace postproof::dns
