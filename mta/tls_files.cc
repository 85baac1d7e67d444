#include "mta/tls_files.h"

#include <tuple>

#include "mta/env/read_file.h"
#include "mta/tls/context.h"

namespace postproof {

namespace {

constexpr std::uint64_t kFileMax = 4 * 1024 * 1024;  // the bundle of a distribution's roots has 200 KB

// A certificate and its key, which serve by themselves: errors name the file that does not.
Task<Result<tls::Identity>> load_identity(Env& env, TlsSettings::Pair files, std::string where) {
  auto chain = co_await read_file(env.disk, files.certificate, kFileMax);
  if (!chain) co_return fail(where + "certificate", std::move(chain.error()));
  auto key = co_await read_file(env.disk, files.key, kFileMax);
  if (!key) co_return fail(where + "key", std::move(key.error()));
  tls::Identity identity;
  identity.chain = std::move(*chain);
  identity.key = std::move(*key);
  const auto alone = tls::Context::server(env, identity);
  if (!alone) co_return fail(where + "certificate " + files.certificate, Error(alone.error()));
  co_return identity;
}

// Certificates of roots, PEM; empty: the configuration names no file.
Task<Result<std::string>> load_roots(Env& env, std::string path, std::string key) {
  if (path.empty()) co_return std::string();
  auto roots = co_await read_file(env.disk, path, kFileMax);
  if (!roots) co_return fail(key, std::move(roots.error()));
  const auto trusting = tls::Context::client(env, *roots, tls::Context::Verify::note);
  if (!trusting) co_return fail(key + " " + path, Error(trusting.error()));
  if (!(*trusting)->verifies()) co_return fail(Errc::invalid, key + " " + path + ": no certificate is there; expected PEM");
  co_return roots;
}

}  // namespace

Task<Result<std::shared_ptr<const tls::Context>>> load_server_tls(Env& env, const TlsSettings& settings) {
  auto identity = co_await load_identity(env, settings.own, "tls.");
  if (!identity) co_return std::unexpected(std::move(identity.error()));
  std::vector<tls::Identity> others;
  for (const TlsSettings::Pair& pair : settings.others) {
    auto other = co_await load_identity(env, pair, "tls.identity.");
    if (!other) co_return std::unexpected(std::move(other.error()));
    others.push_back(std::move(*other));
  }
  const auto client_roots = co_await load_roots(env, settings.client_roots, "tls.client_ca");
  if (!client_roots) co_return std::unexpected(client_roots.error());
  auto context = tls::Context::server(env, *identity, *client_roots, others, settings.terms);
  if (!context) co_return fail("tls", std::move(context.error()));
  co_return context;
}

Task<Result<void>> load_tls(Env& env, Config& config) {
  if (!config.tls.own.certificate.empty()) {
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
  const auto trusted = co_await load_roots(env, config.tls.trusted, "tls.ca");
  if (!trusted) co_return std::unexpected(trusted.error());
  using Verify = tls::Context::Verify;
  for (const auto& [wanted, verify, into] :
       {std::tuple{note, Verify::note, &config.client.tls_context},
        std::tuple{policy.uses(tls::Level::verify), Verify::require, &config.client.tls_verify_context}}) {
    if (!wanted) continue;
    auto context = tls::Context::client(env, *trusted, verify, config.tls.terms);
    if (!context) co_return fail("tls", std::move(context.error()));
    *into = std::move(*context);
  }
  co_return Result<void>();
}

}  // namespace postproof
