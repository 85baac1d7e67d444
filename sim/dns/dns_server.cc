#include "sim/dns/dns_server.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <utility>

#include "mta/env/task_group.h"
#include "mta/env/wakeup.h"
#include "sim/dns/responder.h"

namespace postproof::sim {

namespace {

constexpr std::size_t kUdpQuestionOctetsMax = 4096;
constexpr Duration kTcpIdle = 10s;          // RFC 7766 section 6.2.3
constexpr unsigned kErrorsInARowMax = 100;  // of a socket that only ever fails

// Whether all of it came; false at the end of the stream and on every error.
Task<bool> read_all(Stream& stream, std::span<char> into, Deadline deadline) {
  while (!into.empty()) {
    const Result<std::size_t> got = co_await stream.read_some(into, deadline);
    if (!got || *got == 0) co_return false;
    into = into.subspan(*got);
  }
  co_return true;
}

}  // namespace

struct DnsServer::Impl {
  Impl(Env& e, ZoneData zones, const std::vector<std::string>& secure, Recorder& r, std::string own, NodeOf of)
      : env(e),
        responder(std::move(zones), secure),
        recorder(r),
        node(std::move(own)),
        node_of(std::move(of)),
        tasks(e.executor) {}

  Task<Result<void>> run(Endpoint wanted) {
    Result<std::unique_ptr<Datagram>> opened = env.network.open_datagram(wanted);
    if (!opened) co_return fail("DNS server", std::move(opened.error()));
    udp = std::move(*opened);
    at = udp->local();
    running = !stopped;
    Result<void> served = listen_tcp();
    if (served && running) served = co_await serve_udp();
    stop();
    co_await tasks.join();
    udp.reset();
    if (!served && served.error().code != Errc::closed) co_return fail("DNS server", std::move(served.error()));
    co_return Result<void>{};
  }

  void stop() {
    stopped = true;
    running = false;
    if (udp) udp->close();
    if (tcp) tcp->close();
    for (const auto& [id, stream] : streams) stream->close();
    for (const auto& [id, stopping] : waits) stopping->notify();
  }

  // Nobody listens on TCP while a fault for all names says so.
  Result<void> listen_tcp() {
    if (!running || responder.faults().tcp_closed()) return {};
    Result<std::unique_ptr<Listener>> listening = env.network.listen(at);
    if (!listening) return std::unexpected(std::move(listening.error()));
    tcp = std::move(*listening);
    tasks.spawn(accept_all(tcp));
    return {};
  }

  void faults_changed() {
    const bool closed = responder.faults().tcp_closed();
    if (closed && tcp) {
      tcp->close();
      tcp.reset();
    } else if (!closed && !tcp && running) {
      const Result<void> listening = listen_tcp();
      if (!listening) recorder.add(record::Fault{"dns.tcp-refuse", node, 0, "stays: " + listening.error().what});
    }
  }

  Task<Result<void>> serve_udp() {
    std::array<char, kUdpQuestionOctetsMax> buffer;
    unsigned errors = 0;
    while (running) {
      const Result<Datagram::Received> received = co_await udp->receive(buffer, kNever);
      if (!received) {
        if (received.error().code == Errc::closed || ++errors > kErrorsInARowMax) {
          co_return std::unexpected(received.error());
        }
        continue;
      }
      errors = 0;
      const DnsResponse response = respond({buffer.data(), received->size}, DnsTransport::udp, received->from);
      if (response.act != DnsResponse::Act::answer) continue;
      if (response.delay > Duration{0}) {
        tasks.spawn(answer_later(response.octets, received->from, env.clock.mono() + response.delay));
        continue;
      }
      // A datagram that cannot be sent is one that got lost.
      [[maybe_unused]] const Result<void> sent = co_await udp->send_to(response.octets, received->from, kNever);
    }
    co_return Result<void>{};
  }

  Task<void> answer_later(std::string octets, Endpoint to, MonoTime when) {
    const bool there = co_await wait(when);
    if (!there) co_return;
    [[maybe_unused]] const Result<void> sent = co_await udp->send_to(octets, to, kNever);
  }

  // False: the server has stopped meanwhile.
  Task<bool> wait(MonoTime until) {
    Wakeup stopping(env);
    const std::uint64_t id = next_wait++;
    waits[id] = &stopping;
    Woken woken = Woken::notified;
    while (running && woken == Woken::notified) woken = co_await stopping.wait(until);
    waits.erase(id);
    co_return running && woken == Woken::deadline;
  }

  Task<void> accept_all(std::shared_ptr<Listener> listener) {
    unsigned errors = 0;
    for (;;) {
      Result<std::unique_ptr<Stream>> accepted = co_await listener->accept();
      if (accepted) {
        errors = 0;
        tasks.spawn(serve_stream(std::move(*accepted)));
      } else if (accepted.error().code == Errc::closed || ++errors > kErrorsInARowMax) {
        co_return;
      }
    }
  }

  // Questions one after the other, until the client leaves or is idle for too long.
  Task<void> serve_stream(std::unique_ptr<Stream> stream) {
    const std::uint64_t id = next_stream++;
    streams[id] = stream.get();
    while (running) {
      std::array<char, 2> length{};
      bool done = co_await read_all(*stream, length, env.clock.mono() + kTcpIdle);
      if (!done) break;
      std::string question(static_cast<unsigned char>(length[0]) << 8 | static_cast<unsigned char>(length[1]), '\0');
      done = co_await read_all(*stream, question, env.clock.mono() + kTcpIdle);
      if (!done) break;
      const DnsResponse response = respond(question, DnsTransport::tcp, stream->peer());
      if (response.act == DnsResponse::Act::reset) {
        stream->reset();
        break;
      }
      if (response.act == DnsResponse::Act::silence) continue;
      if (response.delay > Duration{0}) {
        const bool there = co_await wait(env.clock.mono() + response.delay);
        if (!there) break;
      }
      std::string framed;
      framed += static_cast<char>(response.octets.size() >> 8);
      framed += static_cast<char>(response.octets.size() & 0xff);
      framed += response.octets;
      const Result<void> sent = co_await stream->write_all(framed, env.clock.mono() + kTcpIdle);
      if (!sent) break;
    }
    streams.erase(id);
    stream->close();
  }

  DnsResponse respond(std::string_view question, DnsTransport transport, const Endpoint& from) {
    std::optional<DnsResponse> response = responder.respond(question, transport);
    if (!response) {
      DnsResponse nothing;
      nothing.act = DnsResponse::Act::silence;
      return nothing;
    }
    for (const DnsFault* fault : response->struck) {
      recorder.add(record::Fault{fmt::format("dns.{}", to_string(fault->kind)), response->name, fault->line,
                                 fmt::format("{} {}: {}", response->name, response->type, response->text)});
    }
    const std::string client = node_of ? node_of(from.address()) : from.address().to_string();
    recorder.add(
        record::Dns{node, client, response->name, response->type, std::string(to_string(transport)), response->text});
    return std::move(*response);
  }

  Env& env;
  Responder responder;
  Recorder& recorder;
  const std::string node;
  const NodeOf node_of;
  TaskGroup tasks;
  Endpoint at;
  std::unique_ptr<Datagram> udp;
  std::shared_ptr<Listener> tcp;
  std::map<std::uint64_t, Stream*> streams;
  std::uint64_t next_stream = 1;
  std::map<std::uint64_t, Wakeup*> waits;  // of answers that come later
  std::uint64_t next_wait = 1;
  bool running = false;
  bool stopped = false;
};

DnsServer::DnsServer(Env& env, ZoneData zones, std::vector<std::string> secure, Recorder& recorder, std::string node,
                     NodeOf node_of)
    : impl_(std::make_unique<Impl>(env, std::move(zones), secure, recorder, std::move(node), std::move(node_of))) {}
DnsServer::~DnsServer() = default;

std::uint64_t DnsServer::add_fault(DnsFault fault) {
  const std::uint64_t id = impl_->responder.faults().add(std::move(fault));
  impl_->faults_changed();
  return id;
}

void DnsServer::remove_fault(std::uint64_t id) {
  impl_->responder.faults().remove(id);
  impl_->faults_changed();
}

void DnsServer::set_zones(ZoneData zones) { impl_->responder.set_zones(std::move(zones)); }

Task<Result<void>> DnsServer::run(Endpoint at) { co_return co_await impl_->run(std::move(at)); }

void DnsServer::stop() { impl_->stop(); }

}  // namespace postproof::sim
