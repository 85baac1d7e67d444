#include "mta/base/event.h"

namespace postproof {

std::string_view event_name(const Event& event) {
  return std::visit([](const auto& e) { return e.kName; }, event);
}

}  // namespace postproof
