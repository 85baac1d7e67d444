#include "sim/peer/script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "mta/base/text.h"

namespace postproof::sim {
namespace {

using Kind = ScriptStep::Kind;

constexpr std::uint64_t kDripRateMax = 1'000'000'000;  // octets a second: one a nanosecond

struct ActionWord {
  std::string_view word;
  Kind kind;
  std::string_view argument;  // what stands behind it, for complaints; empty: nothing
};
constexpr std::array kActions = {
    ActionWord{"wait", Kind::wait, "a duration, as in \"wait 5s\""},
    ActionWord{"close", Kind::close, ""},
    ActionWord{"reset", Kind::reset, ""},
    ActionWord{"half-close", Kind::half_close, ""},
    ActionWord{"eof", Kind::eof_within, "\"within\" and a duration, as in \"eof within 5m\""},
    ActionWord{"silence", Kind::silence, "a duration, as in \"silence 10s\""},
    ActionWord{"drip", Kind::drip, "a rate in octets a second, as in \"drip 1B/s\""},
    ActionWord{"drain", Kind::drain, ""},
    ActionWord{"tls", Kind::tls, ""},
    ActionWord{"auth", Kind::auth, "a mechanism, a login and a password, as in \"auth PLAIN alice secret\""},
};

// "10B/s" as the time of one octet.
std::optional<Duration> parse_rate(std::string_view text) {
  constexpr std::string_view kUnit = "B/s";
  if (!text.ends_with(kUnit)) return std::nullopt;
  const auto rate = parse_decimal(text.substr(0, text.size() - kUnit.size()));
  if (!rate || *rate == 0 || *rate > kDripRateMax) return std::nullopt;
  return Duration(std::chrono::seconds{1}) / static_cast<std::int64_t>(*rate);
}

// One line of a script. Places are counted in octets from the line's begin.
class Line {
 public:
  explicit Line(std::string_view line) : line_(line) {}

  std::expected<ScriptStep, ScriptError> parse() const {
    const std::string_view text = trim(line_);
    if (text.starts_with(">>")) return parse_octets(trim(text.substr(2)));
    if (text.starts_with(">")) return step(Kind::send, text_behind(">") + "\r\n");
    if (text.starts_with("<=")) return step(Kind::expect_line, text_behind("<="));
    if (text.starts_with("<")) return step(Kind::expect, text_behind("<"));
    if (text.starts_with("!")) return parse_action(trim(text.substr(1)));
    return complain(text,
                    "expected a step: \"> text\", \">> \\\"octets\\\"\", \"< prefix\", \"<= line\", \"! action\" or \"# comment\"");
  }

 private:
  static ScriptStep step(Kind kind, std::string text = {}, Duration duration = {}) {
    ScriptStep made;
    made.kind = kind;
    made.text = std::move(text);
    made.duration = duration;
    return made;
  }

  std::unexpected<ScriptError> complain(std::string_view at, std::string what) const {
    // An empty text stands at the line's end.
    const std::size_t column = at.empty() ? line_.size() : static_cast<std::size_t>(at.data() - line_.data());
    return std::unexpected(ScriptError{0, static_cast<std::uint32_t>(column + 1), std::move(what)});
  }

  // One blank separates; all other blanks, those at the end too, are text.
  std::string text_behind(std::string_view mark) const {
    std::string_view text = line_.substr(line_.find(mark) + mark.size());
    if (text.starts_with(' ')) text.remove_prefix(1);
    return std::string(text);
  }

  std::expected<ScriptStep, ScriptError> parse_octets(std::string_view text) const {
    if (!text.starts_with('"')) return complain(text, "expected octets in quotes, as in >> \"EHLO a\\r\\n\"");
    std::string octets;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') {
        if (i + 1 < text.size()) return complain(text.substr(i + 1), "nothing may stand behind the closing quote");
        return step(Kind::send, std::move(octets));
      }
      if (text[i] != '\\') {
        octets += text[i];
        continue;
      }
      const std::size_t size = text.substr(i + 1, 1) == "x" ? 4 : 2;
      const std::string_view escaped = text.substr(i, size);
      // The quote is the one escape that is not unescape's.
      const auto octet = escaped == "\\\"" ? std::optional<std::string>("\"") : unescape(escaped);
      if (!octet || escaped.size() != size) {
        return complain(text.substr(i), "expected \\r \\n \\t \\0 \\\\ \\\" or \\xHH with two hexadecimal digits");
      }
      octets += *octet;
      i += size - 1;
    }
    return complain({}, "the closing quote is missing");
  }

  std::expected<ScriptStep, ScriptError> parse_action(std::string_view text) const {
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    const std::string_view argument = trim(text.substr(word.size()));
    for (const ActionWord& action : kActions) {
      if (action.word != word) continue;
      if (action.argument.empty()) {
        if (!argument.empty()) return complain(argument, fmt::format("nothing may stand behind \"{}\"", word));
        return step(action.kind);
      }
      if (action.kind == Kind::auth) return parse_auth(action, argument);
      const auto duration = parse_argument(action.kind, argument);
      if (!duration) {
        return complain(argument, fmt::format("expected {}{}", action.argument,
                                              argument.empty() ? "" : fmt::format(", got \"{}\"", escape(argument))));
      }
      return step(action.kind, {}, *duration);
    }
    std::vector<std::string_view> known;
    std::string list;
    for (const ActionWord& action : kActions) {
      known.push_back(action.word);
      list += fmt::format("{}{}", list.empty() ? "" : ", ", action.word);
    }
    const std::string_view nearest = nearest_word(word, known);
    return complain(word, fmt::format("no action is called \"{}\"{}; expected one of {}", escape(word),
                                      nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest), list));
  }

  std::expected<ScriptStep, ScriptError> parse_auth(const ActionWord& action, std::string_view argument) const {
    const auto words = split(argument, ' ');
    const auto known = [&](const std::vector<std::string_view>& list, std::size_t at) {
      return std::find(list.begin(), list.end(), words[at]) != list.end();
    };
    if (words.size() < 3 || words.size() > 4 || !known(client_mechanism_words(), 0) || words[1].empty() || words[2].empty()) {
      return complain(argument, fmt::format("expected {}; mechanisms are {}", action.argument, fmt::join(client_mechanism_words(), ", ")));
    }
    if (words.size() == 4 && !known(client_slip_words(), 3)) {
      return complain(words[3], fmt::format("no slip is called \"{}\"; expected one of {}", escape(words[3]), fmt::join(client_slip_words(), ", ")));
    }
    ScriptStep made = step(Kind::auth);
    made.login = ClientLogin{std::string(words[0]), std::string(words[1]), std::string(words[2]), words.size() == 4 ? std::string(words[3]) : ""};
    return made;
  }

  static std::optional<Duration> parse_argument(Kind kind, std::string_view argument) {
    if (kind == Kind::drip) return parse_rate(argument);
    if (kind == Kind::eof_within) {
      constexpr std::string_view kWithin = "within";
      if (!argument.starts_with(kWithin)) return std::nullopt;
      argument = trim(argument.substr(kWithin.size()));
    }
    return parse_duration(argument);
  }

  std::string_view line_;
};

}  // namespace

std::expected<std::vector<ScriptStep>, ScriptError> parse_script(std::string_view script, std::uint32_t first_line) {
  std::vector<ScriptStep> steps;
  std::uint32_t number = first_line;
  bool over = false;
  for (std::string_view line : split(script, '\n')) {
    const std::uint32_t here = number++;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line).empty() || trim(line).starts_with('#')) continue;
    if (over) {
      const auto column = static_cast<std::uint32_t>(line.find_first_not_of(" \t") + 1);
      return std::unexpected(ScriptError{here, column, "nothing can follow when the connection has ended"});
    }
    auto step = Line(line).parse();
    if (!step) {
      step.error().line = here;
      return std::unexpected(std::move(step.error()));
    }
    step->line = here;
    over = step->kind == Kind::close || step->kind == Kind::reset || step->kind == Kind::eof_within;
    steps.push_back(std::move(*step));
  }
  return steps;
}

}  // namespace postproof::sim
