#include "sim/scenario/fault_keys.h"

namespace postproof::sim {

std::vector<FaultKind> tcp_fault_kinds() {
  return {
      {"tcp.refuse", {kHost}, {kPort, kFor}},
      {"tcp.unreachable", {kHost}, {kPort, kFor}},
      {"tcp.blackhole", {kHost}, {kPort, kFor}},
      {"tcp.silent", {kHost}, {kPort, kFor}},
      {"tcp.reset", {kHost}, {}, strike_at_once},
      {"tcp.partition", {kHost, kWith}, {kFor}},
  };
}

}  // namespace postproof::sim
