// The two sides of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), without I/O: each is told what the other has
// said, and says what to answer. Nonces and keys come from the caller.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "mta/auth/channel.h"
#include "mta/auth/scram_keys.h"
#include "mta/auth/scram_message.h"
#include "mta/base/result.h"

namespace postproof::auth {

enum class ScramFault : std::uint8_t {
  malformed,     // no message of SCRAM
  binding,       // the channel binding is missing, of a kind that is not to be had, or another connection's
  wrong_nonce,   // an answer to somebody else's challenge
  wrong_proof,   // not the password
};

class ScramServer {
 public:
  // `plus`: the mechanism's name ends so, and the login must be bound to the channel. `plus_offered`: the client was told
  // of it, so that one that thinks otherwise was lied to (RFC 5802 section 6).
  ScramServer(const Channel& channel, bool plus, bool plus_offered);

  // client-first. Then user() and authzid() are known, as said.
  std::expected<void, ScramFault> first(std::string_view message);
  const std::string& user() const { return first_.user; }
  const std::string& authzid() const { return first_.authzid; }
  // server-first, for the user's verifier, or one that no password fits. `nonce`: printable, without ",".
  std::string challenge(ScramVerifier verifier, std::string_view nonce);
  // client-final: gives server-final, with our signature.
  std::expected<std::string, ScramFault> final(std::string_view message) const;

 private:
  Channel channel_;
  bool plus_;
  bool plus_offered_;
  ScramClientFirst first_;
  ScramVerifier verifier_;
  std::string nonce_;
  std::string challenge_;
};

// What a client binds its login to: the header that says so, and the channel's data.
struct ScramBinding {
  std::string header = "n,,";  // to nothing
  std::string data{};
};

class ScramClient {
 public:
  // `login` and `password` are prepared (prepare.h).
  ScramClient(std::string login, std::string password, std::string nonce, ScramBinding binding = {});

  std::string first() const;
  // server-first: gives client-final. Heavy: for Work. Errc::protocol: not such a message, a nonce that is not ours
  // continued, or a number of iterations outside of what RFC 7677 and we stand for.
  Result<std::string> final(std::string_view server_first);
  // server-final: the server has shown that it knows the password too, or Errc::protocol.
  Result<void> verify(std::string_view server_final) const;

 private:
  std::string bare() const;

  std::string login_;
  std::string password_;
  std::string nonce_;
  ScramBinding binding_;
  std::string server_signature_;
};

}  // namespace postproof::auth
