// The provider implements OSSL_OP_RAND, and is set as the context's generator and as its seed source. OpenSSL makes a
// generator for each thread; all of them draw from the one stream, which the provider holds, since a world may be
// driven by one thread after another.
#include "sim/world/tls_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "mta/base/check.h"

namespace postproof::sim::world {

namespace {

constexpr const char* kName = "POSTPROOF-RANDOM";
constexpr unsigned kStrength = 256;  // in bits, claimed: more than anything asks for
constexpr std::size_t kRequestMax = 1024 * 1024;

struct Provider {
  Random* random = nullptr;
};

// One of OpenSSL's generators.
struct Generator {
  Provider* provider;
  int state = EVP_RAND_STATE_UNINITIALISED;
};

void* new_generator(void* provider, void*, const OSSL_DISPATCH*) {
  return new Generator{static_cast<Provider*>(provider)};
}
void free_generator(void* generator) { delete static_cast<Generator*>(generator); }

int instantiate(void* generator, unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_READY;
  return 1;
}

int uninstantiate(void* generator) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_UNINITIALISED;
  return 1;
}

int generate(void* generator, unsigned char* out, std::size_t size, unsigned, int, const unsigned char*, std::size_t) {
  Random* random = static_cast<Generator*>(generator)->provider->random;
  if (random == nullptr) return 0;
  while (size > 0) {
    std::uint64_t word = random->next();
    for (std::size_t i = std::min<std::size_t>(size, sizeof word); i > 0; --i, --size, word >>= 8) {
      *out++ = static_cast<unsigned char>(word);
    }
  }
  return 1;
}

int reseed(void*, int, const unsigned char*, std::size_t, const unsigned char*, std::size_t) { return 1; }
int enable_locking(void*) { return 1; }

const OSSL_PARAM* gettable_parameters(void*, void*) {
  static const OSSL_PARAM parameters[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                          OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                          OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr), OSSL_PARAM_END};
  return parameters;
}

int get_parameters(void* generator, OSSL_PARAM parameters[]) {
  OSSL_PARAM* wanted = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STATE);
  if (wanted != nullptr && !OSSL_PARAM_set_int(wanted, static_cast<Generator*>(generator)->state)) return 0;
  wanted = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STRENGTH);
  if (wanted != nullptr && !OSSL_PARAM_set_uint(wanted, kStrength)) return 0;
  wanted = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_MAX_REQUEST);
  if (wanted != nullptr && !OSSL_PARAM_set_size_t(wanted, kRequestMax)) return 0;
  return 1;
}

template <class F>
OSSL_DISPATCH entry(int id, F* function) {
  return OSSL_DISPATCH{id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  static const OSSL_DISPATCH functions[] = {entry(OSSL_FUNC_RAND_NEWCTX, &new_generator),
                                            entry(OSSL_FUNC_RAND_FREECTX, &free_generator),
                                            entry(OSSL_FUNC_RAND_INSTANTIATE, &instantiate),
                                            entry(OSSL_FUNC_RAND_UNINSTANTIATE, &uninstantiate),
                                            entry(OSSL_FUNC_RAND_GENERATE, &generate),
                                            entry(OSSL_FUNC_RAND_RESEED, &reseed),
                                            entry(OSSL_FUNC_RAND_ENABLE_LOCKING, &enable_locking),
                                            entry(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, &gettable_parameters),
                                            entry(OSSL_FUNC_RAND_GET_CTX_PARAMS, &get_parameters),
                                            OSSL_DISPATCH{0, nullptr}};
  static const OSSL_ALGORITHM algorithms[] = {{kName, "provider=postproof", functions, nullptr},
                                              {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? algorithms : nullptr;
}

void tear_down(void* provider) { delete static_cast<Provider*>(provider); }

int begin_provider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** provider) {
  static const OSSL_DISPATCH functions[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, &query),
                                            entry(OSSL_FUNC_PROVIDER_TEARDOWN, &tear_down), OSSL_DISPATCH{0, nullptr}};
  *out = functions;
  *provider = new Provider;
  return 1;
}

}  // namespace

TlsLibrary::TlsLibrary(std::unique_ptr<Random> random) : random_(std::move(random)) {}

TlsLibrary::~TlsLibrary() {
  if (context_ == nullptr) return;
  OSSL_PROVIDER_unload(default_provider_);
  OSSL_PROVIDER_unload(random_provider_);
  OSSL_LIB_CTX_free(context_);
}

ossl_lib_ctx_st* TlsLibrary::context() {
  if (context_ != nullptr) return context_;
  // Before libssl does it by itself: what the machine's openssl.cnf says is no part of a world.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  context_ = OSSL_LIB_CTX_new();
  PP_CHECK(context_ != nullptr, "no memory for an OpenSSL library context");
  PP_CHECK(OSSL_PROVIDER_add_builtin(context_, "postproof", &begin_provider) == 1, "OpenSSL takes no provider");
  random_provider_ = OSSL_PROVIDER_load(context_, "postproof");
  default_provider_ = OSSL_PROVIDER_load(context_, "default");
  PP_CHECK(random_provider_ != nullptr && default_provider_ != nullptr, "OpenSSL loads no provider");
  static_cast<Provider*>(OSSL_PROVIDER_get0_provider_ctx(random_provider_))->random = random_.get();
  PP_CHECK(RAND_set_DRBG_type(context_, kName, nullptr, nullptr, nullptr) == 1 &&
               RAND_set_seed_source_type(context_, kName, nullptr) == 1,
           "OpenSSL takes no random generator");
  return context_;
}

}  // namespace postproof::sim::world
