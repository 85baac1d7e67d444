#include "sim/view/text_view.h"

#include <fmt/format.h>

#include "mta/base/text.h"
#include "sim/recording/view_time.h"
#include "sim/view/failure_report.h"
#include "sim/view/steps.h"

namespace postproof::sim {
namespace {

constexpr std::size_t kTimeColumns = 14;
constexpr std::size_t kHostsColumns = 16;
constexpr std::size_t kTextColumn = kTimeColumns + 2 + 5 + kHostsColumns + 2;  // time, connection, hosts
constexpr std::string_view kEventIndent = "    * ";

std::string cut(std::string text, std::size_t width) {
  constexpr std::string_view kMore = "...";
  if (text.size() > width && width > kMore.size()) {
    text.resize(width - kMore.size());
    text += kMore;
  }
  return text;
}

// The opener of a connection stands to the left, whoever speaks.
std::string who(const Step& step) {
  if (step.to.empty()) return step.from;
  return step.back ? fmt::format("{} < {}", step.to, step.from) : fmt::format("{} > {}", step.from, step.to);
}

std::string what(const Step& step) {
  std::string text = step.text;
  if (step.kind == Step::Kind::content) text.insert(0, "| ");
  if (step.kind == Step::Kind::event) text.insert(0, kEventIndent);
  if (step.lost) text += "   (lost)";
  return text;
}

std::string format_line(const Step& step, std::string_view text, std::size_t width) {
  const std::string number = step.connection == 0 ? "" : fmt::format("#{}", step.connection);
  return cut(fmt::format("{:>{}}  {:<4} {:<{}}  {}", view_time(step.at), kTimeColumns, number, who(step), kHostsColumns,
                         text),
             width);
}

class Transcript {
 public:
  Transcript(const Recording& recording, const TextViewOptions& options) : recording_(recording), options_(options) {}

  std::string write() {
    out_ = view_heading(recording_);
    if (const std::string report = failure_report(recording_); !report.empty()) out_ += '\n' + report;
    add("");
    StepOptions options;
    options.disk = options_.disk;
    options.content_lines = options_.content_lines;
    for (const Step& step : read_steps(recording_, options)) tell(step);
    return std::move(out_);
  }

 private:
  void tell(const Step& step) {
    if (step.kind == Step::Kind::failure) return;  // the report on top says it
    if (const auto* event = std::get_if<record::MtaEvent>(&recording_.records[step.record].what)) {
      if (step.kind == Step::Kind::event) return tell_event(step, *event);
    }
    add(format_line(step, what(step), options_.width));
  }

  // Over as many lines as it takes: why a message was deferred stands at the end.
  void tell_event(const Step& step, const record::MtaEvent& event) {
    std::string line = format_line(step, fmt::format("{}{}", kEventIndent, escape(event.name)), options_.width);
    const std::string indent(kTextColumn + 5, ' ');  // the fields stand below the name
    for (const auto& [key, value] : event.fields) {
      const std::string field = event_field(key, value);
      if (line.size() + field.size() > options_.width && line.size() > indent.size()) {
        add(std::move(line));
        line = indent;
      }
      line += field;
    }
    add(std::move(line));
  }

  void add(std::string line) {
    line = cut(std::move(line), options_.width);
    while (line.ends_with(' ')) line.pop_back();
    out_ += line;
    out_ += '\n';
  }

  const Recording& recording_;
  const TextViewOptions& options_;
  std::string out_;
};

}  // namespace

std::string view_heading(const Recording& recording) {
  std::string text = fmt::format("{}{}   seed {}   begins at {}\n", escape(recording.scenario),
                                 recording.variant.empty() ? "" : fmt::format(" [{}]", escape(recording.variant)),
                                 recording.seed, format_rfc3339(recording.start));
  if (!recording.title.empty()) text += escape(recording.title) + '\n';
  return text;
}

std::string text_view(const Recording& recording, const TextViewOptions& options) {
  return Transcript(recording, options).write();
}

std::string text_line(const Recording& recording, std::size_t index, std::size_t width) {
  if (index >= recording.records.size()) return fmt::format("event {}: there is none", index);
  const Step step = read_step(recording, index);
  return format_line(step, what(step), width);
}

}  // namespace postproof::sim
