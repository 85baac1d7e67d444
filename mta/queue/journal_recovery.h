// Reads a whole journal: what messages are ours, and what state each recipient is in. Changes nothing on
// the disk; JournalSpool acts on what is found here.
//
// Records are taken in their order, oldest segment first; of each message the newest state counts. Only
// the newest segment with records may end in a torn tail, and it is cut there. Damage anywhere else is
// data that was ours: what can be read is kept, and the segment is to be set aside.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mta/env/env.h"
#include "mta/queue/journal_state.h"

namespace postproof::queue::journal {

struct Recovered {
  std::uint64_t spool = 0;        // 0: no segment was there to tell
  std::uint64_t next_number = 1;  // of segments: higher than that of any file
  std::uint64_t mark = 1;         // sequence numbers of ids from here on were never given out
  std::map<MessageId, Kept> messages;
  SegmentTable segments;
  std::vector<Cut> cuts;                 // void parts of segments that are still there
  std::vector<std::uint64_t> leftovers;  // segments without a record: to be removed

  // A segment that is to be set aside.
  struct Bad {
    std::uint64_t number = 0;
    bool readable = false;        // it has a header; what it held is told below
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
