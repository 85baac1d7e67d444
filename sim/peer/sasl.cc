#include "sim/peer/sasl.h"

#include <utility>

#include "mta/auth/nonce.h"
#include "mta/auth/plain.h"
#include "mta/auth/scram.h"
#include "mta/base/base64.h"
#include "mta/tls/identity_of.h"
#include "mta/tls/stream.h"

namespace postproof::sim {

namespace {

constexpr std::uint32_t kIterations = 4096;
constexpr const char* kSalt = "a peer's own salt";

std::string exporter_of(Stream& under) {
  const auto* secured = dynamic_cast<tls::Stream*>(&under);
  return secured == nullptr ? std::string() : tls::exported_binding(secured->native());
}

auth::ScramBinding binding_of(const ClientLogin& login, Stream& under) {
  auth::ScramBinding binding;
  if (login.mechanism != "SCRAM-SHA-256-PLUS") return binding;
  binding.header = "p=tls-exporter,,";
  binding.data = login.slip == "binding" ? std::string(32, 'x') : exporter_of(under);
  return binding;
}

// "c=...,r=NONCE,p=..." with another nonce.
std::string with_other_nonce(const std::string& final) {
  const auto at = final.find(",p=");
  return final.substr(0, at) + "x" + final.substr(at);
}

}  // namespace

struct SaslClient::Impl {
  Impl(ClientLogin its_login, Random& random, Stream& under)
      : login(std::move(its_login)),
        scram(login.login, login.password, auth::make_nonce(random), binding_of(login, under)) {}

  bool is_scram() const { return login.mechanism.starts_with("SCRAM"); }

  // The octets of the next answer; none: there is no next.
  std::optional<std::string> next(const std::string& challenge) {
    const unsigned number = answered++;
    if (login.mechanism == "LOGIN") {
      if (number > 1) return std::nullopt;
      return number == 0 ? login.login : login.password;
    }
    if (login.mechanism == "PLAIN") return std::nullopt;  // all was said with the command
    if (number == 0) {
      auto final = scram.final(challenge);
      if (!final) return std::nullopt;
      return login.slip == "nonce" ? with_other_nonce(*final) : std::move(*final);
    }
    if (number > 1 || !scram.verify(challenge)) return std::nullopt;
    return std::string();
  }

  ClientLogin login;
  auth::ScramClient scram;
  unsigned answered = 0;
};

SaslClient::SaslClient(ClientLogin login, Random& random, Stream& under)
    : impl_(std::make_unique<Impl>(std::move(login), random, under)) {}
SaslClient::~SaslClient() = default;

std::string SaslClient::command() {
  std::string line = "AUTH " + impl_->login.mechanism;
  if (impl_->login.mechanism == "PLAIN") {
    line += " " + base64_encode(auth::plain_message(impl_->login.login, impl_->login.password));
  } else if (impl_->is_scram()) {
    line += " " + base64_encode(impl_->scram.first());
  }
  return line;
}

std::optional<std::string> SaslClient::answer(const std::string& challenge) {
  const auto octets = base64_decode(challenge);
  if (!octets) return std::nullopt;
  const auto next = impl_->next(*octets);
  if (!next) return std::nullopt;
  return base64_encode(*next);
}

struct SaslServer::Impl {
  Impl(PeerLogins its_logins, std::string its_mechanism, Random& random)
      : logins(std::move(its_logins)),
        mechanism(std::move(its_mechanism)),
        nonce(auth::make_nonce(random)),
        scram(auth::Channel{}, false, false) {}

  static Said challenge(const std::string& octets) { return {"334", base64_encode(octets)}; }
  static Said refusal() { return {"535", "5.7.8 that is not it"}; }
  static Said success() { return {"235", "2.7.0 welcome"}; }
  static Said malformed() { return {"501", "5.5.2 malformed"}; }

  Said judge(const std::string& login, const std::string& password) const {
    return login == logins.login && password == logins.password ? success() : refusal();
  }

  Said plain(const std::string& response) const {
    const auto said = auth::parse_plain(response);
    return said ? judge(said->login, said->password) : malformed();
  }

  Said login(const std::string& response) {
    if (heard++ > 0) return judge(name, response);
    name = response;
    return challenge("Password:");
  }

  Said scram_step(const std::string& response) {
    switch (heard++) {
      case 0: {
        if (!scram.first(response)) return malformed();
        const bool known = scram.user() == logins.login;
        const std::string& password = logins.slip == "signature" ? kSalt : logins.password;
        std::string said = scram.challenge(auth::make_scram_verifier(known ? password : std::string(kSalt), kSalt, kIterations), nonce);
        if (logins.slip == "nonce") said.replace(0, 2, "r=x");
        return challenge(said);
      }
      case 1: {
        // One that does not know the password has nothing to check against, and a signature of its own making.
        const auto signature = scram.final(response);
        if (logins.slip == "signature") return challenge("v=" + base64_encode(std::string(32, 'x')));
        if (!signature) return refusal();
        return logins.slip == "no-signature" ? success() : challenge(*signature);
      }
      default: return success();
    }
  }

  PeerLogins logins;
  std::string mechanism;
  std::string nonce;
  auth::ScramServer scram;
  std::string name;
  unsigned heard = 0;
};

SaslServer::SaslServer(PeerLogins logins, std::string mechanism, Random& random)
    : impl_(std::make_unique<Impl>(std::move(logins), std::move(mechanism), random)) {}
SaslServer::~SaslServer() = default;

SaslServer::Said SaslServer::next(const std::optional<std::string>& line) {
  if (!line) return Impl::challenge(impl_->mechanism == "LOGIN" ? "Username:" : "");
  const auto octets = *line == "=" ? std::optional<std::string>("") : base64_decode(*line);
  if (!octets) return Impl::malformed();
  if (impl_->mechanism == "PLAIN") return impl_->plain(*octets);
  if (impl_->mechanism == "LOGIN") return impl_->login(*octets);
  return impl_->scram_step(*octets);
}

}  // namespace postproof::sim
