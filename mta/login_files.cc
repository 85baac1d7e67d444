#include "mta/login_files.h"

#include "mta/auth/authenticator.h"
#include "mta/env/read_file.h"

namespace postproof {

namespace {

constexpr std::uint64_t kPasswordMax = 4096;

}  // namespace

Task<Result<void>> load_smarthost_login(Env& env, Config& config) {
  const SmarthostLogin& login = config.smarthost_login;
  if (login.login.empty()) co_return Result<void>{};
  auto text = co_await read_file(env.disk, login.password_file, kPasswordMax);
  if (!text) co_return fail("route.smarthost_password_file", std::move(text.error()));
  std::string password = text->substr(0, text->find_first_of("\r\n"));
  if (password.empty()) co_return fail(Errc::invalid, "route.smarthost_password_file " + login.password_file + ": its first line is empty");
  config.client.credentials = auth::Credentials{login.login, std::move(password)};
  co_return Result<void>{};
}

Task<Result<void>> check_logins(Env& env, const Config& config) {
  auth::Authenticator logins(env, config.auth, auth::make_verifier(env, config.auth));
  auto loaded = co_await logins.load();
  if (!loaded) co_return fail("auth.password_file", std::move(loaded.error()));
  co_return loaded;
}

}  // namespace postproof
