#include "sim/world/sim_random.h"

#include <bit>

namespace postproof::sim::world {

namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// A seed that depends on all that went before and on the part: FNV-1a over its octets, then mixed.
std::uint64_t derive(std::uint64_t seed, std::string_view part) {
  std::uint64_t hash = 0xcbf29ce484222325 ^ splitmix64(seed);
  for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return splitmix64(hash);
}

std::uint64_t derive(std::uint64_t seed, std::uint64_t part) {
  seed ^= splitmix64(part);
  return splitmix64(seed);
}

}  // namespace

SimRandom::SimRandom(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = splitmix64(seed);
}

std::uint64_t SimRandom::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

SimEntropy::SimEntropy(std::uint64_t seed, std::string_view owner, std::uint64_t life)
    : seed_(derive(derive(seed, owner), life)) {}

std::unique_ptr<Random> SimEntropy::stream(std::string_view name) {
  auto at = asked_.find(name);
  if (at == asked_.end()) at = asked_.emplace(std::string(name), 0).first;
  return std::make_unique<SimRandom>(derive(derive(seed_, name), at->second++));
}

}  // namespace postproof::sim::world
