// The octets of a file. What was never written, or was zeroed, takes no memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postproof::sim::world {

class SparseContent {
 public:
  // A stretch of octets that were put somewhere; zeros around it may be left out.
  struct Stretch {
    std::uint64_t offset;
    std::string octets;
  };

  std::uint64_t size() const { return size_; }
  // Fewer than asked for only at the end.
  std::size_t read(std::uint64_t offset, std::span<char> into) const;
  std::string all() const;
  // What is not zero for certain in a range.
  std::vector<Stretch> stretches(std::uint64_t offset, std::uint64_t size) const;

  void write(std::uint64_t offset, std::string_view octets);  // grows as needed
  void zero(std::uint64_t offset, std::uint64_t size);        // within the size
  void resize(std::uint64_t size);                            // new octets are zeros

 private:
  static constexpr std::uint64_t kPage = 4096;
  using Page = std::array<char, kPage>;

  std::uint64_t size_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Page>> pages_;  // by number; none: zeros
};

}  // namespace postproof::sim::world
