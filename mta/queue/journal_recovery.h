// Reads a whole journal: what messages are ours, and what state each recipient is in. Changes nothing on
// the disk; JournalSpool acts on what is found here.
//
// Records are taken in their order, oldest segment first; of each message the newest state counts. Only
// the newest segment in use may end in a torn tail, and it is cut there. An older one is sealed, or a newer
// one says from where on it is void. Anything else is damage, to data that was ours: what can be read is kept,
// and the segment is to be set aside.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/queue/journal_state.h"

namespace postproof::queue::journal {

// A segment in use that has room and no damage: the journal goes on where its records end.
struct OpenSegment {
  SegmentHeader header;
  std::vector<Entry> entries;
  std::uint64_t end = 0;
  bool blank_end = false;  // nothing void stands behind that
};

struct Recovered {
  std::uint64_t spool = 0;        // 0: no segment was there to tell
  std::uint64_t next_number = 1;  // of segments: higher than that of any file
  std::uint64_t mark = 1;         // sequence numbers of ids from here on were never given out
  std::map<MessageId, Kept> messages;
  SegmentTable segments;
  std::vector<Cut> cuts;                 // void parts of segments that are still there
  std::uint64_t newest = 0;              // the newest segment in use, whose last octets may not be synced; 0: none
  std::optional<OpenSegment> open;       // that segment, if the journal can go on in it
  std::optional<SegmentHeader> reserve;  // a newer one that was made ahead
  std::vector<std::uint64_t> leftovers;  // others that never came into use: to be removed
  bool set_aside_before = false;         // a *.bad file is there

  // A segment that is to be set aside.
  struct Bad {
    std::uint64_t number = 0;
    std::set<MessageId> touched;  // messages that its records are about
    std::vector<Entry> unknown;   // records of unknown types, to be kept
  };
  std::vector<Bad> bad;
  std::vector<std::string> trouble;  // for the operator: one line each
  std::vector<std::string> notes;    // likewise, of what is no loss
};

// Errors: of the disk; wrong_version.
Task<Result<Recovered>> recover_journal(Env& env, std::string directory, std::uint16_t node);

}  // namespace postproof::queue::journal
