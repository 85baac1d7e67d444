#include "sim/world/sim_tls.h"

#include "mta/env/stream.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"

namespace postproof::sim::world {

namespace {

std::string_view text(TlsReport::State state) {
  switch (state) {
    case TlsReport::State::established: return "established";
    case TlsReport::State::failed: return "failed";
    case TlsReport::State::closed: return "closed";
    case TlsReport::State::truncated: return "truncated";
  }
  return "unknown";
}

struct Place {
  ConnectionId connection = 0;  // 0: of no connection of this world
  Side side = Side::opener;
};

// By its endpoints: whatever else stands between TLS and the network passes them on.
Place place_of(const Recorder& recorder, const Stream& stream) {
  if (const ConnectionId id = recorder.connection(stream.local(), stream.peer())) return {id, Side::opener};
  return {recorder.connection(stream.peer(), stream.local()), Side::acceptor};
}

}  // namespace

std::shared_ptr<ossl_lib_ctx_st> SimTls::library() {
  const std::shared_ptr<TlsLibrary>& tls = life_.host().core.tls;
  return {tls, tls->context()};
}

void SimTls::plain(const Stream& under, std::string_view octets, std::size_t carried_by) {
  Core& core = life_.host().core;
  const Place place = place_of(core.recorder, under);
  if (life_.gone() || place.connection == 0) return;
  core.add(record::Plain{place.connection, place.side, std::string(octets), std::nullopt});
  const auto& open = core.network->impl().open;
  const auto connection = open.find(place.connection);
  if (connection != open.end()) connection->second->carry_plain(place.side, core.last_record(), carried_by);
}

void SimTls::report(const Stream& under, const TlsReport& report) {
  Core& core = life_.host().core;
  const Place place = place_of(core.recorder, under);
  if (life_.gone() || place.connection == 0) return;
  record::Tls told{place.connection,
                   place.side,
                   life_.host().name,
                   std::string(text(report.state)),
                   std::string(report.version),
                   std::string(report.cipher),
                   std::string(report.server_name),
                   std::string(report.verified),
                   std::string(report.detail)};
  core.add(std::move(told));
}

void SimTls::key(const Stream& under, std::string_view line) {
  Core& core = life_.host().core;
  const Place place = place_of(core.recorder, under);
  if (life_.gone() || place.connection == 0) return;
  core.add(record::TlsKey{place.connection, std::string(line)});
}

}  // namespace postproof::sim::world
