// When two messages are the same message, and two addresses the same mailbox, for the judge: relays put
// Received fields on top and change nothing else (RFC 5321 section 4.4); domains have no case (section 2.4).
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "mta/base/hash_map.h"

namespace postproof::sim {

// The content below the Received fields that stand at its top.
std::string_view below_received(std::string_view content);
// The content below the first of them only; the content itself if there is none.
std::string_view below_first_received(std::string_view content);

// The content below a Return-Path and the Received fields at its top: the trace that a message has when it is
// delivered (RFC 5321 section 4.4), as reports may give it back.
std::string_view below_trace(std::string_view content);

// The content below a Date and a Message-ID at its top: those that a submitted message lacked (RFC 6409 section 8).
std::string_view below_completion(std::string_view content);

// A CR or LF that is not part of a CRLF.
bool has_bare_newline(std::string_view content);

// "Bob@dest.example" for "Bob@DEST.example": what mailboxes are compared by.
std::string mailbox_key(std::string_view address);
// A glob over an address: its domain without case, its local-part with.
bool mailbox_matches(std::string_view pattern, std::string_view address);

// Numbers contents by what they are below the trace: equal messages get equal numbers. A bare CR or LF
// counts as a line end, and so does the content's end: who lets it in may mend it.
class Identities {
 public:
  // `completes`: an MTA of the run takes submissions, and puts on top of them what they lack (below_completion).
  explicit Identities(bool completes) : completes_(completes) {}

  // Of `content`, which outlives this; a new number if it has none.
  std::size_t of(std::string_view content);

 private:
  bool completes_;
  std::deque<std::string> mended_;
  HashMap<std::string_view, std::size_t> numbers_;
};

}  // namespace postproof::sim
