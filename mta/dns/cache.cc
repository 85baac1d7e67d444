#include "mta/dns/cache.h"

#include <utility>

namespace postproof::dns {

const Lookup* Cache::find(const CacheKey& key, MonoTime now) {
  const auto* found = index_.find(key);
  if (found == nullptr) return nullptr;
  const auto entry = *found;
  if (now >= entry->expires) {
    erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return &entry->lookup;
}

void Cache::put(const CacheKey& key, Lookup lookup, MonoTime expires) {
  if (entries_max_ == 0) return;
  if (const auto* found = index_.find(key)) erase(*found);
  if (entries_.size() >= entries_max_) erase(std::prev(entries_.end()));
  entries_.push_front(Entry{key, std::move(lookup), expires});
  index_[key] = entries_.begin();
}

void Cache::erase(std::list<Entry>::iterator entry) {
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace postproof::dns
