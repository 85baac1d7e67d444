#include "sim/world/sim_tls.h"

#include "sim/recording/observed_tls.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"

namespace postproof::sim::world {

std::shared_ptr<ossl_lib_ctx_st> SimTls::library() {
  const std::shared_ptr<TlsLibrary>& tls = life_.host().core.tls;
  return {tls, tls->context()};
}

void SimTls::plain(const Stream& under, std::string_view octets, std::size_t carried_by) {
  Core& core = life_.host().core;
  const TlsPlace place = tls_place(core.recorder, under);
  if (life_.gone() || place.connection == 0) return;
  core.add(record::Plain{place.connection, place.side, std::string(octets), std::nullopt});
  const auto& open = core.network->impl().open;
  const auto connection = open.find(place.connection);
  if (connection != open.end()) connection->second->carry_plain(place.side, core.last_record(), carried_by);
}

void SimTls::report(const Stream& under, const TlsReport& report) {
  Core& core = life_.host().core;
  const TlsPlace place = tls_place(core.recorder, under);
  if (life_.gone() || place.connection == 0) return;
  core.add(tls_record(place, life_.host().name, report));
}

void SimTls::key(const Stream& under, std::string_view line) {
  Core& core = life_.host().core;
  const TlsPlace place = tls_place(core.recorder, under);
  if (life_.gone() || place.connection == 0 || place.side != Side::opener) return;  // one of both sides is enough
  core.add(record::TlsKey{place.connection, std::string(line)});
}

}  // namespace postproof::sim::world
