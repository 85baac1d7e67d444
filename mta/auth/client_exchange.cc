#include "mta/auth/client_exchange.h"

#include <algorithm>
#include <utility>

#include "mta/auth/plain.h"
#include "mta/auth/prepare.h"
#include "mta/auth/scram.h"
#include "mta/auth/nonce.h"

namespace postproof::auth {

namespace {

std::unexpected<Error> too_much() { return fail(Errc::protocol, "the server asks for more than the mechanism has"); }

class PlainClient final : public ClientExchange {
 public:
  explicit PlainClient(Credentials credentials) : credentials_(std::move(credentials)) {}

  std::optional<std::string> initial() override { return plain_message(credentials_.login, credentials_.password); }
  Task<Result<std::string>> answer(std::string) override { co_return too_much(); }
  Result<void> finish() const override { return {}; }

 private:
  Credentials credentials_;
};

class LoginClient final : public ClientExchange {
 public:
  explicit LoginClient(Credentials credentials) : credentials_(std::move(credentials)) {}

  std::optional<std::string> initial() override { return std::nullopt; }
  Task<Result<std::string>> answer(std::string) override {
    switch (asked_++) {
      case 0: co_return credentials_.login;
      case 1: co_return credentials_.password;
      default: co_return too_much();
    }
  }
  Result<void> finish() const override { return {}; }

 private:
  Credentials credentials_;
  unsigned asked_ = 0;
};

class ScramSha256Client final : public ClientExchange {
 public:
  ScramSha256Client(Env& env, Credentials credentials, std::string nonce)
      : env_(env), scram_(std::move(credentials.login), std::move(credentials.password), std::move(nonce)) {}

  std::optional<std::string> initial() override { return scram_.first(); }

  Task<Result<std::string>> answer(std::string challenge) override {
    switch (asked_++) {
      case 0: {
        Result<std::string> final;
        Work::Job job = [&] { final = scram_.final(challenge); };
        const auto done = co_await env_.work.run(std::move(job));
        if (!done) co_return std::unexpected(done.error());
        co_return final;
      }
      case 1: {
        if (const auto shown = scram_.verify(challenge); !shown) co_return std::unexpected(shown.error());
        verified_ = true;
        co_return std::string();
      }
      default: co_return too_much();
    }
  }

  Result<void> finish() const override {
    if (verified_) return {};
    return fail(Errc::protocol, "SCRAM: the server does not show that it knows the password");
  }

 private:
  Env& env_;
  ScramClient scram_;
  unsigned asked_ = 0;
  bool verified_ = false;
};

}  // namespace

std::optional<Mechanism> choose_mechanism(const std::vector<std::string>& offered) {
  for (const Mechanism mechanism : {Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login}) {
    const bool there = std::any_of(offered.begin(), offered.end(),
                                   [&](const std::string& word) { return parse_mechanism(word) == mechanism; });
    if (there) return mechanism;
  }
  return std::nullopt;
}

std::unique_ptr<ClientExchange> begin_as_client(Env& env, Mechanism mechanism, const Credentials& credentials) {
  Credentials prepared;
  prepared.login = prepare(credentials.login).value_or(credentials.login);
  prepared.password = prepare(credentials.password).value_or(credentials.password);
  if (mechanism == Mechanism::plain) return std::make_unique<PlainClient>(std::move(prepared));
  if (mechanism == Mechanism::login) return std::make_unique<LoginClient>(std::move(prepared));
  const auto random = env.entropy.stream("auth.client-nonce");
  return std::make_unique<ScramSha256Client>(env, std::move(prepared), make_nonce(*random));
}

}  // namespace postproof::auth
