// Moments of virtual time against those that a scenario wants, and how reports write them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace postproof::sim {

bool within(Duration at, const When& when);

// How many there are to be: `count`, else one for each moment, else `otherwise`.
std::size_t wanted_count(const std::optional<std::uint64_t>& count, const std::vector<When>& when,
                         std::size_t otherwise);

// The right number, each at its moment, in order.
bool hold(const std::vector<Duration>& times, std::size_t count, const std::vector<When>& when);

std::string to_text(const When& when);               // "15m30s ±2s"
std::string to_text(const std::vector<When>& when);  // with ", " between
std::string to_text(const std::vector<Duration>& times);

std::string event_reference(std::size_t record);  // "  <- event 118"

// "1 delivery", "2 deliveries".
std::string counted(std::size_t count, std::string_view one, std::string_view many);

}  // namespace postproof::sim
