#include "sim/recording/record.h"

#include <string_view>

namespace postproof::sim::record {

const std::string* MtaEvent::find(std::string_view key) const {
  for (const auto& [field, value] : fields) {
    if (field == key) return &value;
  }
  return nullptr;
}

}  // namespace postproof::sim::record
