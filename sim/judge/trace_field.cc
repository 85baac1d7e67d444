#include "sim/judge/trace_field.h"

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

std::string* clause_of(TraceField& field, std::string_view word) {
  if (equal_ignoring_case(word, "from")) return &field.from;
  if (equal_ignoring_case(word, "by")) return &field.by;
  if (equal_ignoring_case(word, "via")) return &field.via;
  if (equal_ignoring_case(word, "with")) return &field.with;
  if (equal_ignoring_case(word, "id")) return &field.id;
  if (equal_ignoring_case(word, "for")) return &field.for_;
  return nullptr;
}

// The next word, or a whole comment; blanks in front of it are taken off too.
std::string_view next_word(std::string_view& rest) {
  rest = trim(rest);
  std::size_t end = 0, depth = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == '\\' && end + 1 < rest.size()) {
      ++end;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && (c == ' ' || c == '\t' || c == ';')) {
      break;
    }
  }
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

}  // namespace

TraceField read_trace_field(std::string_view value) {
  TraceField field;
  std::string* clause = nullptr;
  while (true) {
    const std::string_view word = next_word(value);
    if (word.empty()) break;  // the end, or the ; in front of the date
    std::string* begun = clause_of(field, word);
    if (begun != nullptr && begun->empty() && (clause == nullptr || !clause->empty())) {
      clause = begun;
    } else if (clause != nullptr) {
      *clause += (clause->empty() ? "" : " ") + std::string(word);
    }
  }
  return field;
}

bool clause_matches(std::string_view pattern, std::string_view clause) {
  if (pattern.empty()) return true;
  if (clause.empty()) return false;
  if (glob_match(pattern, clause, true)) return true;
  std::string_view word = clause.substr(0, clause.find(' '));
  if (word.starts_with('<') && word.ends_with('>')) word = word.substr(1, word.size() - 2);
  return glob_match(pattern, word, true);
}

}  // namespace postproof::sim
