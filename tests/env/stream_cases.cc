// Conformance: what env/stream.h promises of a connection that stands.
#include "tests/env/place.h"

namespace postproof::test {

namespace {

Deadline soon(Env& env) { return env.clock.mono() + 10s; }

// One line of text, and what the peer may still say until its FIN.
Task<void> expect_text(Env& env, Stream& stream, std::string_view text) {
  const Result<std::string> got = co_await read_up_to(stream, text.size(), soon(env));
  if (!good(got)) co_return;
  CHECK(*got == text);
}

Task<void> expect_end(Env& env, Stream& stream) {
  char octet;
  const Result<std::size_t> got = co_await stream.read_some(std::span(&octet, 1), soon(env));
  if (good(got)) CHECK(*got == 0);
}

Task<void> send_text(Env& env, Stream& stream, std::string_view text) {
  const Result<void> sent = co_await stream.write_all(text, soon(env));
  good(sent);
}

Task<void> read_to_end(Env& env, Stream& stream, std::string& into, std::size_t piece) {
  std::string buffer(piece, '\0');
  for (;;) {
    const Result<std::size_t> got = co_await stream.read_some(std::span(buffer.data(), buffer.size()), soon(env));
    if (!good(got) || *got == 0) co_return;
    CHECK(*got <= buffer.size());
    into.append(buffer, 0, *got);
  }
}

Task<void> write_in_pieces(Env& env, Stream& stream, std::string_view text) {
  std::size_t piece = 1;
  while (!text.empty()) {
    const std::string_view now = text.substr(0, piece);
    const Result<void> sent = co_await stream.write_all(now, soon(env));
    if (!good(sent)) co_return;
    text.remove_prefix(now.size());
    piece = piece * 3 % 70'001 + 1;
  }
  stream.shutdown_send();
}

Task<void> both_ways(Env& env, Stream& stream, std::string_view text, std::size_t piece) {
  std::string got;
  TaskGroup group(env.executor);
  group.spawn(write_in_pieces(env, stream, text));
  group.spawn(read_to_end(env, stream, got, piece));
  co_await group.join();
  CHECK(got.size() == text.size());
  CHECK(got == text);
}

}  // namespace

TEST_CASE("stream: octets arrive in order and exactly once, both ways at a time, in pieces of any size") {
  const std::string text = numbered(1'000'003);
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> { co_await both_ways(env, *stream, text, 1013); },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> { co_await both_ways(env, *stream, text, 65'536); });
}

TEST_CASE("stream: a read takes what fits, the rest waits for the next") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await send_text(env, *stream, "abcdef");
        co_await expect_end(env, *stream);
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        for (const char expected : std::string("abcdef")) {
          char octet = 0;
          const Result<std::size_t> got = co_await stream->read_some(std::span(&octet, 1), soon(env));
          if (!good(got)) co_return;
          CHECK(*got == 1);
          CHECK(octet == expected);
        }
      });
}

TEST_CASE("stream: the two ends name each other") {
  Endpoint near_local, near_peer, far_local, far_peer;
  for_each_ip_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        near_local = stream->local();
        near_peer = stream->peer();
        co_await send_text(env, *stream, "ready");
        co_await expect_end(env, *stream);
        CHECK(near_local == far_peer);
        CHECK(near_peer == far_local);
        CHECK(near_local.port() != 0);
        CHECK(far_local.port() != 0);
      },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        far_local = stream->local();
        far_peer = stream->peer();
        co_await expect_text(env, *stream, "ready");
      });
}

TEST_CASE("stream: half-close ends one direction, behind what was written; the other goes on") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await send_text(env, *stream, "question");
        stream->shutdown_send();
        co_await expect_text(env, *stream, "answer, sent after the FIN was read");
        co_await expect_end(env, *stream);
        co_await expect_end(env, *stream);  // as often as one asks
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await expect_text(env, *stream, "question");
        co_await expect_end(env, *stream);
        co_await expect_end(env, *stream);
        co_await send_text(env, *stream, "answer, sent after the FIN was read");
        stream->shutdown_send();
      });
}

TEST_CASE("stream: the peer's reset ends the waiting call and all later ones") {
  for_each_ip_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        char octet;
        for (int i = 0; i < 3; ++i) {
          const Result<std::size_t> got = co_await stream->read_some(std::span(&octet, 1), soon(env));
          failed_with(Errc::reset, got);
        }
        const Result<void> sent = co_await stream->write_all("x", soon(env));
        failed_with(Errc::reset, sent);
        stream->close();
        const Result<void> later = co_await stream->write_all("x", soon(env));
        failed_with(Errc::reset, later);
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await sleep_for(env, 20ms);
        stream->reset();
        const Result<void> sent = co_await stream->write_all("x", soon(env));
        failed_with(Errc::reset, sent);
      });
}

TEST_CASE("stream: our own reset ends our waiting call with reset") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        std::optional<Result<std::size_t>> got;
        char octet;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->read_some(std::span(&octet, 1), soon(env)), got));
        co_await sleep_for(env, 10ms);
        CHECK(!got.has_value());
        stream->reset();
        co_await group.join();
        failed_with(Errc::reset, *got);
        const Result<std::size_t> again = co_await stream->read_some(std::span(&octet, 1), soon(env));
        failed_with(Errc::reset, again);
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await sleep_for(env, 20ms);
        stream->close();
      });
}

TEST_CASE("stream: a read that timed out has taken nothing and may be repeated") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        char buffer[16];
        for (int i = 0; i < 3; ++i) {
          const Deadline deadline = env.clock.mono() + 10ms;
          const Result<std::size_t> got = co_await stream->read_some(std::span(buffer), deadline);
          failed_with(Errc::timed_out, got);
          CHECK(env.clock.mono() >= deadline);
          CHECK(env.clock.mono() < deadline + 5s);
        }
        co_await send_text(env, *stream, "now");
        co_await expect_text(env, *stream, "all of it");
        // A deadline that has passed already ends a call that would have to wait, too.
        const Result<std::size_t> late = co_await stream->read_some(std::span(buffer), env.clock.mono() - 1s);
        failed_with(Errc::timed_out, late);
        co_await send_text(env, *stream, "!");
        co_await expect_text(env, *stream, "and more");
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await expect_text(env, *stream, "now");
        co_await send_text(env, *stream, "all of it");
        co_await expect_text(env, *stream, "!");
        co_await send_text(env, *stream, "and more");
        co_await expect_end(env, *stream);
      });
}

TEST_CASE("stream: deadlines may come earlier and later from call to call") {
  struct Row {
    Duration patience;
    bool answered;  // long before; its deadline means nothing any more
  };
  const Row rows[] = {{5s, true},    {15ms, false}, {20ms, true}, {60ms, false},
                      {10ms, false}, {1ms, false},  {30ms, false}};
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        for (const Row& row : rows) {
          if (row.answered) {
            co_await send_text(env, *stream, "?");
            co_await sleep_for(env, 10ms);
          }
          char octet;
          const MonoTime before = env.clock.mono();
          const Result<std::size_t> got = co_await stream->read_some(std::span(&octet, 1), before + row.patience);
          if (row.answered) {
            good(got);
          } else {
            failed_with(Errc::timed_out, got);
            CHECK(env.clock.mono() >= before + row.patience);
            CHECK(env.clock.mono() < before + row.patience + 2s);
          }
        }
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        for (;;) {
          char octet;
          const Result<std::size_t> got = co_await stream->read_some(std::span(&octet, 1), soon(env));
          if (!good(got) || *got == 0) co_return;
          co_await send_text(env, *stream, "!");
        }
      });
}

TEST_CASE("stream: a read that times out does not touch the write that waits beside it") {
  const std::string text = numbered(8'000'000);  // more than any buffer on the way holds
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        std::optional<Result<void>> sent;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->write_all(text, env.clock.mono() + 60s), sent));
        char octet;
        for (int i = 0; i < 3; ++i) {
          const Result<std::size_t> got = co_await stream->read_some(std::span(&octet, 1), env.clock.mono() + 10ms);
          failed_with(Errc::timed_out, got);
        }
        CHECK(!sent.has_value());
        co_await group.join();
        good(*sent);
      },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await sleep_for(env, 60ms);
        std::string got;
        co_await read_to_end(env, *stream, got, 65'536);
        CHECK(got == text);
      });
}

TEST_CASE("stream: a writer waits for a reader who does not read, and its deadline ends that") {
  const std::string text = numbered(8'000'000);
  bool done = false;
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        done = false;
        const Deadline deadline = env.clock.mono() + 50ms;
        const Result<void> sent = co_await stream->write_all(text, deadline);
        failed_with(Errc::timed_out, sent);
        CHECK(env.clock.mono() >= deadline);
        stream->reset();
        done = true;
      },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        while (!done) co_await sleep_for(env, 10ms);
        stream->close();
      });
}

TEST_CASE("stream: close ends waiting and later calls with closed") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        std::optional<Result<std::size_t>> got;
        char octet;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->read_some(std::span(&octet, 1), kNever), got));
        co_await sleep_for(env, 10ms);
        stream->close();
        CHECK(!got.has_value());  // not within close()
        co_await group.join();
        failed_with(Errc::closed, *got);
        const Result<std::size_t> read = co_await stream->read_some(std::span(&octet, 1), soon(env));
        failed_with(Errc::closed, read);
        const Result<void> sent = co_await stream->write_all("x", soon(env));
        failed_with(Errc::closed, sent);
        stream->shutdown_send();
        stream->reset();
        stream->close();  // all of these mean nothing any more
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> { co_await expect_end(env, *stream); });
}

TEST_CASE("stream: close ends a write that waits") {
  const std::string text = numbered(8'000'000);
  bool done = false;
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        done = false;
        std::optional<Result<void>> sent;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->write_all(text, kNever), sent));
        co_await sleep_for(env, 20ms);
        CHECK(!sent.has_value());
        stream->close();
        co_await group.join();
        failed_with(Errc::closed, *sent);
        done = true;
      },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        while (!done) co_await sleep_for(env, 10ms);
        stream->reset();
      });
}

TEST_CASE("stream: destroying it is close, while a call waits too") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        std::optional<Result<std::size_t>> got;
        char octet;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->read_some(std::span(&octet, 1), soon(env)), got));
        co_await sleep_for(env, 10ms);
        stream.reset();
        co_await group.join();
        failed_with(Errc::closed, *got);
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> { co_await expect_end(env, *stream); });
}

TEST_CASE("stream: what was written before close is delivered, whatever the peer had sent and still sends") {
  // What a server does that says 421 and hangs up on a client who pipelines.
  const std::string reply = "421 closing\r\n" + numbered(20'000);
  for_each_transport(
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await send_text(env, *stream, "RSET\r\nNOOP\r\n");
        co_await sleep_for(env, 30ms);  // the far end has closed
        const Result<void> sent = co_await stream->write_all("NOOP\r\n", soon(env));
        (void)sent;  // this may fail in its way
        co_await sleep_for(env, 10ms);
        co_await expect_text(env, *stream, reply);
        co_await expect_end(env, *stream);
      },
      [&](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await sleep_for(env, 10ms);  // "RSET" is here, and is not read
        co_await send_text(env, *stream, reply);
        stream->close();
      });
}

TEST_CASE("stream: no call completes inline") {
  for_each_transport(
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await sleep_for(env, 20ms);
        char octet;
        const std::span<char> into(&octet, 1);
        // One octet waits to be read.
        const Result<std::size_t> ready = co_await not_inline(env, stream->read_some(into, soon(env)));
        good(ready);
        const Result<void> sent = co_await not_inline(env, stream->write_all("x", soon(env)));
        good(sent);
        const Result<void> nothing_sent = co_await not_inline(env, stream->write_all("", soon(env)));
        good(nothing_sent);
        stream->close();
        const Result<std::size_t> closed_read = co_await not_inline(env, stream->read_some(into, soon(env)));
        failed_with(Errc::closed, closed_read);
        const Result<void> closed_write = co_await not_inline(env, stream->write_all("x", soon(env)));
        failed_with(Errc::closed, closed_write);
      },
      [](Env& env, std::unique_ptr<Stream> stream) -> Task<void> {
        co_await send_text(env, *stream, "yz");
        co_await expect_text(env, *stream, "x");
        co_await expect_end(env, *stream);
      });
}

}  // namespace postproof::test
