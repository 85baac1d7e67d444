// Conformance: dialing and listening (env/network.h, env/stream.h's Listener).
#include "tests/env/place.h"

namespace postproof::test {

namespace {

using Connected = Result<std::unique_ptr<Stream>>;

}  // namespace

TEST_CASE("connect: refused where nobody listens, and not inline") {
  for (const Transport transport : make_place()->transports()) {
    const auto place = make_place();
    const Endpoint nobody = place->unlistened(transport);
    place->run([&](Env& env) -> Task<void> {
      const Connected stream =
          co_await not_inline(env, env.network.connect(nobody, std::nullopt, env.clock.mono() + 10s));
      failed_with(Errc::refused, stream);
      if (!stream) CHECK(stream.error().what.find(nobody.to_string()) != std::string::npos);
    });
  }
}

TEST_CASE("connect: unreachable where no route leads") {
  const auto place = make_place();
  const Endpoint nowhere = place->unreachable();
  place->run([&](Env& env) -> Task<void> {
    const Connected stream =
        co_await not_inline(env, env.network.connect(nowhere, std::nullopt, env.clock.mono() + 10s));
    failed_with(Errc::unreachable, stream);
  });
}

TEST_CASE("connect: the deadline ends it") {
  const auto place = make_place();
  const Endpoint silent = place->silent();
  place->run([&](Env& env) -> Task<void> {
    const Deadline deadline = env.clock.mono() + 60ms;
    const Connected stream = co_await env.network.connect(silent, std::nullopt, deadline);
    failed_with(Errc::timed_out, stream);
    CHECK(env.clock.mono() >= deadline);
    CHECK(env.clock.mono() < deadline + 5s);
  });
}

TEST_CASE("connect: an inherited descriptor is nothing to connect to") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const Connected stream =
        co_await not_inline(env, env.network.connect(Endpoint::inherited(3), std::nullopt, kNever));
    failed_with(Errc::invalid, stream);
  });
}

TEST_CASE("connect: from the local address that is asked for") {
  const auto place = make_place();
  std::optional<Endpoint> at;
  Endpoint seen;
  place->run(
      [&](Env& env) -> Task<void> {
        while (!at) co_await sleep_for(env, 1ms);
        const IpAddress from = place->second_near_address();
        const Connected stream = co_await env.network.connect(*at, from, env.clock.mono() + 10s);
        if (!good(stream)) co_return;
        CHECK((*stream)->local().address() == from);
        char octet;
        const Result<std::size_t> end = co_await (*stream)->read_some(std::span(&octet, 1), env.clock.mono() + 10s);
        good(end);
        CHECK(seen == (*stream)->local());
      },
      [&](Env& env) -> Task<void> {
        auto listener = env.network.listen(place->far_endpoint(Transport::ip4));
        if (!good(listener)) co_return;
        at = (*listener)->local();
        const Connected stream = co_await (*listener)->accept();
        if (good(stream)) seen = (*stream)->peer();
      });
}

TEST_CASE("listen: port 0 becomes the port that was given; connections wait to be accepted, in order") {
  const auto place = make_place();
  std::optional<Endpoint> at;
  place->run(
      [&](Env& env) -> Task<void> {
        while (!at) co_await sleep_for(env, 1ms);
        std::vector<std::unique_ptr<Stream>> streams;
        for (const std::string_view name : {"1", "2", "3"}) {
          Connected stream = co_await env.network.connect(*at, std::nullopt, env.clock.mono() + 10s);
          if (!good(stream)) co_return;
          const Result<void> sent = co_await (*stream)->write_all(name, env.clock.mono() + 10s);
          good(sent);
          streams.push_back(std::move(*stream));
        }
        char octet;
        const Result<std::size_t> end = co_await streams[2]->read_some(std::span(&octet, 1), env.clock.mono() + 10s);
        good(end);
      },
      [&](Env& env) -> Task<void> {
        auto listener = env.network.listen(place->far_endpoint(Transport::ip4));
        if (!good(listener)) co_return;
        CHECK((*listener)->local().port() != 0);
        at = (*listener)->local();
        co_await sleep_for(env, 50ms);
        for (const std::string_view name : {"1", "2", "3"}) {
          const Connected stream = co_await not_inline(env, (*listener)->accept());
          if (!good(stream)) co_return;
          const Result<std::string> got = co_await read_up_to(**stream, 1, env.clock.mono() + 10s);
          if (good(got)) CHECK(*got == name);
        }
      });
}

TEST_CASE("listen: in use, and not an address of this host") {
  const auto place = make_place();
  const IpAddress here = place->near_address();
  const Endpoint foreign = place->foreign();
  place->run([&](Env& env) -> Task<void> {
    const auto first = env.network.listen(Endpoint(here, 0));
    if (!good(first)) co_return;
    const auto second = env.network.listen((*first)->local());
    failed_with(Errc::in_use, second);
    const auto elsewhere = env.network.listen(foreign);
    failed_with(Errc::invalid, elsewhere);
  });
}

TEST_CASE("listen: close ends the waiting accept and later ones, and frees the port") {
  for (const Transport transport : make_place()->transports()) {
    const auto place = make_place();
    place->run([](Env&) -> Task<void> { co_return; },
               [&](Env& env) -> Task<void> {
                 auto listener = env.network.listen(place->far_endpoint(transport));
                 if (!good(listener)) co_return;
                 const Endpoint at = (*listener)->local();
                 std::optional<Connected> accepted;
                 TaskGroup group(env.executor);
                 group.spawn(keep((*listener)->accept(), accepted));
                 co_await sleep_for(env, 5ms);
                 CHECK(!accepted.has_value());
                 (*listener)->close();
                 CHECK(!accepted.has_value());
                 co_await group.join();
                 failed_with(Errc::closed, *accepted);
                 const Connected later = co_await not_inline(env, (*listener)->accept());
                 failed_with(Errc::closed, later);
                 const Connected refused = co_await env.network.connect(at, std::nullopt, env.clock.mono() + 10s);
                 failed_with(Errc::refused, refused);
                 const auto again = env.network.listen(at);
                 good(again);
               });
  }
}

TEST_CASE("listen: destroying the listener is close, while an accept waits too") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(Endpoint(place->near_address(), 0));
    if (!good(listener)) co_return;
    std::optional<Connected> accepted;
    TaskGroup group(env.executor);
    group.spawn(keep((*listener)->accept(), accepted));
    co_await sleep_for(env, 5ms);
    listener->reset();
    co_await group.join();
    failed_with(Errc::closed, *accepted);
  });
}

}  // namespace postproof::test
