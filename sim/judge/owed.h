// What MTAs that are seen from the outside still owe: messages whose 250 a client has, and whose end nobody has seen.
#pragma once

#include <string>
#include <vector>

#include "sim/recording/record.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// A line each: "MTA sut: a message from <a@src.example> for <b@dest.example>, neither delivered nor reported".
std::vector<std::string> owed_messages(const Scenario& scenario, const Recording& recording);

}  // namespace postproof::sim
