#include "mta/auth/authenticator.h"

#include <algorithm>

#include "mta/auth/dovecot.h"
#include "mta/auth/password_file.h"
#include "mta/auth/prepare.h"

namespace postproof::auth {

namespace {

constexpr unsigned kDelaysMax = 10;  // failures that make the delay longer

// RFC 4422 appendix A: the connection has said who it is, and the response whom to act for.
class ExternalExchange final : public Exchange {
 public:
  explicit ExternalExchange(const std::vector<std::string>& names) : names_(names) {}

  Task<Step> step(std::optional<std::string> response) override {
    if (!response) co_return Challenge{};
    if (response->empty()) co_return Success{names_.front()};
    const auto wanted = prepare(*response);
    const bool own = wanted && std::find(names_.begin(), names_.end(), *wanted) != names_.end();
    if (!own) co_return Failure{Refusal::credentials, names_.front(), "may not act for another"};
    co_return Success{*wanted};
  }

 private:
  std::vector<std::string> names_;
};

bool holds(const std::vector<Mechanism>& list, Mechanism mechanism) {
  return std::find(list.begin(), list.end(), mechanism) != list.end();
}

}  // namespace

std::unique_ptr<Verifier> make_verifier(Env& env, const Settings& settings) {
  if (!settings.password_file.empty()) return std::make_unique<PasswordFile>(env, settings.password_file);
  if (!settings.dovecot_socket.empty()) return std::make_unique<Dovecot>(env, settings.dovecot_socket);
  return nullptr;
}

Authenticator::Authenticator(Env& env, const Settings& settings, std::unique_ptr<Verifier> verifier)
    : env_(env), settings_(settings), verifier_(std::move(verifier)) {}

Authenticator::~Authenticator() = default;

Task<Result<void>> Authenticator::load() {
  if (!verifier_) co_return Result<void>{};
  co_return co_await verifier_->load();
}

Task<void> Authenticator::refresh() {
  if (verifier_) co_await verifier_->refresh();
}

bool Authenticator::allowed(Mechanism mechanism) const {
  return !settings_.mechanisms || holds(*settings_.mechanisms, mechanism);
}

bool Authenticator::usable(Mechanism mechanism, const Channel& channel) const {
  if (mechanism == Mechanism::external) return !channel.certificate_names.empty();
  if (!verifier_ || !holds(verifier_->mechanisms(), mechanism)) return false;
  const bool bound = !channel.tls_exporter.empty() || !channel.tls_server_end_point.empty();
  return mechanism != Mechanism::scram_sha_256_plus || bound;
}

std::vector<Mechanism> Authenticator::offered(const Channel& channel) const {
  std::vector<Mechanism> list;
  if (!channel.tls && !settings_.without_tls) return list;
  for (const Mechanism mechanism : all_mechanisms()) {
    if (allowed(mechanism) && usable(mechanism, channel)) list.push_back(mechanism);
  }
  return list;
}

std::expected<std::unique_ptr<Exchange>, Denial> Authenticator::begin(std::string_view name, const Channel& channel) {
  const auto mechanism = parse_mechanism(name);
  if (!mechanism) return std::unexpected(Denial::unknown);
  if (!channel.tls && !settings_.without_tls) return std::unexpected(Denial::needs_tls);
  if (!allowed(*mechanism)) return std::unexpected(Denial::too_weak);
  if (!usable(*mechanism, channel)) return std::unexpected(Denial::unknown);
  if (*mechanism == Mechanism::external) return std::make_unique<ExternalExchange>(channel.certificate_names);
  const bool plus_offered = holds(offered(channel), Mechanism::scram_sha_256_plus);
  return verifier_->begin(*mechanism, channel, plus_offered);
}

Duration Authenticator::note_failure(const Endpoint& client) {
  const unsigned so_far = failures_.note(client, env_.clock.mono());
  return settings_.failure_delay * std::min(so_far, kDelaysMax);
}

bool Authenticator::shut_out(const Endpoint& client) const {
  return failures_.count(client, env_.clock.mono()) >= settings_.failures_per_client_max;
}

}  // namespace postproof::auth
