// Draws faults: any kind that the loader knows, of which every key that a kind cannot do without can be drawn.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/explore/draw.h"
#include "sim/explore/target.h"
#include "sim/scenario/document.h"

namespace postproof::sim {

// The kinds of one layer: "tcp.", "dns.".
struct FaultLayer {
  std::string_view name;
  std::vector<std::string_view> kinds;
};
const std::vector<FaultLayer>& fault_layers();

// The keys that `kind` needs and that nobody here can draw: empty for every kind, or it is never explored.
std::vector<std::string_view> keys_never_drawn(std::string_view kind);

// Puts between 1 and 8 faults into a document, all of a few kinds that are drawn first: a run with one kind of trouble
// finds what a run with a little of everything hides (Groce et al., "Swarm testing", 2012). What comes of it loads.
void add_faults(document::Document& document, Draw& draw);

}  // namespace postproof::sim
