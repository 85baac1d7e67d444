// Records of a spool whose disk has gone bad: what is read is written again as the same octets.
#include "mta/queue/journal_records.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets = fuzz::octets(data, size);
  namespace journal = queue::journal;
  if (const auto meta = journal::decode_commit(octets)) {
    PP_CHECK(journal::decode_commit(journal::encode_commit(*meta)).has_value(), "a commit that is not read back");
  }
  if (const auto changes = journal::decode_changes(octets)) {
    PP_CHECK(journal::encode_changes(*changes) == octets, "changes that are others when written");
  }
  if (const auto bounds = journal::decode_bounds(octets)) {
    PP_CHECK(journal::encode_bounds(*bounds) == octets, "bounds that are others when written");
  }
  journal::decode_message_and_changes(octets);
  journal::decode_progress(octets);
  return 0;
}
