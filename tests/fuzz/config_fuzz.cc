// Configurations: each is read, or complained of.
#include "mta/config.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Problems problems("relay.toml");
  const Config config = parse_config(fuzz::octets(data, size), problems);
  PP_CHECK(!problems.empty() || !config.hostname.empty(), "a configuration without a name");
  for (const Problem& problem : problems.list()) {
    PP_CHECK(problem.to_string().find('\n') == std::string::npos, "a complaint of two lines");
  }
  return 0;
}
