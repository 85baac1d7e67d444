// An EventSink for tests that look at something else.
#pragma once

#include "mta/env/env.h"

namespace postproof::os {

class NoEvents final : public EventSink {
 public:
  void emit(const Event&) override {}
};

}  // namespace postproof::os
