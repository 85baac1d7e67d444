// TLS of one host of a scenario on real sockets: what it sends and reads within TLS is recorded, and with which keys,
// since an MTA that runs elsewhere tells nothing of it.
#pragma once

#include <string>
#include <utility>

#include "mta/env/tls_port.h"
#include "sim/recording/observed_tls.h"
#include "sim/serve/wire_log.h"

namespace postproof::sim {

class RecordedTls final : public TlsPort {
 public:
  // Both outlive it. OpenSSL is the inner one's.
  RecordedTls(TlsPort& inner, WireLog& log, std::string node) : inner_(inner), log_(log), node_(std::move(node)) {}

  std::shared_ptr<ossl_lib_ctx_st> library() override { return inner_.library(); }
  bool observes() const override { return true; }
  void plain(const Stream& under, std::string_view octets, std::size_t carried_by) override;
  void heard(const Stream& under, std::string_view octets) override;
  void report(const Stream& under, const TlsReport& report) override;
  void key(const Stream& under, std::string_view line) override;

 private:
  // Whether this end has to tell for the other one too.
  bool tells_for_both(const TlsPlace& place, const Stream& under) const {
    return !log_.far_is_ours(place.side, under.peer().address());
  }
  void add_plain(ConnectionId connection, Side from, std::string_view octets);

  TlsPort& inner_;
  WireLog& log_;
  const std::string node_;
};

}  // namespace postproof::sim
