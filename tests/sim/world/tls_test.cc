// TLS in a world: recorded as its sides tell it, and the same octets in each run.
#include "mta/tls/stream.h"
#include "sim/recording/recording_file.h"
#include "tests/mta/tls/identity.h"
#include "tests/sim/world/fixture.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kQuestion = "EHLO a.example\r\n";
const std::string kAnswer = "250 " + std::string(100'000, 'x') + "\r\n";  // more than a connection's window

Task<void> serve(Env& env) {
  auto listener = env.network.listen(endpoint("10.0.0.2:25"));
  auto bare = co_await (*listener)->accept();
  auto context = tls::Context::server(env, test::test_identity());
  tls::Stream stream(env, *context, std::move(*bare), {});
  const auto done = co_await stream.handshake(env.clock.mono() + 1min);
  CHECK(done);
  std::string question(100, '\0');
  const auto size = co_await stream.read_some(question, kNever);
  CHECK((size && question.substr(0, *size) == kQuestion));
  const auto sent = co_await stream.write_all(kAnswer, kNever);
  CHECK(sent);
}

Task<void> ask(Env& env) {
  auto bare = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
  auto context = tls::Context::client(env, test::kTestRoot, tls::Context::Verify::note);
  tls::Stream stream(env, *context, std::move(*bare), {}, test::kTestName);
  const auto done = co_await stream.handshake(env.clock.mono() + 1min);
  CHECK(done);
  static_cast<void>(co_await stream.write_all(kQuestion, kNever));
  const std::string text = co_await read_to_end(stream);
  CHECK(text == kAnswer + "<end>");
}

void talk(Fixture& f) {
  f.b.start(serve);
  f.a.start(ask);
  f.run();
}

}  // namespace

TEST_CASE("TLS: two runs of one seed give the same octets, another seed gives others") {
  const auto wire = [](std::uint64_t seed) {
    WorldSettings settings;
    settings.seed = seed;
    Fixture f(settings);
    talk(f);
    f.world.shut_down();
    return recording_to_json_lines(f.recording);
  };
  const std::string first = wire(1);
  CHECK(first == wire(1));
  CHECK(first.find("\"kind\":\"tls-key\"") != std::string::npos);
  CHECK(first != wire(2));
}

TEST_CASE("TLS: both sides tell what they agreed on, and what they sent") {
  Fixture f;
  talk(f);
  const auto told = f.records<record::Tls>();
  REQUIRE(told.size() == 4);
  int clients = 0;
  for (const auto& [at, tls] : told) {
    CHECK(tls.connection == 1);
    CHECK(tls.version == "TLSv1.3");
    CHECK(tls.server_name == test::kTestName);
    CHECK(tls.node == (tls.from == Side::opener ? "a" : "b"));
    CHECK(tls.verified == (tls.from == Side::opener ? "ok" : ""));
    clients += tls.from == Side::opener;
  }
  CHECK(clients == 2);
  CHECK(told[0].second.state == "established");
  CHECK(told[3].second.state == "closed");

  std::string opener, acceptor;
  Duration longest{};
  for (const auto& [at, plain] : f.records<record::Plain>()) {
    (plain.from == Side::opener ? opener : acceptor) += plain.octets;
    REQUIRE(plain.arrives);
    CHECK(*plain.arrives > at);
    longest = std::max(longest, *plain.arrives - at);
  }
  CHECK(opener == kQuestion);
  CHECK(acceptor == kAnswer);
  // The window of a connection is smaller than the answer: its last octets went later than its first.
  CHECK(longest > 1ms);
}

TEST_CASE("TLS: what the wire loses is lost in clear text too") {
  Fixture f;
  f.b.start([](Env& env) -> Task<void> {
    auto listener = env.network.listen(endpoint("10.0.0.2:25"));
    auto bare = co_await (*listener)->accept();
    auto context = tls::Context::server(env, test::test_identity());
    tls::Stream stream(env, *context, std::move(*bare), {});
    static_cast<void>(co_await stream.handshake(kNever));
    static_cast<void>(co_await read_to_end(stream));
  });
  f.a.start([&f](Env& env) -> Task<void> {
    auto bare = co_await env.network.connect(endpoint("10.0.0.2:25"), std::nullopt, kNever);
    auto context = tls::Context::client(env, test::kTestRoot, tls::Context::Verify::note);
    tls::Stream stream(env, *context, std::move(*bare), {}, test::kTestName);
    static_cast<void>(co_await stream.handshake(env.clock.mono() + 1min));
    f.b.crash_soon();
    static_cast<void>(co_await stream.write_all(kQuestion, kNever));
  });
  f.run();
  const auto told = f.records<record::Plain>();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].second.arrives);
}

}  // namespace postproof::sim
