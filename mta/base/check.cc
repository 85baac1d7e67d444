#include "mta/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace postproof {

namespace {
thread_local CrashHook crash_hook = nullptr;
}

void set_crash_hook(CrashHook hook) { crash_hook = hook; }

void check_failed(const char* expression, std::string_view what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s: %.*s\n", file, line, expression, static_cast<int>(what.size()),
               what.data());
  if (crash_hook != nullptr) crash_hook();
  std::abort();
}

}  // namespace postproof
