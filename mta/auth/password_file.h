// A password file as what stands behind logins: PLAIN, LOGIN, SCRAM-SHA-256 and its -PLUS. The file is read through Env's
// disk, and again when what was read is older than a second and a client asks what is offered or logs in: a change needs
// no restart. Hashes are computed in Env's Work.
//
// A user who is unknown takes the same path and the same time as a wrong password. Lines that are none are told in a
// service event each time that the file has changed, and count for nobody; a file that cannot be read refuses for now.
#pragma once

#include <memory>
#include <string>

#include "mta/auth/exchange.h"
#include "mta/auth/password_table.h"
#include "mta/env/env.h"

namespace postproof::auth {

class PasswordFile final : public Verifier {
 public:
  PasswordFile(Env& env, std::string path);

  // Errc::invalid with the first line that is none, and what the disk says. Not called, the file is read when first needed.
  Task<Result<void>> load() override;

  // A file that cannot be read leaves what was known: a login will tell.
  Task<void> refresh() override;
  std::vector<Mechanism> mechanisms() const override;
  std::unique_ptr<Exchange> begin(Mechanism mechanism, const Channel& channel, bool plus_offered) override;

  // The table as it stands in the file now.
  Task<Result<std::shared_ptr<const PasswordTable>>> table();
  // Whether it is the user's password. Both as said.
  Task<Result<bool>> check(std::string user, std::string password);
  std::string nonce();

 private:
  PasswordTable take(std::string text, Problems& problems);

  Env& env_;
  std::string path_;
  std::unique_ptr<Random> random_;
  std::shared_ptr<const PasswordTable> table_;
  std::string text_;  // of which it was made
  MonoTime read_at_ = MonoTime::min();
};

}  // namespace postproof::auth
