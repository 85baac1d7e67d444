// TLS as a node of the simulation sees it: the world's own OpenSSL, and the recording of what is sent through it.
#pragma once

#include "mta/env/tls_port.h"

namespace postproof::sim::world {

class Life;

class SimTls final : public TlsPort {
 public:
  explicit SimTls(Life& life) : life_(life) {}

  std::shared_ptr<ossl_lib_ctx_st> library() override;
  bool observes() const override { return true; }
  void plain(const Stream& under, std::string_view octets, std::size_t carried_by) override;
  void heard(const Stream&, std::string_view) override {}  // whoever sent it has told it
  void report(const Stream& under, const TlsReport& report) override;
  void key(const Stream& under, std::string_view line) override;

 private:
  Life& life_;
};

}  // namespace postproof::sim::world
