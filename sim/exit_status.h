// What the program ends with.
#pragma once

namespace postproof::sim {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;   // a scenario failed, or the thing asked about is not so
inline constexpr int kExitTrouble = 2;  // usage, an invalid file, trouble with the operating system

}  // namespace postproof::sim
