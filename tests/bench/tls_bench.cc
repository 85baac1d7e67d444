// TLS handshakes a second and core: between two nodes of a simulation, recording on (dialing, handshake, an octet each
// way, close), beside bare OpenSSL over memory, both with the same settings and certificate, in one run.
//
//   bench_tls [SECONDS]      the bar: 70 % of bare OpenSSL
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "mta/base/check.h"
#include "mta/os/loop.h"
#include "mta/tls/stream.h"
#include "sim/world/node.h"
#include "sim/world/world.h"
#include "tests/mta/tls/identity.h"

using namespace postproof;

namespace {

constexpr unsigned kBatch = 200;  // handshakes in one world

// Processor time: other work on the machine does not count.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class NoEvents final : public EventSink {
 public:
  void emit(const Event&) override {}
};

void move_octets(BIO* from, BIO* to) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(from, &data);
  if (size > 0) BIO_write(to, data, static_cast<int>(size));
  BIO_reset(from);
}

void shake_bare(const tls::Context& client_context, const tls::Context& server_context) {
  SSL* ends[2] = {SSL_new(client_context.native()), SSL_new(server_context.native())};
  for (SSL* end : ends) SSL_set_bio(end, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ends[0]);
  SSL_set_accept_state(ends[1]);
  SSL_set_tlsext_host_name(ends[0], test::kTestName);
  while (SSL_is_init_finished(ends[0]) == 0 || SSL_is_init_finished(ends[1]) == 0) {
    for (int i = 0; i < 2; ++i) {
      SSL_do_handshake(ends[i]);
      move_octets(SSL_get_wbio(ends[i]), SSL_get_rbio(ends[1 - i]));
    }
  }
  PP_CHECK(SSL_get_verify_result(ends[0]) == X509_V_OK, "the bare handshake is no good");
  for (SSL* end : ends) SSL_free(end);
}

void simulate() {
  sim::Recording recording;
  sim::World world(sim::WorldSettings{}, recording);
  const Endpoint at = *Endpoint::parse("10.0.0.2:25");
  sim::Node& near = world.add_node("near", {*IpAddress::parse("10.0.0.1")});
  sim::Node& far = world.add_node("far", {at.address()});
  unsigned done = 0;
  far.start([&](Env& env) -> Task<void> {
    auto context = tls::Context::server(env, test::test_identity());
    auto listener = env.network.listen(at);
    for (unsigned i = 0; i < kBatch; ++i) {
      auto bare = co_await (*listener)->accept();
      tls::Stream stream(env, *context, std::move(*bare), {});
      static_cast<void>(co_await stream.handshake(kNever));
      static_cast<void>(co_await stream.write_all("2", kNever));
      char octet = 0;
      static_cast<void>(co_await stream.read_some(std::span(&octet, 1), kNever));
    }
  });
  near.start([&](Env& env) -> Task<void> {
    auto context = tls::Context::client(env, test::kTestRoot, tls::Context::Verify::require);
    for (unsigned i = 0; i < kBatch; ++i) {
      auto bare = co_await env.network.connect(at, std::nullopt, kNever);
      tls::Stream stream(env, *context, std::move(*bare), {}, test::kTestName);
      const auto shaken = co_await stream.handshake(kNever);
      char octet = 0;
      static_cast<void>(co_await stream.read_some(std::span(&octet, 1), kNever));
      static_cast<void>(co_await stream.write_all("E", kNever));
      done += shaken ? 1 : 0;
    }
  });
  world.run(std::chrono::hours{1}, [&] { return world.running_programs() == 0; });
  PP_CHECK(done == kBatch, "a simulated handshake failed: no figure");
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  NoEvents events;
  os::Workers workers(1);
  os::Loop loop(events, workers);
  const auto client = tls::Context::client(loop.env(), test::kTestRoot, tls::Context::Verify::note);
  const auto server = tls::Context::server(loop.env(), test::test_identity());
  shake_bare(**client, **server);
  unsigned bare = 0;
  double began = now();
  for (; now() - began < seconds; ++bare) shake_bare(**client, **server);
  const double bare_rate = bare / (now() - began);

  simulate();
  unsigned simulated = 0;
  began = now();
  for (; now() - began < seconds; simulated += kBatch) simulate();
  const double simulated_rate = simulated / (now() - began);
  std::printf("bare OpenSSL handshakes a second and core: %8.0f\n", bare_rate);
  std::printf("simulated TLS handshakes:                  %8.0f   (%.0f %%, recorded, %u a world)\n", simulated_rate,
              100 * simulated_rate / bare_rate, kBatch);
  return 0;
}
