// A world's own OpenSSL: a library context whose every random octet comes from one of the world's streams, so that
// keys, nonces and ciphertext are the same in each run. Costs nothing until its first use, then 0.8 ms.
#pragma once

#include <memory>

#include "mta/env/random.h"

struct ossl_lib_ctx_st;
struct ossl_provider_st;

namespace postproof::sim::world {

class TlsLibrary {
 public:
  explicit TlsLibrary(std::unique_ptr<Random> random);
  ~TlsLibrary();
  TlsLibrary(const TlsLibrary&) = delete;
  TlsLibrary& operator=(const TlsLibrary&) = delete;

  ossl_lib_ctx_st* context();

 private:
  std::unique_ptr<Random> random_;
  ossl_lib_ctx_st* context_ = nullptr;
  ossl_provider_st* random_provider_ = nullptr;
  ossl_provider_st* default_provider_ = nullptr;
};

}  // namespace postproof::sim::world
