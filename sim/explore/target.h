// What of a scenario faults can be aimed at: its hosts, its domains, the moments at which something happens.
#pragma once

#include <string>
#include <vector>

#include "mta/base/time.h"
#include "sim/scenario/document.h"

namespace postproof::sim {

struct Target {
  std::vector<std::string> mtas, peers, clients;
  std::vector<std::string> tls_peers;  // that offer STARTTLS
  std::vector<std::string> domains;  // of recipients
  std::vector<Duration> moments;     // of submissions and dialogues, in order; never empty
};

Target read_target(const document::Document& document);

}  // namespace postproof::sim
