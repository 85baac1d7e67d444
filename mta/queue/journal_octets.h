// Integers and strings of stored data: little-endian, length-prefixed, read with every bound checked.
// What is read is taken for hostile: a reader that runs out of octets turns bad and gives zeros.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace postproof::queue::journal {

class OctetWriter {
 public:
  explicit OctetWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { integer(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void i64(std::int64_t value) { integer(static_cast<std::uint64_t>(value)); }
  // 32 bits of length, then the octets.
  void text(std::string_view octets) {
    u32(static_cast<std::uint32_t>(octets.size()));
    out_ += octets;
  }

 private:
  template <std::unsigned_integral T>
  void integer(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }

  std::string& out_;
};

class OctetReader {
 public:
  explicit OctetReader(std::string_view octets) : octets_(octets) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::string_view text() {
    const std::uint32_t size = u32();
    if (size > octets_.size()) {
      turn_bad();
      return {};
    }
    const std::string_view taken = octets_.substr(0, size);
    octets_.remove_prefix(size);
    return taken;
  }

  void turn_bad() {
    good_ = false;
    octets_ = {};
  }
  bool good() const { return good_; }
  // Everything was read, and nothing was missing.
  bool complete() const { return good_ && octets_.empty(); }
  std::size_t left() const { return octets_.size(); }

 private:
  template <std::unsigned_integral T>
  T integer() {
    if (octets_.size() < sizeof(T)) {
      turn_bad();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(octets_[i])} << (8 * i);
    }
    octets_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }

  std::string_view octets_;
  bool good_ = true;
};

}  // namespace postproof::queue::journal
