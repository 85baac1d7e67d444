// What a session knows of the connection that somebody logs in over.
#pragma once

#include <string>
#include <vector>

#include "mta/base/endpoint.h"

namespace postproof::auth {

struct Channel {
  Endpoint local;
  Endpoint peer;
  bool tls = false;
  // RFC 5929 section 4 and RFC 9266: what binds a login to this connection and no other; empty: not to be had.
  std::string tls_server_end_point;
  std::string tls_exporter;
  // Of a client certificate that checked out: whom it names, the first the main one. Empty: none.
  std::vector<std::string> certificate_names;
};

}  // namespace postproof::auth
