#include "tests/sim/world/fixture.h"

namespace postproof::sim {

namespace {

// Accepts connections, one after the other, and hands each to `serve`.
Node::Program server(std::string at, std::function<Task<void>(Env&, Stream&)> serve) {
  return [at, serve](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint(at));
    REQUIRE(listener);
    for (;;) {
      auto stream = co_await (*listener)->accept();
      if (!stream) break;
      co_await serve(env, **stream);
    }
  };
}

Task<std::unique_ptr<Stream>> dial(Env& env, std::string to) {
  auto stream = co_await env.network.connect(endpoint(to), std::nullopt, kNever);
  REQUIRE(stream);
  co_return std::move(*stream);
}

}  // namespace

TEST_CASE("a connection: three latencies to open, one for what is sent, and all of it is recorded") {
  Fixture f;
  f.world.network().set_default_latency(10ms);
  Diary diary(f.world);
  const auto serve = [&](Env&, Stream& stream) -> Task<void> {
    diary.note("accepted " + stream.peer().to_string() + " at " + stream.local().to_string());
    const auto sent = co_await stream.write_all("220 hi\r\n", kNever);
    CHECK(sent);
    const std::string got = co_await read_to_end(stream);
    diary.note("server got " + got);
  };
  f.b.start(server("0.0.0.0:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    diary.note("connected " + stream->local().to_string() + " to " + stream->peer().to_string());
    char buffer[100];
    const auto size = co_await stream->read_some(buffer, kNever);
    REQUIRE(size);
    diary.note("client got " + std::string(buffer, *size));
    const auto sent = co_await stream->write_all("QUIT", kNever);
    CHECK(sent);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "20ms connected 10.0.0.1:49152 to 10.0.0.2:25\n"
        "30ms accepted 10.0.0.1:49152 at 10.0.0.2:25\n"
        "40ms client got 220 hi\r\n\n"
        "50ms server got QUIT<end>\n");

  const auto dials = f.records<record::Dial>();
  REQUIRE(dials.size() == 1);
  CHECK(dials[0].first == 0s);
  CHECK(dials[0].second.connection == 1);
  CHECK(dials[0].second.from_node == "a");
  CHECK(dials[0].second.to_node == "b");
  CHECK(dials[0].second.to == endpoint("10.0.0.2:25"));
  CHECK(f.world.recorder().connection(dials[0].second.from, dials[0].second.to) == 1);
  const auto established = f.records<record::Established>();
  REQUIRE(established.size() == 1);
  CHECK(established[0].first == 20ms);
  const auto octets = f.records<record::Octets>();
  REQUIRE(octets.size() == 2);
  CHECK(octets[0].first == 30ms);
  CHECK(octets[0].second.from == Side::acceptor);
  CHECK(octets[0].second.octets == "220 hi\r\n");
  CHECK(octets[0].second.arrives == 40ms);
  CHECK(octets[1].second.from == Side::opener);
  const auto fins = f.records<record::Fin>();
  REQUIRE(fins.size() == 2);
  CHECK(fins[0].first == 40ms);
  CHECK(fins[0].second.from == Side::opener);
  CHECK(f.world.network().open_connections() == 0);
}

TEST_CASE("half-close: one direction ends, the other goes on") {
  Fixture f;
  std::string server_got, client_got;
  const auto serve = [&](Env&, Stream& stream) -> Task<void> {
    server_got = co_await read_to_end(stream);
    const auto sent = co_await stream.write_all("answer", kNever);
    CHECK(sent);
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    const auto sent = co_await stream->write_all("question", kNever);
    CHECK(sent);
    stream->shutdown_send();
    const auto refused = co_await stream->write_all("more", kNever);
    CHECK(outcome(refused) == "closed");
    client_got = co_await read_to_end(*stream);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(server_got == "question<end>");
  CHECK(client_got == "answer<end>");
}

TEST_CASE("who does not read stops who writes at 64 KiB, and lets it go on by reading") {
  Fixture f;
  Diary diary(f.world);
  const auto serve = [&](Env& env, Stream& stream) -> Task<void> {
    co_await sleep_until(env, MonoTime(1s));
    const std::string got = co_await read_to_end(stream);
    diary.note("read " + std::to_string(got.size() - 5));
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    const std::string window(64 * 1024, 'x');
    const auto first = co_await stream->write_all(window, kNever);
    diary.note("first " + outcome(first));
    const auto late = co_await stream->write_all("y", MonoTime(500ms));
    diary.note("second " + outcome(late));
    const auto third = co_await stream->write_all(window, kNever);
    diary.note("third " + outcome(third));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "2ms first ok\n"
        "500ms second timed out\n"
        "1.001s third ok\n"
        "1.002s read 131072\n");
}

TEST_CASE("octets come in segments of the size that the sender's host sends") {
  Fixture f;
  f.world.network().set_segment("a", 3);
  std::string pieces;
  const auto serve = [&](Env& env, Stream& stream) -> Task<void> {
    co_await sleep_until(env, MonoTime(1s));  // all of it is there by then
    for (;;) {
      char buffer[100];
      const auto size = co_await stream.read_some(buffer, kNever);
      REQUIRE(size);
      if (*size == 0) break;
      pieces += std::string(buffer, *size) + "|";
    }
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    for (const std::string_view text : {"abcdefgh", "ij"}) {
      const auto sent = co_await stream->write_all(text, kNever);
      CHECK(sent);
    }
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(pieces == "abc|def|gh|ij|");
}

TEST_CASE("deadlines: of a read that nothing comes for, and of one whose octets are there") {
  Fixture f;
  Diary diary(f.world);
  const auto serve = [&](Env& env, Stream& stream) -> Task<void> {
    co_await sleep_until(env, MonoTime(10s));
    const auto sent = co_await stream.write_all("late", kNever);
    CHECK(sent);
    co_await sleep_until(env, MonoTime(20s));
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    char buffer[100];
    const auto first = co_await stream->read_some(buffer, MonoTime(5s));
    diary.note(outcome(first));
    const auto past = co_await stream->read_some(buffer, MonoTime(1s));
    diary.note(outcome(past));
    co_await sleep_until(env, MonoTime(11s));
    const auto second = co_await stream->read_some(buffer, MonoTime(1s));
    REQUIRE(second);
    diary.note(std::string(buffer, *second));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "5s timed out\n5s timed out\n11s late\n");
}

TEST_CASE("reset: what was read is kept, what was not is lost, and both sides know") {
  Fixture f;
  Diary diary(f.world);
  const auto serve = [&](Env& env, Stream& stream) -> Task<void> {
    co_await sleep_until(env, MonoTime(1s));
    const std::string got = co_await read_to_end(stream);
    diary.note("server " + got);
    const auto sent = co_await stream.write_all("x", kNever);
    diary.note("server write " + outcome(sent));
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    const auto sent = co_await stream->write_all("lost", kNever);
    CHECK(sent);
    stream->reset();
    const std::string got = co_await read_to_end(*stream);
    diary.note("client " + got);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "2ms client <connection reset>\n1s server <connection reset>\n1s server write connection reset\n");
  CHECK(f.world.network().open_connections() == 0);
  CHECK(f.records<record::Reset>().size() == 1);
}

TEST_CASE("a waiting reader sees what came before an RST of the same moment") {
  Fixture f;
  std::string got;
  const auto serve = [&](Env&, Stream& stream) -> Task<void> { got = co_await read_to_end(stream); };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    co_await sleep_until(env, MonoTime(1s));
    for (const std::string_view text : {"one ", "two "}) {
      const auto sent = co_await stream->write_all(text, kNever);
      CHECK(sent);
    }
    stream->reset();
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(got == "one two <connection reset>");
}

TEST_CASE("close: what was written arrives before the end; what comes then is answered by RST") {
  Fixture f;
  Diary diary(f.world);
  const auto serve = [&](Env&, Stream& stream) -> Task<void> {
    const auto sent = co_await stream.write_all("421 bye", kNever);
    CHECK(sent);
    stream.close();
    const auto after = co_await stream.write_all("x", kNever);
    diary.note("server write " + outcome(after));
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    co_await sleep_until(env, MonoTime(1s));
    const auto sent = co_await stream->write_all("EHLO", kNever);
    diary.note("client write " + outcome(sent));
    co_await sleep_until(env, MonoTime(2s));
    const auto again = co_await stream->write_all("MAIL", kNever);
    diary.note("client write " + outcome(again));
    const std::string got = co_await read_to_end(*stream);
    diary.note("client " + got);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "3ms server write closed\n"
        "1s client write ok\n"
        "2s client write connection reset\n"
        "2s client 421 bye<end>\n");
  CHECK(f.world.network().open_connections() == 0);
  const auto octets = f.records<record::Octets>();
  REQUIRE(octets.size() == 2);
  CHECK(octets[1].second.octets == "EHLO");
  CHECK_FALSE(octets[1].second.arrives);  // nobody could read it
}

TEST_CASE("a writer that waits for the window learns that the reader has closed") {
  Fixture f;
  std::string result;
  const auto serve = [&](Env& env, Stream& stream) -> Task<void> {
    co_await sleep_until(env, MonoTime(1s));
    stream.close();
    co_await sleep_until(env, MonoTime(2s));
  };
  f.b.start(server("10.0.0.2:25", serve));
  f.a.start([&](Env& env) -> Task<void> {
    const auto stream = co_await dial(env, "10.0.0.2:25");
    const std::string much(200 * 1024, 'x');
    const auto sent = co_await stream->write_all(much, kNever);
    result = outcome(sent);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(result == "connection reset");
}

TEST_CASE("close and destruction end a waiting call") {
  Fixture f;
  Diary diary(f.world);
  const auto serve = [](Env& env, Stream&) -> Task<void> { co_await sleep_until(env, MonoTime(1h)); };
  f.b.start(server("10.0.0.2:25", serve));
  for (const bool destroy : {false, true}) {
    f.a.start([&, destroy](Env& env) -> Task<void> {
      auto stream = co_await dial(env, "10.0.0.2:25");
      TaskGroup group(env.executor);
      const auto reading = [&]() -> Task<void> {
        char buffer[10];
        const auto size = co_await stream->read_some(buffer, kNever);
        diary.note(outcome(size));
      };
      group.spawn(reading());
      co_await sleep_until(env, env.clock.mono() + 1s);
      if (destroy) {
        stream.reset();
      } else {
        stream->close();
      }
      co_await group.join();
    });
    f.run(f.world.now() + 10s);
  }
  CHECK(diary.text == "1.002s closed\n11.002s closed\n");
}

TEST_CASE("who is not there, does not listen, or has no address of the family") {
  Fixture f;
  f.world.network().set_default_latency(5ms);
  Diary diary(f.world);
  f.c.start([&](Env& env) -> Task<void> {
    for (const std::string_view to : {"10.0.0.2:25", "10.0.0.99:25", "[2001:db8::2]:25"}) {
      const auto stream = co_await env.network.connect(endpoint(to), std::nullopt, kNever);
      diary.note(std::string(to) + " " + stream.error().what);
    }
    const auto foreign = co_await env.network.connect(endpoint("10.0.0.2:25"), ip("10.0.0.1"), kNever);
    diary.note(foreign.error().what);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "10ms 10.0.0.2:25 connect 10.0.0.2:25: connection refused\n"
        "20ms 10.0.0.99:25 connect 10.0.0.99:25: unreachable\n"
        "20ms [2001:db8::2]:25 connect [2001:db8::2]:25: no address of its family here\n"
        "20ms connect 10.0.0.2:25: 10.0.0.1 is no address of this host\n");
  const auto refused = f.records<record::Refused>();
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].second.reason == "refused");
  CHECK(refused[1].second.reason == "unreachable");
  CHECK(f.records<record::Dial>()[1].second.to_node.empty());
}

TEST_CASE("what may be listened at") {
  Fixture f;
  Network& network = f.b.env().network;
  const auto any = network.listen(endpoint("0.0.0.0:25"));
  CHECK(any);
  CHECK(outcome(network.listen(endpoint("0.0.0.0:25"))) == "in use");
  CHECK(outcome(network.listen(endpoint("10.0.0.2:25"))) == "in use");
  CHECK(network.listen(endpoint("[::]:25")));
  CHECK(outcome(network.listen(endpoint("10.0.0.1:26"))) == "invalid");
  CHECK(outcome(network.listen(endpoint("fd:3"))) == "invalid");
  const auto first = network.listen(endpoint("10.0.0.2:2500"));
  const auto second = network.listen(endpoint("10.0.0.22:2500"));
  CHECK(first);
  CHECK(second);
  const auto given = network.listen(endpoint("10.0.0.2:0"));
  REQUIRE(given);
  CHECK((*given)->local().port() >= 49152);
  (*any)->close();
  CHECK(network.listen(endpoint("10.0.0.2:25")));
}

TEST_CASE("a host reaches itself by loopback, by its own address and by the path of a Unix socket") {
  Fixture f;
  Diary diary(f.world);
  f.a.start([&](Env& env) -> Task<void> {
    for (const std::string_view at : {"127.0.0.1:80", "10.0.0.1:81", "[::1]:82", "unix:/run/control"}) {
      auto listener = env.network.listen(endpoint(at));
      REQUIRE(listener);
      auto client = co_await env.network.connect(endpoint(at), std::nullopt, kNever);
      REQUIRE(client);
      auto accepted = co_await (*listener)->accept();
      REQUIRE(accepted);
      const auto sent = co_await (*client)->write_all("hello", kNever);
      CHECK(sent);
      (*client)->close();
      const std::string got = co_await read_to_end(**accepted);
      diary.note((*accepted)->local().to_string() + " " + got);
    }
    const auto nobody = co_await env.network.connect(endpoint("unix:/run/nobody"), std::nullopt, kNever);
    diary.note(outcome(nobody));
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text ==
        "40us 127.0.0.1:80 hello<end>\n"
        "80us 10.0.0.1:81 hello<end>\n"
        "120us [::1]:82 hello<end>\n"
        "160us unix:/run/control hello<end>\n"
        "180us connection refused\n");
}

TEST_CASE("a full backlog lets SYNs wait; a listener that closes refuses and cuts them") {
  Fixture f;
  std::size_t accepted = 0;
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    co_await sleep_until(env, MonoTime(10s));
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 2; ++i) {
      auto stream = co_await (*listener)->accept();
      REQUIRE(stream);
      ++accepted;
      streams.push_back(std::move(*stream));
    }
    co_await sleep_until(env, MonoTime(20s));
  });
  std::size_t connected = 0, refused = 0, cut = 0;
  f.a.start([&](Env& env) -> Task<void> {
    TaskGroup group(env.executor);
    const auto client = [&]() -> Task<void> {
      auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
      if (!stream) {
        ++refused;
        co_return;
      }
      ++connected;
      const std::string got = co_await read_to_end(**stream);
      if (got == "<connection reset>") ++cut;
    };
    for (int i = 0; i < 140; ++i) group.spawn(client());
    co_await group.join();
  });
  CHECK(f.world.run(5s, {}) == World::Stopped::limit);
  CHECK(connected == 128);
  CHECK(f.world.run(15s, {}) == World::Stopped::limit);
  CHECK(connected == 130);
  CHECK(f.run() == World::Stopped::idle);
  CHECK(accepted == 2);
  CHECK(refused == 10);
  CHECK(cut == 128);
  CHECK(f.world.network().open_connections() == 0);
}

TEST_CASE("a listener that closes while a connection is half open cuts it") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    REQUIRE(listener);
    co_await sleep_until(env, MonoTime(1500us));  // the SYN has come, the last of the three has not
    (*listener)->close();
    co_await sleep_until(env, MonoTime(1s));
  });
  f.a.start([&](Env& env) -> Task<void> {
    auto stream = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    diary.note("connect " + outcome(stream));
    REQUIRE(stream);
    const std::string got = co_await read_to_end(**stream);
    diary.note("read " + got);
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "2ms connect ok\n4ms read <connection reset>\n");
  CHECK(f.world.network().open_connections() == 0);
}

TEST_CASE("datagrams: whole, in order, with the sender's endpoint; lost ones are recorded as lost") {
  Fixture f;
  Diary diary(f.world);
  f.b.start([&](Env& env) -> Task<void> {
    auto socket = env.network.open_datagram(endpoint("0.0.0.0:53"));
    REQUIRE(socket);
    for (int i = 0; i < 2; ++i) {
      char buffer[8];
      const auto received = co_await (*socket)->receive(buffer, kNever);
      REQUIRE(received);
      diary.note("got " + std::string(buffer, received->size) + " from " + received->from.to_string());
      const auto sent = co_await (*socket)->send_to("answer", received->from, kNever);
      CHECK(sent);
    }
    co_await sleep_until(env, MonoTime(1s));
  });
  std::string port;
  f.a.start([&](Env& env) -> Task<void> {
    auto socket = env.network.open_datagram(endpoint("10.0.0.1:0"));
    REQUIRE(socket);
    port = (*socket)->local().to_string();
    for (const std::string_view text : {"question", "too long for it"}) {
      const auto sent = co_await (*socket)->send_to(text, endpoint("10.0.0.2:53"), kNever);
      CHECK(sent);
    }
    for (const std::string_view to : {"10.0.0.2:54", "10.0.0.77:53"}) {
      const auto sent = co_await (*socket)->send_to("x", endpoint(to), kNever);
      CHECK(sent);
    }
    char buffer[100];
    for (int i = 0; i < 3; ++i) {
      const auto received = co_await (*socket)->receive(buffer, MonoTime(100ms));
      diary.note(received ? "answered by " + received->from.to_string() : outcome(received));
    }
  });
  CHECK(f.run() == World::Stopped::idle);
  CHECK(diary.text == "1ms got question from " + port + "\n1ms got too long from " + port +
                          "\n2ms answered by 10.0.0.2:53\n2ms answered by 10.0.0.2:53\n100ms timed out\n");
  std::string lost;
  for (const auto& [at, datagram] : f.records<record::Datagram>()) lost += datagram.lost ? "1" : "0";
  CHECK(lost == "001100");
}

}  // namespace postproof::sim
