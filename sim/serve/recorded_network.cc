#include "sim/serve/recorded_network.h"

#include <utility>

#include "mta/env/wakeup.h"

namespace postproof::sim {

namespace {

using Opened = std::map<ConnectionId, Stream*>;

class RecordedStream final : public Stream {
 public:
  // `opened` is null, or where it stands while it is not closed.
  RecordedStream(std::unique_ptr<Stream> inner, WireLog& log, WireLog::Line line, Side side, Opened* opened)
      : inner_(std::move(inner)), log_(log), line_(line), side_(side), opened_(opened) {
    if (opened_ != nullptr) opened_->emplace(line_.connection, this);
  }
  ~RecordedStream() override { close(); }

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    Result<std::size_t> got = co_await inner_->read_some(into, deadline);
    if (!line_.records || closed_) co_return got;
    if (!got) {
      if (got.error().code == Errc::reset) cut(other());
    } else if (*got == 0) {
      end(other());
    } else {
      record::Octets octets{line_.connection, other(), std::string(into.data(), *got), std::nullopt};
      log_.add_arrived(std::move(octets));
    }
    co_return got;
  }

  // Recorded before it goes out: no answer may come before it.
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    const std::size_t index = log_.recorder().recording().records.size();
    if (line_.records) {
      record::Octets sent{line_.connection, side_, std::string(octets), std::nullopt};
      log_.add_arrived(std::move(sent));
    }
    Result<void> written = co_await inner_->write_all(octets, deadline);
    if (!written && line_.records) {
      std::get<record::Octets>(log_.recorder().recording().records[index].what).arrives.reset();
      if (written.error().code == Errc::reset) cut(other());
    }
    co_return written;
  }

  void shutdown_send() override {
    inner_->shutdown_send();
    end(side_);
  }
  void reset() override {
    inner_->reset();
    cut(side_);
  }
  // What the other side does from here on nobody sees: it counts as ended.
  void close() noexcept override {
    inner_->close();
    if (closed_) return;
    if (!cut_) {
      end(side_);
      end(other());
    }
    closed_ = true;
    if (opened_ != nullptr) opened_->erase(line_.connection);
    log_.closed(line_);
  }

  const Endpoint& local() const override { return inner_->local(); }
  const Endpoint& peer() const override { return inner_->peer(); }

 private:
  Side other() const { return side_ == Side::opener ? Side::acceptor : Side::opener; }

  void end(Side side) {
    bool& ended = ended_[static_cast<std::size_t>(side)];
    if (!std::exchange(ended, true) && line_.records && !cut_) log_.recorder().add(record::Fin{line_.connection, side});
  }
  void cut(Side side) {
    if (!std::exchange(cut_, true) && line_.records) log_.recorder().add(record::Reset{line_.connection, side});
  }

  std::unique_ptr<Stream> inner_;
  WireLog& log_;
  const WireLog::Line line_;
  const Side side_;
  Opened* const opened_;
  bool ended_[2] = {false, false};  // by Side
  bool cut_ = false;
  bool closed_ = false;
};

class RecordedDatagram final : public Datagram {
 public:
  RecordedDatagram(std::unique_ptr<Datagram> inner, WireLog& log, std::string node)
      : inner_(std::move(inner)), log_(log), node_(std::move(node)) {}

  Task<Result<void>> send_to(std::string_view octets, Endpoint to, Deadline deadline) override {
    const std::size_t index = log_.recorder().recording().records.size();
    record::Datagram sent{node_, log_.node_at(to.address()), inner_->local(), to, std::string(octets), false};
    log_.recorder().add(std::move(sent));
    Result<void> done = co_await inner_->send_to(octets, std::move(to), deadline);
    if (!done) std::get<record::Datagram>(log_.recorder().recording().records[index].what).lost = true;
    co_return done;
  }
  Task<Result<Received>> receive(std::span<char> into, Deadline deadline) override {
    Result<Received> received = co_await inner_->receive(into, deadline);
    if (received) {
      record::Datagram got{log_.node_at(received->from.address()), node_, received->from, inner_->local(),
                           std::string(into.data(), received->size), false};
      log_.recorder().add(std::move(got));
    }
    co_return received;
  }
  void close() noexcept override { inner_->close(); }
  const Endpoint& local() const override { return inner_->local(); }

 private:
  std::unique_ptr<Datagram> inner_;
  WireLog& log_;
  const std::string node_;
};

}  // namespace

// Listens again at its endpoint once refusals have ended: sockets know no other way to refuse.
class RecordedNetwork::ReopenedListener final : public Listener {
 public:
  ReopenedListener(RecordedNetwork& network, std::unique_ptr<Listener> inner)
      : network_(network), inner_(std::move(inner)), local_(inner_->local()), may_listen_(network.env_) {
    network_.listeners_.push_back(this);
    if (network_.refusing_ > 0) begin_refusing();
  }
  ~ReopenedListener() override { std::erase(network_.listeners_, this); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (!closed_) {
      if (stale_ && network_.refusing_ > 0) {
        const Woken woken = co_await may_listen_.wait();
        if (woken == Woken::closed) closed_ = true;
        continue;
      }
      if (stale_) {
        Result<std::unique_ptr<Listener>> again = network_.env_.network.listen(local_);
        if (!again) co_return std::unexpected(std::move(again.error()));
        inner_ = std::move(*again);
        stale_ = false;
      }
      Result<std::unique_ptr<Stream>> accepted = co_await inner_->accept();
      if (!accepted && stale_) continue;
      if (!accepted) co_return accepted;
      const WireLog::Line line = network_.log_.accepted(network_.node_, (*accepted)->peer(), (*accepted)->local());
      co_return std::make_unique<RecordedStream>(std::move(*accepted), network_.log_, line, Side::acceptor, nullptr);
    }
    co_return fail(Errc::closed, "accept: closed");
  }
  void close() noexcept override {
    closed_ = true;
    inner_->close();
    may_listen_.notify();
  }
  const Endpoint& local() const override { return local_; }

  void begin_refusing() {
    stale_ = true;
    inner_->close();
  }
  void end_refusing() { may_listen_.notify(); }

 private:
  RecordedNetwork& network_;
  std::unique_ptr<Listener> inner_;
  const Endpoint local_;
  Wakeup may_listen_;
  bool stale_ = false;  // inner_ was closed by a refusal
  bool closed_ = false;
};

Task<Result<std::unique_ptr<Stream>>> RecordedNetwork::connect(Endpoint to, std::optional<IpAddress> from,
                                                               Deadline deadline) {
  Result<std::unique_ptr<Stream>> stream = co_await env_.network.connect(to, from, deadline);
  if (!stream) {
    if (stream.error().code != Errc::closed) {
      log_.refused(node_, Endpoint(from.value_or(IpAddress()), 0), to, std::string(to_string(stream.error().code)));
    }
    co_return stream;
  }
  const WireLog::Line line = log_.opened(node_, (*stream)->local(), (*stream)->peer());
  co_return std::make_unique<RecordedStream>(std::move(*stream), log_, line, Side::opener, &opened_);
}

void RecordedNetwork::close_opened() {
  while (!opened_.empty()) opened_.begin()->second->close();  // which takes it out
}

Result<std::unique_ptr<Listener>> RecordedNetwork::listen(const Endpoint& at) {
  Result<std::unique_ptr<Listener>> listener = env_.network.listen(at);
  if (!listener) return listener;
  return std::make_unique<ReopenedListener>(*this, std::move(*listener));
}

void RecordedNetwork::begin_refusing() {
  if (refusing_++ > 0) return;
  for (ReopenedListener* listener : listeners_) listener->begin_refusing();
}

void RecordedNetwork::end_refusing() {
  if (--refusing_ > 0) return;
  for (ReopenedListener* listener : listeners_) listener->end_refusing();
}

Result<std::unique_ptr<Datagram>> RecordedNetwork::open_datagram(const Endpoint& local) {
  Result<std::unique_ptr<Datagram>> socket = env_.network.open_datagram(local);
  if (!socket) return socket;
  return std::make_unique<RecordedDatagram>(std::move(*socket), log_, node_);
}

}  // namespace postproof::sim
