// Small text tools for ASCII protocols. None of them looks at the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postproof {

// Of ASCII.
bool is_digit(char c);
bool is_alnum(char c);
bool is_ascii(std::string_view text);  // in every octet

char ascii_lower(char c);
std::string ascii_lower(std::string_view text);
std::string ascii_upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

// Without blanks and tabs at either end.
std::string_view trim(std::string_view text);

// At every separator; n separators give n + 1 parts.
std::vector<std::string_view> split(std::string_view text, char separator);

// All digits, no sign, no overflow; otherwise none.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

// For logs, transcripts and error texts: printable ASCII stays, a backslash is doubled, and every
// other octet becomes \r, \n, \t, \0 or \xHH. What it gives holds no control octet and no 8-bit one.
std::string escape(std::string_view octets);
// Reads what escape writes; none for anything else behind a backslash.
std::optional<std::string> unescape(std::string_view text);

// Shell-style pattern with * and ?; the whole text must match. ignoring_case folds ASCII.
bool glob_match(std::string_view pattern, std::string_view text, bool ignoring_case = false);

// The nearest of some known words by edit distance, for "did you mean"; empty if none is near.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known);

std::string hex(std::string_view octets);  // lower case

}  // namespace postproof
