// A recording as people read it: a conversation. One line a record, or a line a line of SMTP: virtual
// time, who, to whom, what. "sut > mx1" is an octet's way from the opener, "sut < mx1" the way back.
#pragma once

#include <cstddef>
#include <string>

#include "sim/recording/record.h"

namespace postproof::sim {

struct TextViewOptions {
  bool disk = false;              // disk operations too
  std::size_t width = 150;        // columns of a line, at the most; longer texts are cut with "..."
  std::size_t content_lines = 4;  // of a message that are shown; then "... N octets"
};

// The whole transcript, a header first; of a run that failed, its report next.
std::string text_view(const Recording& recording, const TextViewOptions& options = {});

// Which run this is, over which of its views: path, variant, seed, start, title. Two lines.
std::string view_heading(const Recording& recording);

// One record as one line, without a line end; what octets hold is shown with " | " between their lines.
// `index` is a record's, as reports say "event N".
std::string text_line(const Recording& recording, std::size_t index, std::size_t width = 150);

}  // namespace postproof::sim
