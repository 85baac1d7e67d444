// A small file, whole: configuration, keys, passwords.
#pragma once

#include <cstdint>
#include <string>

#include "mta/env/disk.h"

namespace postproof {

// Errors of the disk, and Errc::too_large: over `max` octets.
Task<Result<std::string>> read_file(Disk& disk, std::string path, std::uint64_t max);

}  // namespace postproof
