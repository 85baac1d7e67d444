// Hash maps and sets without iteration: the order of a hash table differs from build to build, and
// nothing that crosses a wire may depend on it. Whoever needs to walk uses an ordered container.
#pragma once

#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

namespace postproof {

template <class Key, class Value, class Hash = std::hash<Key>>
class HashMap {
 public:
  Value* find(const Key& key) {
    auto at = map_.find(key);
    return at == map_.end() ? nullptr : &at->second;
  }
  const Value* find(const Key& key) const {
    auto at = map_.find(key);
    return at == map_.end() ? nullptr : &at->second;
  }
  bool contains(const Key& key) const { return map_.contains(key); }
  Value& operator[](const Key& key) { return map_[key]; }
  // True if the key was new.
  template <class... Args>
  bool try_emplace(const Key& key, Args&&... args) {
    return map_.try_emplace(key, std::forward<Args>(args)...).second;
  }
  bool erase(const Key& key) { return map_.erase(key) != 0; }
  std::size_t size() const { return map_.size(); }
  bool empty() const { return map_.empty(); }
  void clear() { map_.clear(); }

 private:
  std::unordered_map<Key, Value, Hash> map_;
};

}  // namespace postproof
