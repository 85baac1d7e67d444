// Listening sockets of the kinds that only the operating system has: Unix paths and inherited ones.
#include "mta/os/listener.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "mta/os/loop.h"
#include "mta/os/sockaddr.h"
#include "tests/mta/os/no_events.h"

namespace postproof::os {
namespace {

struct Fixture {
  Fixture() {
    std::string path = (std::filesystem::temp_directory_path() / "postproof-os-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    folder = path;
  }
  ~Fixture() { std::filesystem::remove_all(folder); }

  std::string folder;
  NoEvents events;
  Workers workers{1};
  Loop loop{events, workers};
  Env& env = loop.env();
};

int raw_unix_listener(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = to_socket_address(Endpoint::unix_path(path));
  REQUIRE(bind(descriptor, address->get(), address->size) == 0);
  REQUIRE(::listen(descriptor, 0) == 0);
  return descriptor;
}

TEST_CASE_FIXTURE(Fixture, "unix: mode 0600, and gone after close") {
  const Endpoint at = Endpoint::unix_path(folder + "/s");
  auto listener = env.network.listen(at);
  REQUIRE(listener.has_value());
  CHECK((*listener)->local() == at);
  struct stat found;
  REQUIRE(stat(at.path().c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
  (*listener)->close();
  CHECK(!std::filesystem::exists(at.path()));
}

TEST_CASE_FIXTURE(Fixture, "unix: a socket that a killed process left is replaced, a live one and a file are not") {
  const std::string path = folder + "/s";
  const Endpoint at = Endpoint::unix_path(path);
  const int left = raw_unix_listener(path);
  CHECK(env.network.listen(at).error().code == Errc::in_use);
  ::close(left);
  CHECK(env.network.listen(at).has_value());  // and closed again

  { std::ofstream(path) << "a file"; }
  CHECK(env.network.listen(at).error().code == Errc::in_use);
  CHECK(std::filesystem::is_regular_file(path));
  CHECK(env.network.listen(Endpoint::unix_path(std::string(200, 'x'))).error().code == Errc::invalid);
  CHECK(env.network.listen(Endpoint::unix_path(folder + "/none/s")).error().code == Errc::invalid);
}

TEST_CASE_FIXTURE(Fixture, "unix: a listener whose backlog is full refuses") {
  const std::string path = folder + "/s";
  const int listening = raw_unix_listener(path);
  const auto dial = [&]() -> Task<void> {
    std::vector<std::unique_ptr<Stream>> kept;
    std::optional<Error> error;
    for (int i = 0; i < 4 && !error; ++i) {
      auto stream = co_await env.network.connect(Endpoint::unix_path(path), std::nullopt, env.clock.mono() + 2s);
      if (stream) {
        kept.push_back(std::move(*stream));
      } else {
        error = stream.error();
      }
    }
    CHECK(!kept.empty());
    CHECK((error && error->code == Errc::refused));
  };
  loop.run(dial());
  ::close(listening);
}

TEST_CASE_FIXTURE(Fixture, "inherited: a listening socket is taken as it is; its number stays with its owner") {
  const int inherited = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  const int off = 0;
  if (inherited < 0 || setsockopt(inherited, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0 ||
      bind(inherited, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    MESSAGE("no IPv6 here");
    return;
  }
  const Endpoint at = Endpoint::inherited(static_cast<std::uint16_t>(inherited));
  CHECK(env.network.listen(at).error().code == Errc::invalid);  // bound, and not listening
  REQUIRE(::listen(inherited, 4) == 0);
  const auto serve = [&]() -> Task<void> {
    for (int round = 0; round < 2; ++round) {
      auto listener = env.network.listen(at);
      REQUIRE(listener.has_value());
      const std::uint16_t port = (*listener)->local().port();
      CHECK(port != 0);
      const Endpoint v4(*IpAddress::parse("127.0.0.1"), port);
      auto near = co_await env.network.connect(v4, std::nullopt, env.clock.mono() + 2s);
      REQUIRE(near.has_value());
      auto far = co_await (*listener)->accept();
      REQUIRE(far.has_value());
      // A dual-stack socket: the IPv4 client is seen as one.
      CHECK((*far)->peer() == (*near)->local());
      CHECK((*far)->local() == v4);
      (*listener)->close();
    }
  };
  loop.run(serve());
  ::close(inherited);
}

TEST_CASE_FIXTURE(Fixture, "inherited: what is no socket, or nothing at all, is told") {
  CHECK(env.network.listen(Endpoint::inherited(0)).error().code == Errc::invalid);
  CHECK(env.network.listen(Endpoint::inherited(999)).error().code == Errc::invalid);
}

TEST_CASE_FIXTURE(Fixture, "shared: another loop of the process listens at the same endpoint, and goes on alone") {
  Loop second(events, workers);
  auto first = env.network.listen(Endpoint(*IpAddress::parse("127.0.0.1"), 0));
  REQUIRE(first.has_value());
  const Endpoint at = (*first)->local();
  CHECK(env.network.listen(at).error().code == Errc::in_use);
  auto shared = second.env().network.listen(at);
  REQUIRE(shared.has_value());
  CHECK((*shared)->local() == at);
  CHECK(second.env().network.listen(at).error().code == Errc::in_use);
  (*first)->close();
  const auto serve = [&]() -> Task<void> {
    const auto near = co_await second.env().network.connect(at, std::nullopt, second.env().clock.mono() + 2s);
    REQUIRE(near.has_value());
    const auto far = co_await (*shared)->accept();
    CHECK(far.has_value());
  };
  second.run(serve());
}

TEST_CASE_FIXTURE(Fixture, "accept: goes on when descriptors run out and come back") {
  auto listener = env.network.listen(Endpoint(*IpAddress::parse("127.0.0.1"), 0));
  REQUIRE(listener.has_value());
  const auto serve = [&]() -> Task<void> {
    auto near = co_await env.network.connect((*listener)->local(), std::nullopt, env.clock.mono() + 2s);
    REQUIRE(near.has_value());
    std::vector<int> hoard;
    for (int fd = dup(0); fd >= 0 && hoard.size() < 100'000; fd = dup(0)) hoard.push_back(fd);
    const auto none = co_await (*listener)->accept();
    for (const int fd : hoard) ::close(fd);
    CHECK(none.error().code == Errc::io);
    CHECK(none.error().what.find("too many open files") != std::string::npos);
    const auto far = co_await (*listener)->accept();
    CHECK(far.has_value());
  };
  loop.run(serve());
}

}  // namespace
}  // namespace postproof::os
