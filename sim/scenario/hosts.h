// [mta.NAME], [peer.NAME] and [client.NAME]: the hosts of a scenario.
#pragma once

#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/load.h"
#include "sim/scenario/matrix.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

struct Hosts {
  std::vector<MtaPart> mtas;
  std::vector<PeerPart> peers;
  std::vector<ClientPart> clients;
  HostNames names;
  std::vector<Problem> elsewhere;  // what is wrong in files that hosts name
};

// What hosts are read with.
struct HostContext {
  const std::vector<std::string>& source;  // the scenario's lines
  const MatrixSettings& matrix;
  std::string_view file;                   // the scenario's path
  const FileReader& read_file;             // may be none
};

// Reads the three sections of the file's top table, and gives every host its DNS names and addresses.
Hosts read_hosts(TomlReader& top, const HostContext& context);

}  // namespace postproof::sim
