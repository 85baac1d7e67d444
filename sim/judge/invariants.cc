#include "sim/judge/invariants.h"

#include <fmt/format.h>

namespace postproof::sim {

void Breaches::add(std::string found, std::vector<std::size_t> records) {
  if (++found_ > kToldMax) return;
  last_ = failures_.size();
  failures_.push_back(Failure{0, "invariant: " + invariant_, wanted_, std::move(found), std::move(records)});
}

Breaches::~Breaches() {
  if (found_ > kToldMax) failures_[last_].nearest += fmt::format("; and {} more", found_ - kToldMax);
}

}  // namespace postproof::sim
