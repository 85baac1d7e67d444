#include "tests/env/place.h"

#include <fmt/format.h>

namespace postproof::test {

namespace {

constexpr Duration kPatience = 10s;  // far more than any case needs

std::string name_of(Transport transport) {
  switch (transport) {
    case Transport::ip4: return "IPv4";
    case Transport::ip6: return "IPv6";
    case Transport::unix_path: return "Unix";
  }
  return "";
}

Task<void> dial(Env& env, const std::optional<Endpoint>& at, const bool& failed, const Half& half) {
  while (!at && !failed) co_await sleep_for(env, 1ms);
  if (failed) co_return;
  auto stream = co_await env.network.connect(*at, std::nullopt, env.clock.mono() + kPatience);
  if (!good(stream)) co_return;
  auto dressed = co_await dress(env, std::move(*stream), true);
  if (dressed) co_await half(env, std::move(dressed));
}

Task<void> serve(Env& env, Endpoint where, std::optional<Endpoint>& at, bool& failed, const Half& half) {
  auto listener = env.network.listen(where);
  if (!good(listener)) {
    failed = true;
    co_return;
  }
  at = (*listener)->local();
  auto stream = co_await (*listener)->accept();
  if (!good(stream)) co_return;
  auto dressed = co_await dress(env, std::move(*stream), false);
  if (dressed) co_await half(env, std::move(dressed));
}

Task<void> nothing(Env&) { co_return; }

void run_over(Transport transport, const Half& near, const Half& far) {
  INFO("over ", name_of(transport));
  const auto place = make_place();
  run_pair(*place, transport, near, far);
}

}  // namespace

void Place::run(Program near) { run(std::move(near), nothing); }

Task<void> sleep_for(Env& env, Duration duration) {
  const Woken woken = co_await sleep_until(env, env.clock.mono() + duration);
  CHECK(woken == Woken::deadline);
}

void run_pair(Place& place, Transport transport, Half near, Half far) {
  std::optional<Endpoint> at;
  bool failed = false;
  place.run([&](Env& env) { return dial(env, at, failed, near); },
            [&](Env& env) { return serve(env, place.far_endpoint(transport), at, failed, far); });
}

void for_each_transport(Half near, Half far) {
  for (const Transport transport : make_place()->transports()) run_over(transport, near, far);
}

void for_each_ip_transport(Half near, Half far) {
  for (const Transport transport : make_place()->transports()) {
    if (transport != Transport::unix_path) run_over(transport, near, far);
  }
}

Task<Result<std::string>> read_up_to(Stream& stream, std::size_t size, Deadline deadline) {
  std::string octets;
  std::string buffer(16 * 1024, '\0');
  while (octets.size() < size) {
    const std::size_t most = std::min(buffer.size(), size - octets.size());
    const Result<std::size_t> got = co_await stream.read_some(std::span(buffer.data(), most), deadline);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    octets.append(buffer, 0, *got);
  }
  co_return octets;
}

std::string numbered(std::size_t size) {
  std::string text;
  text.reserve(size + 8);
  while (text.size() < size) text += fmt::format("{:07} ", text.size());
  text.resize(size);
  return text;
}

}  // namespace postproof::test
