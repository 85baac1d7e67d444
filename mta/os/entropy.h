// Randomness from the operating system's generator (getrandom).
#pragma once

#include "mta/env/random.h"

namespace postproof::os {

class OsEntropy final : public Entropy {
 public:
  std::unique_ptr<Random> stream(std::string_view name) override;
};

}  // namespace postproof::os
