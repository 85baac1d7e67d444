// Failed logins by client address.
#include "mta/auth/failures.h"

#include <doctest/doctest.h>

using namespace postproof;
using auth::Failures;

namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

}  // namespace

TEST_CASE("failures: counted by address whatever the port, an IPv6 /64 as one, and forgotten with time") {
  Failures failures;
  const MonoTime start = MonoTime{} + 1h;
  CHECK(failures.note(at("192.0.2.1:1000"), start) == 1);
  CHECK(failures.note(at("192.0.2.1:2000"), start + 1s) == 2);
  CHECK(failures.note(at("192.0.2.2:1000"), start + 1s) == 1);
  CHECK(failures.note(at("[2001:db8::1]:1"), start) == 1);
  CHECK(failures.note(at("[2001:db8::ffff:1]:1"), start) == 2);
  CHECK(failures.note(at("[2001:db8:0:1::1]:1"), start) == 1);
  CHECK(failures.count(at("192.0.2.1:3"), start + 2s) == 2);
  CHECK(failures.count(at("192.0.2.1:3"), start + 1s + Failures::kMemory) == 2);
  CHECK(failures.count(at("192.0.2.1:3"), start + 2s + Failures::kMemory) == 0);
  CHECK(failures.note(at("192.0.2.1:3"), start + 2s + Failures::kMemory) == 1);
  CHECK(failures.count(at("192.0.2.9:3"), start) == 0);
  CHECK(failures.note(at("unix:/run/socket"), start) == 1);
  CHECK(failures.note(at("unix:/run/socket"), start) == 1);
}

TEST_CASE("failures: the oldest go when there are too many") {
  Failures failures;
  const MonoTime start = MonoTime{} + 1h;
  const auto nth = [](std::size_t i) {
    return Endpoint(IpAddress::v4({10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}), 1);
  };
  for (std::size_t i = 0; i <= Failures::kClientsMax; ++i) failures.note(nth(i), start + std::chrono::milliseconds(i));
  CHECK(failures.count(nth(0), start + 20s) == 0);
  CHECK(failures.count(nth(1), start + 20s) == 1);
  CHECK(failures.count(nth(Failures::kClientsMax), start + 20s) == 1);
}
