// Where the log goes: a descriptor that may stall (a pipe that nobody drains, a terminal that was stopped) and must
// not hold up mail. What cannot be written at once waits, up to kWaitingMax octets; further lines are counted and
// dropped, and told as soon as there is room again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postproof::os {

class LogOutput {
 public:
  static constexpr std::size_t kWaitingMax = 4 * 1024 * 1024;

  // `lost`: the line, newline included, that tells of so many lines that were dropped. Not the descriptor's owner.
  LogOutput(int descriptor, std::function<std::string(std::uint64_t)> lost)
      : descriptor_(descriptor), lost_(std::move(lost)) {}
  // What waits gets one last chance.
  ~LogOutput() { flush(); }
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  // A whole line with its newline. Never waits. By one thread at a time.
  void write(std::string_view line);

 private:
  void flush();
  std::string_view write_some(std::string_view octets);

  const int descriptor_;
  const std::function<std::string(std::uint64_t)> lost_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
};

}  // namespace postproof::os
