#include "sim/recording/observed_tls.h"

#include <utility>

namespace postproof::sim {

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

}  // namespace

TlsPlace tls_place(const Recorder& recorder, const Stream& stream) {
  if (const ConnectionId id = recorder.connection(stream.local(), stream.peer())) return {id, Side::opener};
  return {recorder.connection(stream.peer(), stream.local()), Side::acceptor};
}

record::Tls tls_record(const TlsPlace& place, std::string node, const TlsReport& report) {
  return record::Tls{place.connection,
                     place.side,
                     std::move(node),
                     std::string(text(report.state)),
                     std::string(report.version),
                     std::string(report.cipher),
                     std::string(report.server_name),
                     std::string(report.verified),
                     std::string(report.detail)};
}

}  // namespace postproof::sim
