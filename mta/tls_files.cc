#include "mta/tls_files.h"

#include <span>

#include "mta/tls/context.h"

namespace postproof {

namespace {

constexpr std::uint64_t kFileMax = 4 * 1024 * 1024;  // the bundle of a distribution's roots has 200 KB

Task<Result<std::string>> read_file(Env& env, std::string path) {
  auto file = co_await env.disk.open(path, OpenMode::read);
  if (!file) co_return std::unexpected(std::move(file.error()));
  const auto size = co_await (*file)->size();
  if (!size) co_return std::unexpected(size.error());
  if (*size > kFileMax) co_return fail(Errc::too_large, path + " is too large to be PEM");
  std::string text(static_cast<std::size_t>(*size), '\0');
  if (text.empty()) co_return text;
  const auto got = co_await (*file)->read_at(0, text);
  if (!got) co_return std::unexpected(got.error());
  text.resize(*got);
  co_return text;
}

}  // namespace

Task<Result<void>> load_tls(Env& env, Config& config) {
  if (!config.tls.certificate.empty()) {
    tls::Identity identity;
    auto chain = co_await read_file(env, config.tls.certificate);
    if (!chain) co_return fail("tls.certificate", std::move(chain.error()));
    auto key = co_await read_file(env, config.tls.key);
    if (!key) co_return fail("tls.key", std::move(key.error()));
    identity.chain = std::move(*chain);
    identity.key = std::move(*key);
    auto context = tls::Context::server(env, identity);
    if (!context) co_return fail("tls.certificate " + config.tls.certificate, std::move(context.error()));
    config.server.tls_context = std::move(*context);
  } else if (config.server.tls == smtp::TlsLevel::require) {
    co_return fail(Errc::invalid, "tls.server is \"require\", and there is no tls.certificate: nobody could send mail");
  }
  if (config.client.tls == smtp::TlsLevel::none) co_return Result<void>();
  std::string trusted;
  if (!config.tls.trusted.empty()) {
    auto roots = co_await read_file(env, config.tls.trusted);
    if (!roots) co_return fail("tls.ca", std::move(roots.error()));
    trusted = std::move(*roots);
  }
  const auto verify =
      config.client.tls == smtp::TlsLevel::verify ? tls::Context::Verify::require : tls::Context::Verify::note;
  auto context = tls::Context::client(env, trusted, verify);
  if (!context) co_return fail("tls.ca " + config.tls.trusted, std::move(context.error()));
  config.client.tls_context = std::move(*context);
  co_return Result<void>();
}

}  // namespace postproof
