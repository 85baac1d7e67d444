// A file of the operating system, as env/disk.h's File.
//
// Everything that may wait for the disk runs on a worker thread. Reads try preadv2(RWF_NOWAIT) first,
// which gives what the page cache holds for a tenth of the price of the way to a worker and back.
#pragma once

#include <memory>
#include <string>

#include "mta/env/disk.h"
#include "mta/os/core.h"

namespace postproof::os {

// Takes the descriptor over. `path` is for error texts.
std::unique_ptr<File> make_file(Core& core, int descriptor, std::string path);

}  // namespace postproof::os
