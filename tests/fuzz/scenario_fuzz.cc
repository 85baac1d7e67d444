// Scenarios: each is read, or complained of where it is wrong.
#include "sim/scenario/load.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = sim::load_variants("fuzz.toml", fuzz::octets(data, size));
  if (loaded) {
    PP_CHECK(!loaded->empty(), "a scenario without variants");
    return 0;
  }
  PP_CHECK(!loaded.error().empty(), "refused without a word");
  for (const Problem& problem : loaded.error()) {
    PP_CHECK(problem.to_string().find('\n') == std::string::npos, "a complaint of two lines");
  }
  return 0;
}
