#include "sim/judge/moments.h"

#include <fmt/format.h>

#include "sim/recording/view_time.h"

namespace postproof::sim {

bool within(Duration at, const When& when) {
  const Duration off = at < when.at ? when.at - at : at - when.at;
  return off <= when.slack;
}

std::size_t wanted_count(const std::optional<std::uint64_t>& count, const std::vector<When>& when,
                         std::size_t otherwise) {
  if (count) return *count;
  return when.empty() ? otherwise : when.size();
}

bool hold(const std::vector<Duration>& times, std::size_t count, const std::vector<When>& when) {
  if (times.size() != count) return false;
  if (when.empty()) return true;
  if (times.size() != when.size()) return false;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!within(times[i], when[i])) return false;
  }
  return true;
}

std::string to_text(const When& when) {
  const std::string slack = when.slack == Duration{0} ? " exactly" : " ±" + format_duration(when.slack);
  return view_time(when.at) + slack;
}

std::string to_text(const std::vector<When>& when) {
  std::string text;
  for (const When& one : when) text += (text.empty() ? "" : ", ") + to_text(one);
  return text;
}

std::string to_text(const std::vector<Duration>& times) {
  std::string text;
  for (const Duration time : times) text += (text.empty() ? "" : ", ") + view_time(time);
  return text;
}

std::string event_reference(std::size_t record) { return fmt::format("  <- event {}", record); }

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace postproof::sim
