// The smallest world for one connection: an Env whose time moves only when a test says so, and streams whose
// other end is the test itself, called plainly: wire.send(...), world.advance(5min), wire.received().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mta/base/event_text.h"
#include "mta/env/env.h"
#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"

namespace postproof::test {

class TestClock final : public Clock {
 public:
  WallTime now() const override { return WallTime{} + (now_ - MonoTime{}); }
  MonoTime mono() const override { return now_; }
  TimerId call_at(MonoTime when, Callback callback) override {
    timers_.emplace(std::pair(when, ++last_), std::move(callback));
    return last_;
  }
  bool cancel(TimerId timer) override {
    return std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; }) > 0;
  }
  // The next timer up to `limit`: time has come to it, and it is taken out.
  std::optional<Callback> next(MonoTime limit) {
    if (timers_.empty() || timers_.begin()->first.first > limit) return std::nullopt;
    now_ = std::max(now_, timers_.begin()->first.first);
    Callback callback = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    return callback;
  }
  void set(MonoTime now) { now_ = now; }

 private:
  MonoTime now_{};
  TimerId last_ = 0;
  std::map<std::pair<MonoTime, TimerId>, Callback> timers_;
};

// A connection as the test sees it.
struct Connection {
  explicit Connection(Env& env) : readable(env), writable(env) {}
  std::string to_program, from_program;
  std::size_t window = SIZE_MAX;  // octets that the test lets the program write ahead
  bool fin_to_program = false;
  bool was_reset = false;
  bool closed = false;  // by the program
  Wakeup readable, writable;
};

class TestStream final : public Stream {
 public:
  TestStream(Env& env, std::shared_ptr<Connection> connection, Endpoint local, Endpoint peer)
      : env_(env), connection_(std::move(connection)), local_(std::move(local)), peer_(std::move(peer)) {}
  ~TestStream() override { close(); }

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    co_await boost::asio::post(env_.executor, boost::asio::use_awaitable);
    for (;;) {
      if (connection_->closed) co_return fail(Errc::closed, "closed");
      if (connection_->was_reset) co_return fail(Errc::reset, "connection reset");
      if (!connection_->to_program.empty()) {
        const std::size_t size = std::min(into.size(), connection_->to_program.size());
        connection_->to_program.copy(into.data(), size);
        connection_->to_program.erase(0, size);
        co_return size;
      }
      if (connection_->fin_to_program) co_return std::size_t{0};
      const Woken woken = co_await connection_->readable.wait(deadline);
      if (woken == Woken::deadline) co_return fail(Errc::timed_out, "timed out");
      if (woken == Woken::closed) co_return fail(Errc::closed, "closed");
    }
  }
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    co_await boost::asio::post(env_.executor, boost::asio::use_awaitable);
    for (;;) {
      if (connection_->closed) co_return fail(Errc::closed, "closed");
      if (connection_->was_reset) co_return fail(Errc::reset, "connection reset");
      const std::size_t room = connection_->window - std::min(connection_->window, connection_->from_program.size());
      connection_->from_program += octets.substr(0, room);
      octets.remove_prefix(std::min(room, octets.size()));
      if (octets.empty()) co_return Result<void>();
      const Woken woken = co_await connection_->writable.wait(deadline);
      if (woken == Woken::deadline) co_return fail(Errc::timed_out, "timed out");
      if (woken == Woken::closed) co_return fail(Errc::closed, "closed");
    }
  }
  void shutdown_send() override {}
  void reset() override {
    connection_->was_reset = true;
    wake();
  }
  void close() noexcept override {
    connection_->closed = true;
    wake();
  }
  const Endpoint& local() const override { return local_; }
  const Endpoint& peer() const override { return peer_; }

 private:
  void wake() {
    connection_->readable.notify();
    connection_->writable.notify();
  }
  Env& env_;
  std::shared_ptr<Connection> connection_;
  Endpoint local_, peer_;
};

// Behind the executor, on the test's own thread.
struct AtOnce final : Work {
  Task<Result<void>> run(Job job) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    job();
    co_return Result<void>{};
  }
};

class TestWorld : private Network, private Disk, private Entropy, private EventSink {
 public:
  TestWorld() : env_{io_.get_executor(), clock_, *this, *this, *this, *this, tls_, work_} {}

  Env& env() { return env_; }

  // Everything that can happen without time moving.
  void settle() {
    do {
      io_.restart();
    } while (io_.poll() > 0);
  }
  void advance(Duration duration) {
    settle();
    const MonoTime until = clock_.mono() + duration;
    while (auto callback = clock_.next(until)) {
      (*callback)(true);
      settle();
    }
    clock_.set(until);
  }
  Duration now() const { return clock_.mono() - MonoTime{}; }

  // The test's end of a connection.
  class Wire {
   public:
    Wire(TestWorld& world, std::shared_ptr<Connection> connection)
        : world_(world), connection_(std::move(connection)) {}
    void send(std::string_view octets) {
      connection_->to_program += octets;
      connection_->readable.notify();
      world_.settle();
    }
    void send_by_octet(std::string_view octets) {
      for (const char c : octets) send(std::string_view(&c, 1));
    }
    void fin() {
      connection_->fin_to_program = true;
      connection_->readable.notify();
      world_.settle();
    }
    void rst() {
      connection_->was_reset = true;
      connection_->readable.notify();
      connection_->writable.notify();
      world_.settle();
    }
    // What the program has written since the last call.
    std::string received() {
      world_.settle();
      std::string all = std::exchange(connection_->from_program, {});
      connection_->writable.notify();
      world_.settle();
      return all;
    }
    std::string say(std::string_view octets) {
      send(octets);
      return received();
    }
    void set_window(std::size_t octets) { connection_->window = octets; }
    bool closed() const { return connection_->closed; }

   private:
    TestWorld& world_;
    std::shared_ptr<Connection> connection_;
  };

  // A stream for the program under test, and its other end.
  std::pair<std::unique_ptr<Stream>, Wire> open(Endpoint local = endpoint("192.0.2.25:25"),
                                                Endpoint peer = endpoint("192.0.2.1:40000")) {
    auto connection = std::make_shared<Connection>(env_);
    return {std::make_unique<TestStream>(env_, connection, std::move(local), std::move(peer)), Wire(*this, connection)};
  }
  static Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }

  // Of each connect(); none: it succeeds.
  std::optional<Errc> connect_error;
  Duration connect_takes{};
  // The other ends of what the program has dialed, in order.
  std::vector<Wire> dialed;
  // A client dials what the program listens at. None: nobody listens.
  std::optional<Wire> dial(Endpoint from = endpoint("192.0.2.1:40000")) {
    if (listener_ == nullptr) return std::nullopt;
    auto [stream, wire] = open(endpoint("192.0.2.25:25"), std::move(from));
    listener_->waiting.push_back(std::move(stream));
    listener_->wakeup.notify();
    settle();
    return wire;
  }
  std::optional<Errc> accept_error;

  std::vector<std::string> events;  // as the text log has them

 private:
  struct TestListener final : postproof::Listener {
    explicit TestListener(TestWorld& owner) : world(owner), wakeup(owner.env_), at(endpoint("192.0.2.25:25")) {
      world.listener_ = this;
    }
    ~TestListener() override { world.listener_ = nullptr; }
    Task<Result<std::unique_ptr<Stream>>> accept() override {
      co_await boost::asio::post(world.env_.executor, boost::asio::use_awaitable);
      while (!closed) {
        if (world.accept_error) co_return fail(*std::exchange(world.accept_error, {}), "out of descriptors");
        if (!waiting.empty()) {
          auto stream = std::move(waiting.front());
          waiting.erase(waiting.begin());
          co_return stream;
        }
        static_cast<void>(co_await wakeup.wait());
      }
      co_return fail(Errc::closed, "closed");
    }
    void close() noexcept override {
      closed = true;
      wakeup.notify();
    }
    const Endpoint& local() const override { return at; }
    TestWorld& world;
    Wakeup wakeup;
    Endpoint at;
    std::vector<std::unique_ptr<Stream>> waiting;
    bool closed = false;
  };

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, std::optional<IpAddress>, Deadline) override {
    co_await boost::asio::post(env_.executor, boost::asio::use_awaitable);
    if (connect_takes > Duration{}) static_cast<void>(co_await sleep_until(env_, clock_.mono() + connect_takes));
    if (connect_error) co_return fail(*connect_error, "connect " + to.to_string());
    auto [stream, wire] = open(endpoint("192.0.2.25:41000"), to);
    dialed.push_back(wire);
    co_return std::move(stream);
  }
  Result<std::unique_ptr<postproof::Listener>> listen(const Endpoint&) override {
    return std::make_unique<TestListener>(*this);
  }
  Result<std::unique_ptr<Datagram>> open_datagram(const Endpoint&) override { return none(); }
  Task<Result<std::unique_ptr<File>>> open(std::string, OpenMode) override { co_return none(); }
  Task<Result<void>> rename(std::string, std::string) override { co_return none(); }
  Task<Result<void>> link(std::string, std::string) override { co_return none(); }
  Task<Result<void>> unlink(std::string) override { co_return none(); }
  Task<Result<void>> mkdir(std::string) override { co_return none(); }
  Task<Result<std::vector<std::string>>> list(std::string) override { co_return none(); }
  Task<Result<void>> sync_dir(std::string) override { co_return none(); }
  Task<Result<std::uint64_t>> free_bytes(std::string) override { co_return none(); }
  Task<Result<std::unique_ptr<DiskLock>>> lock(std::string) override { co_return none(); }
  Task<Result<bool>> is_locked(std::string) override { co_return none(); }
  std::unique_ptr<Random> stream(std::string_view) override { return nullptr; }
  void emit(const Event& event) override { events.push_back(event_to_text(event)); }
  static std::unexpected<Error> none() { return fail(Errc::invalid, "not in this world"); }

  boost::asio::io_context io_;
  TestClock clock_;
  ProcessTls tls_;
  AtOnce work_;
  Env env_;
  TestListener* listener_ = nullptr;
};

}  // namespace postproof::test
