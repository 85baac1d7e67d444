// What an observer of TLS (TlsPort) records of it.
#pragma once

#include <string>

#include "mta/env/stream.h"
#include "mta/env/tls_port.h"
#include "sim/recording/recorder.h"

namespace postproof::sim {

// The end of a connection that TLS tells of.
struct TlsPlace {
  ConnectionId connection = 0;  // 0: none that was recorded
  Side side = Side::opener;
};

// By the endpoints of the stream: whatever else stands between TLS and the network passes them on.
TlsPlace tls_place(const Recorder& recorder, const Stream& stream);

record::Tls tls_record(const TlsPlace& place, std::string node, const TlsReport& report);

}  // namespace postproof::sim
