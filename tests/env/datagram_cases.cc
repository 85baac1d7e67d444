// Conformance: datagrams (env/network.h).
#include "tests/env/place.h"

namespace postproof::test {

namespace {

using Received = Result<Datagram::Received>;

Deadline soon(Env& env) { return env.clock.mono() + 10s; }

}  // namespace

TEST_CASE("datagram: arrives whole, and the answer finds its way back") {
  const auto place = make_place();
  std::optional<Endpoint> at;
  place->run(
      [&](Env& env) -> Task<void> {
        while (!at) co_await sleep_for(env, 1ms);
        auto socket = env.network.open_datagram(Endpoint(place->near_address(), 0));
        if (!good(socket)) co_return;
        CHECK((*socket)->local().port() != 0);
        const Result<void> sent = co_await not_inline(env, (*socket)->send_to("question", *at, soon(env)));
        good(sent);
        char buffer[64];
        const Received got = co_await (*socket)->receive(std::span(buffer), soon(env));
        if (!good(got)) co_return;
        CHECK(std::string_view(buffer, got->size) == "answer");
        CHECK(got->from == *at);
      },
      [&](Env& env) -> Task<void> {
        auto socket = env.network.open_datagram(place->far_endpoint(Transport::ip4));
        if (!good(socket)) co_return;
        at = (*socket)->local();
        char buffer[64];
        const Received got = co_await (*socket)->receive(std::span(buffer), soon(env));
        if (!good(got)) co_return;
        CHECK(std::string_view(buffer, got->size) == "question");
        const Result<void> sent = co_await (*socket)->send_to("answer", got->from, soon(env));
        good(sent);
      });
}

TEST_CASE("datagram: one a read; what does not fit is cut off") {
  const auto place = make_place();
  std::optional<Endpoint> at;
  place->run(
      [&](Env& env) -> Task<void> {
        while (!at) co_await sleep_for(env, 1ms);
        auto socket = env.network.open_datagram(Endpoint(place->near_address(), 0));
        if (!good(socket)) co_return;
        for (const std::string_view text : {"0123456789", "next", "last"}) {
          const Result<void> sent = co_await (*socket)->send_to(text, *at, soon(env));
          good(sent);
        }
      },
      [&](Env& env) -> Task<void> {
        auto socket = env.network.open_datagram(place->far_endpoint(Transport::ip4));
        if (!good(socket)) co_return;
        at = (*socket)->local();
        co_await sleep_for(env, 20ms);
        for (const std::string_view text : {"01234", "next", "last"}) {
          char buffer[5];
          const Received got = co_await not_inline(env, (*socket)->receive(std::span(buffer), soon(env)));
          if (!good(got)) co_return;
          CHECK(std::string_view(buffer, got->size) == text);
        }
      });
}

TEST_CASE("datagram: the deadline ends a receive, which may be repeated; close ends it with closed") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    auto socket = env.network.open_datagram(Endpoint(place->near_address(), 0));
    if (!good(socket)) co_return;
    char buffer[8];
    for (int i = 0; i < 2; ++i) {
      const Deadline deadline = env.clock.mono() + 10ms;
      const Received got = co_await (*socket)->receive(std::span(buffer), deadline);
      failed_with(Errc::timed_out, got);
      CHECK(env.clock.mono() >= deadline);
    }
    std::optional<Received> got;
    TaskGroup group(env.executor);
    group.spawn([](Datagram& from, std::span<char> into, std::optional<Received>& result) -> Task<void> {
      result.emplace(co_await from.receive(into, kNever));
    }(**socket, std::span(buffer), got));
    co_await sleep_for(env, 5ms);
    (*socket)->close();
    CHECK(!got.has_value());
    co_await group.join();
    failed_with(Errc::closed, *got);
    const Received later = co_await (*socket)->receive(std::span(buffer), kNever);
    failed_with(Errc::closed, later);
    const Result<void> sent = co_await (*socket)->send_to("x", Endpoint(place->near_address(), 9), soon(env));
    failed_with(Errc::closed, sent);
  });
}

TEST_CASE("datagram: to where nobody listens it is lost without a word") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    auto socket = env.network.open_datagram(Endpoint(place->near_address(), 0));
    if (!good(socket)) co_return;
    const Endpoint nobody = place->unlistened(Transport::ip4);
    char buffer[8];
    for (int i = 0; i < 3; ++i) {
      const Result<void> sent = co_await (*socket)->send_to("x", nobody, soon(env));
      good(sent);
      const Received got = co_await (*socket)->receive(std::span(buffer), env.clock.mono() + 10ms);
      failed_with(Errc::timed_out, got);
    }
  });
}

TEST_CASE("datagram: in use, not an address of this host, and a port of its own each time") {
  const auto place = make_place();
  const Endpoint foreign = place->foreign();
  place->run([&](Env& env) -> Task<void> {
    const auto first = env.network.open_datagram(Endpoint(place->near_address(), 0));
    const auto second = env.network.open_datagram(Endpoint(place->near_address(), 0));
    if (!good(first) || !good(second)) co_return;
    CHECK((*first)->local() != (*second)->local());
    const auto taken = env.network.open_datagram((*first)->local());
    failed_with(Errc::in_use, taken);
    const auto elsewhere = env.network.open_datagram(foreign);
    failed_with(Errc::invalid, elsewhere);
  });
}

}  // namespace postproof::test
