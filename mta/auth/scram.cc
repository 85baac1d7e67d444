#include "mta/auth/scram.h"

#include <fmt/format.h>

#include "mta/base/base64.h"

namespace postproof::auth {

namespace {

// None: no binding of this name can be had.
const std::string* binding_data(const Channel& channel, std::string_view name) {
  const std::string* data = nullptr;
  if (name == "tls-exporter") data = &channel.tls_exporter;
  if (name == "tls-server-end-point") data = &channel.tls_server_end_point;
  return data == nullptr || data->empty() ? nullptr : data;
}

std::string auth_message(std::string_view client_first_bare, std::string_view server_first,
                         std::string_view client_final_without_proof) {
  return fmt::format("{},{},{}", client_first_bare, server_first, client_final_without_proof);
}

}  // namespace

ScramServer::ScramServer(const Channel& channel, bool plus, bool plus_offered)
    : channel_(channel), plus_(plus), plus_offered_(plus_offered) {}

std::expected<void, ScramFault> ScramServer::first(std::string_view message) {
  auto parsed = parse_client_first(message);
  if (!parsed) return std::unexpected(ScramFault::malformed);
  first_ = std::move(*parsed);
  // RFC 5802 section 6: "y" from a client that was offered the binding means that somebody took the offer away.
  if ((first_.binding == 'p') != plus_) return std::unexpected(ScramFault::binding);
  if (first_.binding == 'y' && plus_offered_) return std::unexpected(ScramFault::binding);
  if (plus_ && binding_data(channel_, first_.binding_name) == nullptr) return std::unexpected(ScramFault::binding);
  return {};
}

std::string ScramServer::challenge(ScramVerifier verifier, std::string_view nonce) {
  verifier_ = std::move(verifier);
  nonce_ = first_.nonce + std::string(nonce);
  challenge_ = fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  return challenge_;
}

std::expected<std::string, ScramFault> ScramServer::final(std::string_view message) const {
  const auto parsed = parse_client_final(message);
  if (!parsed || parsed->proof.size() != kScramKeySize) return std::unexpected(ScramFault::malformed);
  std::string expected = first_.gs2_header;
  if (plus_) expected += *binding_data(channel_, first_.binding_name);
  if (!equal_in_constant_time(parsed->binding, expected)) return std::unexpected(ScramFault::binding);
  if (parsed->nonce != nonce_) return std::unexpected(ScramFault::wrong_nonce);
  const std::string said = auth_message(first_.bare, challenge_, parsed->without_proof);
  const std::string client_key = exclusive_or(parsed->proof, hmac_sha256(verifier_.stored_key, said));
  if (!equal_in_constant_time(sha256(client_key), verifier_.stored_key)) return std::unexpected(ScramFault::wrong_proof);
  return "v=" + base64_encode(hmac_sha256(verifier_.server_key, said));
}

ScramClient::ScramClient(std::string login, std::string password, std::string nonce, ScramBinding binding)
    : login_(std::move(login)),
      password_(std::move(password)),
      nonce_(std::move(nonce)),
      binding_(std::move(binding)) {}

std::string ScramClient::bare() const { return fmt::format("n={},r={}", scram_name(login_), nonce_); }

std::string ScramClient::first() const { return binding_.header + bare(); }

Result<std::string> ScramClient::final(std::string_view server_first) {
  const auto parsed = parse_server_first(server_first);
  if (!parsed) return fail(Errc::protocol, "SCRAM: the server's first message is none");
  // RFC 5802 section 5.1: our nonce, and something of the server's own behind it.
  if (!parsed->nonce.starts_with(nonce_) || parsed->nonce.size() == nonce_.size()) {
    return fail(Errc::protocol, "SCRAM: the server answers with a nonce that does not continue ours");
  }
  if (parsed->iterations < kScramIterationsMin || parsed->iterations > kScramIterationsMax) {
    return fail(Errc::protocol, fmt::format("SCRAM: the server wants {} iterations; {} to {} are done", parsed->iterations,
                                            kScramIterationsMin, kScramIterationsMax));
  }
  const std::string salted = salted_password(password_, parsed->salt, static_cast<std::uint32_t>(parsed->iterations));
  const std::string without_proof = fmt::format("c={},r={}", base64_encode(binding_.header + binding_.data), parsed->nonce);
  const std::string said = auth_message(bare(), server_first, without_proof);
  const std::string client_key = hmac_sha256(salted, "Client Key");
  const std::string proof = exclusive_or(client_key, hmac_sha256(sha256(client_key), said));
  server_signature_ = hmac_sha256(hmac_sha256(salted, "Server Key"), said);
  return fmt::format("{},p={}", without_proof, base64_encode(proof));
}

Result<void> ScramClient::verify(std::string_view server_final) const {
  const auto signature = parse_server_final(server_final);
  if (!signature || server_signature_.empty() || !equal_in_constant_time(*signature, server_signature_)) {
    return fail(Errc::protocol, "SCRAM: the server does not show that it knows the password");
  }
  return {};
}

}  // namespace postproof::auth
