#include "sim/scenario/fault_keys.h"

namespace postproof::sim {

std::vector<FaultKind> disk_fault_kinds() {
  return {
      {"disk.enospc", {kMta}, {kOperation, kPath, kNth, kFor}},
      {"disk.eio", {kMta}, {kOperation, kPath, kNth, kFor}},
  };
}

}  // namespace postproof::sim
