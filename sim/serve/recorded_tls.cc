#include "sim/serve/recorded_tls.h"

namespace postproof::sim {

// As octets of the wire: ours count as arrived when they are sent.
void RecordedTls::add_plain(ConnectionId connection, Side from, std::string_view octets) {
  log_.add_arrived(record::Plain{connection, from, std::string(octets), std::nullopt});
}

void RecordedTls::plain(const Stream& under, std::string_view octets, std::size_t) {
  const TlsPlace place = tls_place(log_.recorder(), under);
  if (place.connection != 0) add_plain(place.connection, place.side, octets);
}

void RecordedTls::heard(const Stream& under, std::string_view octets) {
  const TlsPlace place = tls_place(log_.recorder(), under);
  if (place.connection == 0 || !tells_for_both(place, under)) return;
  add_plain(place.connection, place.side == Side::opener ? Side::acceptor : Side::opener, octets);
}

void RecordedTls::report(const Stream& under, const TlsReport& report) {
  const TlsPlace place = tls_place(log_.recorder(), under);
  if (place.connection != 0) log_.recorder().add(tls_record(place, node_, report));
}

void RecordedTls::key(const Stream& under, std::string_view line) {
  const TlsPlace place = tls_place(log_.recorder(), under);
  if (place.connection == 0 || (place.side == Side::acceptor && !tells_for_both(place, under))) return;
  log_.recorder().add(record::TlsKey{place.connection, std::string(line)});
}

}  // namespace postproof::sim
