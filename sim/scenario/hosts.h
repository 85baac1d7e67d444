// [mta.NAME], [peer.NAME] and [client.NAME]: the hosts of a scenario.
#pragma once

#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct Hosts {
  std::vector<MtaPart> mtas;
  std::vector<PeerPart> peers;
  std::vector<ClientPart> clients;
  HostNames names;
};

// Reads the three sections of the file's top table, and gives every host its DNS names and addresses.
Hosts read_hosts(TomlReader& top, const std::vector<std::string>& source);

}  // namespace postproof::sim
