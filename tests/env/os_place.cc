// The conformance suite's world on the operating system: both hosts are this one, on one event loop.
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "mta/base/check.h"
#include "mta/os/loop.h"
#include "tests/env/place.h"

namespace postproof::test {

namespace {

constexpr Duration kLimit = 60s;  // of real time, for one case: it is stuck then

class NoEvents final : public EventSink {
 public:
  void emit(const Event&) override {}
};

// Descriptors that are closed at the end of the case.
class Descriptors {
 public:
  ~Descriptors() {
    for (const int number : numbers_) ::close(number);
  }
  int add(int number) {
    PP_CHECK(number >= 0, "no descriptor");
    numbers_.push_back(number);
    return number;
  }

 private:
  std::vector<int> numbers_;
};

class OsPlace final : public Place {
 public:
  OsPlace() {
    std::string path = (std::filesystem::temp_directory_path() / "postproof-env-XXXXXX").string();
    PP_CHECK(mkdtemp(path.data()) != nullptr, "no temporary folder");
    folder_ = path;
  }
  ~OsPlace() override { std::filesystem::remove_all(folder_); }

  void run(Program near, Program far) override {
    loop_.env().clock.call_at(loop_.env().clock.mono() + kLimit,
                              [](bool alive) { PP_CHECK(!alive, "the case is stuck"); });
    loop_.run(both(loop_.env(), near, far));
  }

  std::vector<Transport> transports() const override {
    std::vector<Transport> found{Transport::ip4, Transport::unix_path};
    // A container may have no IPv6 at all.
    Descriptors open;
    sockaddr_in6 loopback{};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    const int probe = open.add(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(probe, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0) {
      found.push_back(Transport::ip6);
    } else {
      MESSAGE("no IPv6 here: its cases are left out");
    }
    return found;
  }

  Endpoint far_endpoint(Transport transport) override {
    switch (transport) {
      case Transport::ip4: return Endpoint(loopback_, 0);
      case Transport::ip6: return Endpoint(*IpAddress::parse("::1"), 0);
      case Transport::unix_path: return Endpoint::unix_path(folder_ + "/socket");
    }
    return Endpoint();
  }

  // A port that is bound, so that nobody else gets it, and not listened at.
  Endpoint unlistened(Transport transport) override {
    if (transport == Transport::unix_path) return Endpoint::unix_path(folder_ + "/nobody");
    const bool v4 = transport == Transport::ip4;
    const int bound = descriptors_.add(::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    if (v4) {
      auto* in = reinterpret_cast<sockaddr_in*>(&storage);
      in->sin_family = AF_INET;
      in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
      in6->sin6_family = AF_INET6;
      in6->sin6_addr = in6addr_loopback;
    }
    socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    PP_CHECK(bind(bound, reinterpret_cast<sockaddr*>(&storage), size) == 0, "bind");
    PP_CHECK(getsockname(bound, reinterpret_cast<sockaddr*>(&storage), &size) == 0, "getsockname");
    // The port is at the same place in both.
    const std::uint16_t port = ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
    return Endpoint(*IpAddress::parse(v4 ? "127.0.0.1" : "::1"), port);
  }

  // Linux refuses a connection to the broadcast address as it does one without a route, and sends nothing.
  Endpoint unreachable() override { return Endpoint(*IpAddress::parse("255.255.255.255"), 25); }

  // A listener whose backlog is full drops what else arrives.
  Endpoint silent() override {
    const int listening = descriptors_.add(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    PP_CHECK(bind(listening, reinterpret_cast<sockaddr*>(&at), size) == 0, "bind");
    PP_CHECK(::listen(listening, 0) == 0, "listen");
    PP_CHECK(getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size) == 0, "getsockname");
    for (int i = 0; i < 4; ++i) {
      const int filler = descriptors_.add(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      (void)::connect(filler, reinterpret_cast<sockaddr*>(&at), size);
    }
    return Endpoint(loopback_, ntohs(at.sin_port));
  }

  Endpoint foreign() override { return Endpoint(*IpAddress::parse("192.0.2.77"), 0); }
  IpAddress near_address() override { return loopback_; }
  IpAddress second_near_address() override { return *IpAddress::parse("127.0.0.3"); }
  std::string folder() override { return folder_ + "/case"; }

 private:
  static Task<void> both(Env& env, const Program& near, const Program& far) {
    TaskGroup group(env.executor);
    group.spawn(far(env));
    group.spawn(near(env));
    co_await group.join();
  }

  const IpAddress loopback_ = *IpAddress::parse("127.0.0.1");
  std::string folder_;
  Descriptors descriptors_;
  NoEvents events_;
  os::Workers workers_{2};
  os::Loop loop_{events_, workers_};
};

}  // namespace

std::unique_ptr<Place> make_place() { return std::make_unique<OsPlace>(); }

}  // namespace postproof::test
