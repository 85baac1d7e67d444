// [dns] and [link.*]: what the simulated internet knows, and how long it takes.
#pragma once

#include <string>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/host_names.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// `table` is [dns]. The zone's text is looked into by check_scenario (sim/run/check.h).
DnsPart read_dns(TomlReader table, const std::vector<std::string>& source);

// What the axis `segment` says (0: whole), in place of [link.default] segment, which must not say it too.
void set_segment(TomlReader& top, std::vector<LinkPart>& links, std::size_t octets);

// `links` is [link]: [link.default] and links between two hosts under names of the author's choosing.
std::vector<LinkPart> read_links(TomlReader links, const HostNames& hosts);

}  // namespace postproof::sim
