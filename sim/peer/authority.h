// The certificate authority of a simulated internet, and the servers' certificates, good and bad. Keys come from the
// Env's OpenSSL, thus from the seed; times from its clock. Nothing is made before it is asked for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/env/env.h"
#include "mta/tls/context.h"

namespace postproof::sim {

class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // The root that everybody trusts, PEM.
  std::string root(Env& env);

  // Of a server with these names (at least one) and addresses; `kind` is one of certificate_words(). Equal questions
  // get the same certificate.
  const tls::Identity& identity(Env& env, const std::string& kind, const std::vector<std::string>& names,
                                const std::vector<IpAddress>& addresses);

 private:
  struct Issuer;
  Issuer& issuer(Env& env, std::unique_ptr<Issuer>& place, const char* name);

  std::unique_ptr<Issuer> trusted_, unknown_;
  std::map<std::pair<std::string, std::string>, tls::Identity> made_;  // by kind and first name
  long serial_ = 1;
};

}  // namespace postproof::sim
