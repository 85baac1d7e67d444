// A recording as a sequence diagram for a terminal: hosts are columns with a lifeline each, time runs downwards,
// and what one host says to another is an arrow with the words beside it.
//
//         0.010s  client     sut      mx1
//         0.010s    |<--------|        |     #1 220 sut.example ESMTP Postproof
//
// "-" is SMTP, "." what opens and ends a connection, "=" a cut (RST), "x" what never arrives. "!" is a host that a
// fault is upon, no lifeline one that is down. Time that passes without a word is one line.
#pragma once

#include <cstddef>
#include <string>

#include "sim/recording/record.h"

namespace postproof::sim {

struct SequenceViewOptions {
  std::size_t width = 120;        // columns, at the most; from 80
  bool color = false;             // with the escape sequences of ECMA-48
  bool unicode = false;           // lines drawn with box characters
  std::size_t content_lines = 2;  // of a message that are shown
};

std::string sequence_view(const Recording& recording, const SequenceViewOptions& options = {});

}  // namespace postproof::sim
