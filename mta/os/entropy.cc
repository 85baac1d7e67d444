#include "mta/os/entropy.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "mta/base/check.h"

namespace postproof::os {

namespace {

class OsRandom final : public Random {
 public:
  std::uint64_t next() override {
    if (next_ == draws_.size()) refill();
    // What was given out is not kept.
    return std::exchange(draws_[next_++], 0);
  }

 private:
  void refill() {
    // Up to 256 octets come whole and without interruption once the generator has started (getrandom(2)).
    ssize_t got;
    do {
      got = getrandom(draws_.data(), sizeof draws_, 0);
    } while (got < 0 && errno == EINTR);
    PP_CHECK(got == static_cast<ssize_t>(sizeof draws_), "getrandom failed");
    next_ = 0;
  }

  std::array<std::uint64_t, 32> draws_{};
  std::size_t next_ = draws_.size();
};

}  // namespace

// All names share the one generator: its draws are independent anyhow.
std::unique_ptr<Random> OsEntropy::stream(std::string_view) { return std::make_unique<OsRandom>(); }

}  // namespace postproof::os
