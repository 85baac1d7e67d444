#include "sim/view/sequence_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "mta/base/text.h"
#include "sim/recording/view_time.h"
#include "sim/view/hosts.h"
#include "sim/view/steps.h"
#include "sim/view/text_view.h"

namespace postproof::sim {
namespace {

constexpr std::size_t kWidthMin = 80;
constexpr std::size_t kTimeColumns = 14;
constexpr std::size_t kPitchMin = 6, kPitchMax = 14;  // from lifeline to lifeline
constexpr std::size_t kTextColumnsMin = 30;
constexpr std::size_t kTextRowsMax = 4;  // of one step; then "..."
constexpr std::size_t kRowsToHeading = 50;
constexpr Duration kGap = std::chrono::seconds{1};

enum class Ink : std::uint8_t { plain, faint, command, good, later, bad, event };

std::string_view begin_ink(Ink ink) {
  switch (ink) {
    case Ink::faint: return "\x1b[2m";
    case Ink::command: return "\x1b[36m";
    case Ink::good: return "\x1b[32m";
    case Ink::later: return "\x1b[33m";
    case Ink::bad: return "\x1b[1;31m";
    case Ink::event: return "\x1b[35m";
    case Ink::plain: break;
  }
  return "";
}

std::string_view box(char c) {
  switch (c) {
    case '|': return "│";
    case '-': return "─";
    case '.': return "┄";
    case '=': return "═";
    case ':': return "┊";
    case '!': return "╏";
    case '>': return "▶";
    case '<': return "◀";
    case '*': return "●";
    default: return {};
  }
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> rows;
  while (!text.empty() && rows.size() < kTextRowsMax) {
    std::size_t size = text.size();
    if (size > width) {
      size = text.rfind(' ', width);
      if (size == std::string_view::npos || size < width / 2) size = width;
    }
    rows.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  if (!text.empty()) rows.back().replace(std::min(rows.back().size(), width - 3), std::string::npos, "...");
  if (rows.empty()) rows.emplace_back();
  return rows;
}

Ink ink_of(const Step& step) {
  switch (step.kind) {
    case Step::Kind::line:
      if (step.lost) return Ink::bad;
      if (!step.back) return Ink::command;
      return step.text.starts_with('5') ? Ink::bad : step.text.starts_with('4') ? Ink::later : Ink::good;
    case Step::Kind::content:
    case Step::Kind::dial:
    case Step::Kind::established:
    case Step::Kind::fin:
    case Step::Kind::dns: return Ink::faint;
    case Step::Kind::refused:
    case Step::Kind::reset:
    case Step::Kind::script:
    case Step::Kind::fault:
    case Step::Kind::failure: return Ink::bad;
    case Step::Kind::event: return Ink::event;
    case Step::Kind::verdict: return step.text.starts_with("PASSED") ? Ink::good : Ink::bad;
    default: return Ink::plain;
  }
}

class Diagram {
 public:
  Diagram(const Recording& recording, const SequenceViewOptions& options)
      : recording_(recording), options_(options), hosts_(hosts_of(recording)), states_(hosts_.size()) {
    const std::size_t width = std::max(options.width, kWidthMin);
    const std::size_t room = width - kTimeColumns - 2 - kTextColumnsMin;
    columns_ = std::min(hosts_.size(), room / kPitchMin);
    std::size_t longest = 0;
    for (const ViewHost& host : hosts_) longest = std::max(longest, host.name.size());
    if (columns_ > 0) pitch_ = std::clamp(std::min(longest + 3, room / columns_), kPitchMin, kPitchMax);
    text_width_ = width - kTimeColumns - 2 - lanes_width() - 2;
  }

  std::string write() {
    out_ = view_heading(recording_) + '\n';
    heading();
    StepOptions options;
    options.content_lines = options_.content_lines;
    for (const Step& step : read_steps(recording_, options)) {
      if (step.kind == Step::Kind::node && step.at == Duration{0} && step.text == "starts") continue;
      if (step.at - last_ >= kGap) gap(step.at - last_);
      last_ = std::max(last_, step.at);
      tell(step);
    }
    return std::move(out_);
  }

 private:
  struct State {
    std::size_t faults = 0;
    bool down = false;
  };
  struct Cell {
    char glyph = ' ';
    Ink ink = Ink::plain;
  };
  using Lanes = std::vector<Cell>;

  std::size_t lanes_width() const { return columns_ * pitch_; }
  std::size_t center(std::size_t column) const { return column * pitch_ + pitch_ / 2; }

  // Its column; none: no host of that name, or no room for it.
  std::optional<std::size_t> column(std::string_view name) const {
    const auto at = std::ranges::find(hosts_, name, &ViewHost::name);
    const auto index = static_cast<std::size_t>(at - hosts_.begin());
    if (index >= columns_) return std::nullopt;
    return index;
  }

  Lanes lifelines() const {
    Lanes lanes(lanes_width());
    for (std::size_t i = 0; i < columns_; ++i) {
      const State& state = states_[i];
      lanes[center(i)] = {state.down ? ' ' : state.faults > 0 ? '!' : '|', state.faults > 0 ? Ink::bad : Ink::faint};
    }
    return lanes;
  }

  void heading() {
    std::string names(lanes_width(), ' ');
    for (std::size_t i = 0; i < columns_; ++i) {
      const std::string name = hosts_[i].name.substr(0, pitch_ - 1);
      names.replace(center(i) - name.size() / 2, name.size(), name);
    }
    if (columns_ < hosts_.size()) names += fmt::format("  and {} more", hosts_.size() - columns_);
    while (names.ends_with(' ')) names.pop_back();
    out_ += fmt::format("{}{}\n", std::string(kTimeColumns + 2, ' '), names);
    rows_ = 0;
  }

  void gap(Duration passed) {
    Lanes lanes = lifelines();
    for (Cell& cell : lanes) {
      if (cell.glyph == '|') cell.glyph = ':';
    }
    row("", lanes, fmt::format("({} later)", view_time(passed)), Ink::faint);
    if (rows_ >= kRowsToHeading) heading();
  }

  void tell(const Step& step) {
    const Ink ink = ink_of(step);
    Lanes lanes = lifelines();
    const auto from = column(step.from), to = column(step.to);
    std::string text = step.text;
    if (!step.to.empty()) {
      draw(step, ink, from, to, lanes);
      if (!from || !to) text = fmt::format("({} to {}) {}", step.from, step.to, text);
    } else if (step.kind == Step::Kind::fault) {
      tell_fault(step, lanes, text);
    } else if (from) {
      lanes[center(*from)] = {step.kind == Step::Kind::node && step.text == "CRASH" ? 'X' : '*', ink};
    }
    if (step.kind == Step::Kind::node) take_state(step, text);
    if (step.kind == Step::Kind::content) text.insert(0, "| ");
    if (step.connection != 0) text = fmt::format("#{} {}", step.connection, text);
    if (step.lost) text += " (lost)";
    const std::vector<std::string> rows = wrap(text, text_width_);
    row(view_time(step.at), lanes, rows.front(), ink);
    for (std::size_t i = 1; i < rows.size(); ++i) row("", lifelines(), rows[i], ink);
  }

  void draw(const Step& step, Ink ink, std::optional<std::size_t> from, std::optional<std::size_t> to,
            Lanes& lanes) const {
    if (!from && !to) return;
    bool arrives = !step.lost;
    if (step.kind == Step::Kind::refused) {
      std::swap(from, to);  // it was the opener that got no further
      arrives = false;
    }
    if (step.kind == Step::Kind::tls) {
      if (from) lanes[center(*from)] = {'*', ink};
      return;
    }
    if (from == to) return;
    const char shaft = step.kind == Step::Kind::reset                                                  ? '='
                       : step.kind == Step::Kind::line || step.kind == Step::Kind::content ? '-'
                                                                                           : '.';
    // What comes from or goes to a host without a column begins or ends at the edge.
    const std::size_t begin = from ? center(*from) : lanes_width();
    const std::size_t end = to ? center(*to) : lanes_width();
    const bool right = begin < end;
    const std::size_t low = (right ? begin : end) + 1, high = right ? end : begin;
    for (std::size_t i = low; i < high; ++i) lanes[i] = {shaft, ink};
    const std::size_t head = right ? high - 1 : low;
    lanes[head] = {arrives ? (right ? '>' : '<') : 'x', arrives ? ink : Ink::bad};
  }

  void tell_fault(const Step& step, Lanes& lanes, std::string& text) {
    const auto host = host_of_fault(hosts_, step.from);
    text += "   at " + step.from;
    if (!host) return;
    const auto& fault = std::get<record::Fault>(recording_.records[step.record].what);
    if (fault.detail == "begins") ++states_[*host].faults;
    if (fault.detail == "ends" && states_[*host].faults > 0) --states_[*host].faults;
    if (*host < columns_) lanes[center(*host)] = {'#', Ink::bad};
  }

  void take_state(const Step& step, std::string& text) {
    text = fmt::format("{} {}", step.from, text);
    if (const auto at = column(step.from)) states_[*at].down = step.text != "starts";
  }

  void row(std::string_view time, const Lanes& lanes, std::string_view text, Ink ink) {
    std::string line;
    paint(line, fmt::format("{:>{}}", time, kTimeColumns), Ink::faint);
    line += "  ";
    for (const Cell& cell : lanes) {
      const std::string_view glyph = options_.unicode ? box(cell.glyph) : std::string_view{};
      paint(line, glyph.empty() ? std::string_view(&cell.glyph, 1) : glyph, cell.glyph == ' ' ? Ink::plain : cell.ink);
    }
    line += "  ";
    paint(line, text, ink);
    while (line.ends_with(' ')) line.pop_back();
    out_ += line + '\n';
    ++rows_;
  }

  void paint(std::string& line, std::string_view text, Ink ink) const {
    if (!options_.color || ink == Ink::plain || text.empty()) {
      line += text;
      return;
    }
    line += begin_ink(ink);
    line += text;
    line += "\x1b[0m";
  }

  const Recording& recording_;
  const SequenceViewOptions& options_;
  const std::vector<ViewHost> hosts_;
  std::vector<State> states_;  // of hosts_
  std::size_t columns_ = 0;    // hosts that have one
  std::size_t pitch_ = kPitchMin;
  std::size_t text_width_ = kTextColumnsMin;
  Duration last_{};    // time of the step before
  std::size_t rows_ = 0;  // since the last heading
  std::string out_;
};

}  // namespace

std::string sequence_view(const Recording& recording, const SequenceViewOptions& options) {
  return Diagram(recording, options).write();
}

}  // namespace postproof::sim
