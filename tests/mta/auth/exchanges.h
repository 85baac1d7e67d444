// What tests of exchanges share: a file on a real disk, and steps in a row.
#pragma once

#include <string>
#include <utility>

#include "mta/auth/exchange.h"
#include "tests/env/place.h"

namespace postproof::test {

// Replaces what stands there.
inline Task<void> put_file(Env& env, std::string path, std::string text) {
  static_cast<void>(co_await env.disk.unlink(path));
  auto file = co_await env.disk.open(path, OpenMode::create_new);
  if (!good(file)) co_return;
  const auto written = co_await (*file)->write_at(0, text);
  good(written);
}

inline std::string with_nuls(std::string text) {
  for (char& c : text) {
    if (c == '|') c = '\0';
  }
  return text;
}

// "challenge OCTETS", "success LOGIN", "credentials WHY", "malformed WHY", ...
inline std::string text_of(const auth::Step& step) {
  if (const auto* challenge = std::get_if<auth::Challenge>(&step)) return "challenge " + challenge->octets;
  if (const auto* success = std::get_if<auth::Success>(&step)) return "success " + success->login;
  const auto& failure = std::get<auth::Failure>(step);
  switch (failure.refusal) {
    case auth::Refusal::credentials: return "credentials " + failure.why;
    case auth::Refusal::malformed: return "malformed " + failure.why;
    case auth::Refusal::unsupported: return "unsupported " + failure.why;
    case auth::Refusal::temporary: return "temporary " + failure.why;
  }
  return "nothing";
}

inline Task<std::string> one_step(auth::Exchange& exchange, std::optional<std::string> response) {
  const auth::Step step = co_await exchange.step(std::move(response));
  co_return text_of(step);
}

}  // namespace postproof::test
