#include "mta/auth/password_file.h"

#include <utility>

#include "mta/auth/nonce.h"
#include "mta/auth/plain.h"
#include "mta/auth/prepare.h"
#include "mta/auth/scram.h"
#include "mta/env/read_file.h"

namespace postproof::auth {

namespace {

constexpr Duration kFresh = 1s;
constexpr std::uint64_t kFileMax = 16 * 1024 * 1024;

Failure temporary(const Error& error) { return Failure{Refusal::temporary, {}, error.what}; }
Failure malformed() { return Failure{Refusal::malformed, {}, "malformed"}; }
Failure wrong(std::string login, std::string why) {
  return Failure{Refusal::credentials, std::move(login), std::move(why)};
}

// RFC 4422 section 3.4.1: nobody may act for another here, so whom to act for is oneself.
bool acts_for_itself(const std::string& authzid, const std::string& login) {
  return authzid.empty() || prepare(authzid) == prepare(login);
}

// A user and a password, as PLAIN and LOGIN bring them.
Task<Step> judge(PasswordFile& file, PlainMessage said) {
  const auto right = co_await file.check(said.login, said.password);
  if (!right) co_return temporary(right.error());
  if (!*right) co_return wrong(std::move(said.login), "wrong user or password");
  if (!acts_for_itself(said.authzid, said.login)) co_return wrong(std::move(said.login), "may not act for another");
  co_return Success{*prepare(said.login)};
}

class PlainExchange final : public Exchange {
 public:
  explicit PlainExchange(PasswordFile& file) : file_(file) {}

  Task<Step> step(std::optional<std::string> response) override {
    if (!response) co_return Challenge{};
    auto said = parse_plain(*response);
    if (!said) co_return malformed();
    co_return co_await judge(file_, std::move(*said));
  }

 private:
  PasswordFile& file_;
};

class LoginExchange final : public Exchange {
 public:
  explicit LoginExchange(PasswordFile& file) : file_(file) {}

  Task<Step> step(std::optional<std::string> response) override {
    if (!response) co_return Challenge{"Username:"};
    if (said_.login.empty()) {
      if (response->empty()) co_return malformed();
      said_.login = std::move(*response);
      co_return Challenge{"Password:"};
    }
    said_.password = std::move(*response);
    PlainMessage said = std::exchange(said_, {});
    co_return co_await judge(file_, std::move(said));
  }

 private:
  PasswordFile& file_;
  PlainMessage said_;
};

class ScramExchange final : public Exchange {
 public:
  ScramExchange(PasswordFile& file, const Channel& channel, bool plus, bool plus_offered)
      : file_(file), server_(channel, plus, plus_offered) {}

  Task<Step> step(std::optional<std::string> response) override {
    if (!response) co_return Challenge{};
    switch (stage_) {
      case Stage::first: break;
      case Stage::final: {
        auto signature = server_.final(*response);
        if (!signature) co_return failure(signature.error());
        stage_ = Stage::acknowledge;
        co_return Challenge{std::move(*signature)};
      }
      // RFC 4954 section 4: the outcome carries no data, so the signature was a challenge, and nothing answers it.
      case Stage::acknowledge: {
        if (!response->empty()) co_return malformed();
        if (!known_) co_return wrong(server_.user(), "wrong user or password");
        if (!acts_for_itself(server_.authzid(), server_.user())) co_return wrong(server_.user(), "may not act for another");
        co_return Success{*prepare(server_.user())};
      }
    }
    if (const auto said = server_.first(*response); !said) co_return failure(said.error());
    const auto table = co_await file_.table();
    if (!table) co_return temporary(table.error());
    const std::string user = prepare(server_.user()).value_or(server_.user());
    const Secret* secret = (*table)->find(user);
    const auto* verifier = secret == nullptr ? nullptr : std::get_if<ScramVerifier>(secret);
    known_ = verifier != nullptr;
    ScramVerifier used = known_ ? *verifier : (*table)->decoy_verifier(user);
    stage_ = Stage::final;
    const std::string nonce = file_.nonce();
    co_return Challenge{server_.challenge(std::move(used), nonce)};
  }

 private:
  enum class Stage : std::uint8_t { first, final, acknowledge };

  Failure failure(ScramFault fault) const {
    switch (fault) {
      case ScramFault::malformed: return malformed();
      case ScramFault::binding: return wrong(server_.user(), "channel binding does not fit");
      case ScramFault::wrong_nonce: return wrong(server_.user(), "wrong nonce");
      case ScramFault::wrong_proof: break;
    }
    return wrong(server_.user(), "wrong user or password");
  }

  PasswordFile& file_;
  ScramServer server_;
  Stage stage_ = Stage::first;
  bool known_ = false;
};

}  // namespace

PasswordFile::PasswordFile(Env& env, std::string path)
    : env_(env), path_(std::move(path)), random_(env.entropy.stream("auth.nonce")), table_(std::make_shared<PasswordTable>()) {}

Task<Result<void>> PasswordFile::load() {
  auto text = co_await read_file(env_.disk, path_, kFileMax);
  if (!text) co_return std::unexpected(std::move(text.error()));
  Problems problems(path_);
  table_ = std::make_shared<const PasswordTable>(take(std::move(*text), problems));
  if (!problems.empty()) co_return fail(Errc::invalid, problems.list().front().to_string());
  co_return Result<void>{};
}

Task<void> PasswordFile::refresh() { static_cast<void>(co_await table()); }

// SCRAM is offered where every line can serve it: a client takes the strongest that is offered, and could not log in else.
std::vector<Mechanism> PasswordFile::mechanisms() const {
  if (!table_->all_scram()) return {Mechanism::plain, Mechanism::login};
  return {Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login};
}

std::unique_ptr<Exchange> PasswordFile::begin(Mechanism mechanism, const Channel& channel, bool plus_offered) {
  switch (mechanism) {
    case Mechanism::plain: return std::make_unique<PlainExchange>(*this);
    case Mechanism::login: return std::make_unique<LoginExchange>(*this);
    case Mechanism::scram_sha_256: return std::make_unique<ScramExchange>(*this, channel, false, plus_offered);
    case Mechanism::scram_sha_256_plus: return std::make_unique<ScramExchange>(*this, channel, true, plus_offered);
    case Mechanism::external: break;
  }
  return nullptr;
}

Task<Result<std::shared_ptr<const PasswordTable>>> PasswordFile::table() {
  const MonoTime now = env_.clock.mono();
  if (read_at_ != MonoTime::min() && now - read_at_ < kFresh) co_return table_;
  auto text = co_await read_file(env_.disk, path_, kFileMax);
  if (!text) co_return std::unexpected(std::move(text.error()));
  if (*text != text_ || read_at_ == MonoTime::min()) {
    Problems problems(path_);
    table_ = std::make_shared<const PasswordTable>(take(std::move(*text), problems));
    for (const Problem& problem : problems.list()) {
      const std::string what = problem.to_string();
      env_.events.emit(event::Service{"trouble", what});
    }
  }
  read_at_ = now;
  co_return table_;
}

PasswordTable PasswordFile::take(std::string text, Problems& problems) {
  text_ = std::move(text);
  read_at_ = env_.clock.mono();
  return PasswordTable::parse(text_, problems);
}

Task<Result<bool>> PasswordFile::check(std::string user, std::string password) {
  const auto now = co_await table();
  if (!now) co_return std::unexpected(now.error());
  const auto name = prepare(user);
  const auto text = prepare(password);
  const Secret* real = name ? (*now)->find(*name) : nullptr;
  const Secret* checked = real != nullptr ? real : (*now)->decoy(user);
  if (checked == nullptr) co_return false;  // an empty table: nobody can log in
  bool fits = false;
  Work::Job job = [&] { fits = matches(*checked, text.value_or(password)); };
  const auto done = co_await env_.work.run(std::move(job));
  if (!done) co_return std::unexpected(done.error());
  co_return fits && real != nullptr && text.has_value();
}

std::string PasswordFile::nonce() { return make_nonce(*random_); }

}  // namespace postproof::auth
