#include "mta/dns/cache.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::dns;

namespace {

Lookup named(std::string detail) {
  Lookup lookup;
  lookup.detail = std::move(detail);
  return lookup;
}

std::string held(Cache& cache, const std::string& name, MonoTime now, Type type = Type::mx) {
  const Lookup* found = cache.find(CacheKey{name, type}, now);
  return found == nullptr ? "-" : found->detail;
}

constexpr MonoTime at(Duration since) { return MonoTime{since}; }

}  // namespace

TEST_CASE("an answer holds until its time, not at it, by name and type") {
  Cache cache(10);
  cache.put({"a.example", Type::mx}, named("1"), at(60s));
  CHECK(held(cache, "a.example", at(0s)) == "1");
  CHECK(held(cache, "a.example", at(60s - 1ns)) == "1");
  CHECK(held(cache, "a.example", at(1s), Type::a) == "-");
  CHECK(held(cache, "a.example", at(60s)) == "-");
  CHECK(cache.size() == 0);
}

TEST_CASE("a newer answer takes the older one's place") {
  Cache cache(10);
  cache.put({"a.example", Type::mx}, named("1"), at(60s));
  cache.put({"a.example", Type::mx}, named("2"), at(90s));
  CHECK(cache.size() == 1);
  CHECK(held(cache, "a.example", at(70s)) == "2");
}

TEST_CASE("the one not asked for the longest makes room") {
  Cache cache(3);
  for (const char* name : {"a", "b", "c"}) cache.put({name, Type::mx}, named(name), at(60s));
  CHECK(held(cache, "a", at(1s)) == "a");
  cache.put({"d", Type::mx}, named("d"), at(60s));
  CHECK(cache.size() == 3);
  CHECK(held(cache, "b", at(1s)) == "-");
  CHECK(held(cache, "a", at(1s)) == "a");
  CHECK(held(cache, "c", at(1s)) == "c");
  CHECK(held(cache, "d", at(1s)) == "d");
}

TEST_CASE("a cache of no entries keeps nothing") {
  Cache cache(0);
  cache.put({"a", Type::mx}, named("a"), at(60s));
  CHECK(held(cache, "a", at(0s)) == "-");
}
