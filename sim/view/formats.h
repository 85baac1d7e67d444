// The views of a recording by the names under which `postproof show --as` gives them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "mta/base/result.h"
#include "sim/recording/record.h"

namespace postproof::sim {

inline constexpr std::array<std::string_view, 6> kViewFormats = {"text", "sequence", "json", "html", "pcap", "keys"};

// What of a view depends on where it is read.
struct ViewSurface {
  std::size_t width = 120;  // columns of a terminal
  bool color = false, unicode = false;
};

// `format` is one of kViewFormats.
Result<std::string> make_view(const Recording& recording, std::string_view format, const ViewSurface& surface);

}  // namespace postproof::sim
