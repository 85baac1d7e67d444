#include "mta/auth/prepare.h"

#include <stringprep.h>

#include <cstdlib>
#include <memory>

namespace postproof::auth {

std::optional<std::string> prepare(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  char* made = nullptr;
  const int code = stringprep_profile(terminated.c_str(), &made, "SASLprep", STRINGPREP_NO_UNASSIGNED);
  const std::unique_ptr<char, decltype(&std::free)> owner(made, &std::free);
  if (code != STRINGPREP_OK || made == nullptr || *made == '\0') return std::nullopt;
  return std::string(made);
}

}  // namespace postproof::auth
