// Keys that several kinds of faults take.
#pragma once

#include "sim/scenario/fault_kinds.h"

namespace postproof::sim {

void read_fault_host(const FaultReading& reading, Fault& fault);
void read_fault_mta(const FaultReading& reading, Fault& fault);
void read_fault_with(const FaultReading& reading, Fault& fault);
void read_fault_port(const FaultReading& reading, Fault& fault);
void read_fault_for(const FaultReading& reading, Fault& fault);
void read_fault_name(const FaultReading& reading, Fault& fault);
void read_fault_path(const FaultReading& reading, Fault& fault);
void read_fault_operation(const FaultReading& reading, Fault& fault);
void read_fault_nth(const FaultReading& reading, Fault& fault);

inline constexpr FaultKey kHost{"host", read_fault_host};  // any
inline constexpr FaultKey kMta{"host", read_fault_mta};    // an MTA
inline constexpr FaultKey kWith{"with", read_fault_with};
inline constexpr FaultKey kPort{"port", read_fault_port};
inline constexpr FaultKey kFor{"for", read_fault_for};
inline constexpr FaultKey kName{"name", read_fault_name};
inline constexpr FaultKey kPath{"path", read_fault_path};
inline constexpr FaultKey kOperation{"operation", read_fault_operation};
inline constexpr FaultKey kNth{"nth", read_fault_nth};

}  // namespace postproof::sim
