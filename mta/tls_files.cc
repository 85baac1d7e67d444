#include "mta/tls_files.h"

#include <tuple>

#include "mta/env/read_file.h"
#include "mta/tls/context.h"

namespace postproof {

namespace {

constexpr std::uint64_t kFileMax = 4 * 1024 * 1024;  // the bundle of a distribution's roots has 200 KB

}  // namespace

Task<Result<std::shared_ptr<const tls::Context>>> load_server_tls(Env& env, const TlsFiles& files) {
  tls::Identity identity;
  auto chain = co_await read_file(env.disk, files.certificate, kFileMax);
  if (!chain) co_return fail("tls.certificate", std::move(chain.error()));
  auto key = co_await read_file(env.disk, files.key, kFileMax);
  if (!key) co_return fail("tls.key", std::move(key.error()));
  identity.chain = std::move(*chain);
  identity.key = std::move(*key);
  std::string client_roots;
  if (!files.client_roots.empty()) {
    auto roots = co_await read_file(env.disk, files.client_roots, kFileMax);
    if (!roots) co_return fail("tls.client_ca", std::move(roots.error()));
    client_roots = std::move(*roots);
  }
  auto context = tls::Context::server(env, identity, client_roots);
  if (!context) co_return fail("tls.certificate " + files.certificate, std::move(context.error()));
  co_return context;
}

Task<Result<void>> load_tls(Env& env, Config& config) {
  if (!config.tls.certificate.empty()) {
    auto context = co_await load_server_tls(env, config.tls);
    if (!context) co_return std::unexpected(std::move(context.error()));
    config.server.tls_context = std::move(*context);
  } else if (!config.submission.listen.empty() || !config.submission.listen_tls.empty()) {
    co_return fail(Errc::invalid, "submission is within TLS only, and there is no tls.certificate");
  } else if (config.server.tls == smtp::TlsLevel::require) {
    co_return fail(Errc::invalid, "tls.server is \"require\", and there is no tls.certificate: nobody could send mail");
  }
  const tls::Policy& policy = config.router.tls;
  const bool note = policy.uses(tls::Level::may) || policy.uses(tls::Level::require);
  if (!note && !policy.uses(tls::Level::verify)) co_return Result<void>();
  std::string trusted;
  if (!config.tls.trusted.empty()) {
    auto roots = co_await read_file(env.disk, config.tls.trusted, kFileMax);
    if (!roots) co_return fail("tls.ca", std::move(roots.error()));
    trusted = std::move(*roots);
  }
  using Verify = tls::Context::Verify;
  for (const auto& [wanted, verify, into] :
       {std::tuple{note, Verify::note, &config.client.tls_context},
        std::tuple{policy.uses(tls::Level::verify), Verify::require, &config.client.tls_verify_context}}) {
    if (!wanted) continue;
    auto context = tls::Context::client(env, trusted, verify);
    if (!context) co_return fail("tls.ca " + config.tls.trusted, std::move(context.error()));
    *into = std::move(*context);
  }
  co_return Result<void>();
}

}  // namespace postproof
