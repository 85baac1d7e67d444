// Checks of invariants, on in production too: a failed one is a programmer's error, never bad input.
// PP_CHECK(size <= limit, "chunk over its limit");
#pragma once

#include <string_view>

namespace postproof {

// Prints the text, place and what the crash hook adds (the tail of the trace), then aborts.
[[noreturn]] void check_failed(const char* expression, std::string_view what, const char* file, int line);

// What check_failed calls before it aborts: prints what was going on. One a thread; null takes it away.
using CrashHook = void (*)();
void set_crash_hook(CrashHook hook);

}  // namespace postproof

#define PP_CHECK(condition, what) \
  ((condition) ? void(0) : ::postproof::check_failed(#condition, what, __FILE__, __LINE__))
