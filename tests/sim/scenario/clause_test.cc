// Clauses: what is one, and their order.
#include "sim/scenario/clause.h"

#include <doctest/doctest.h>

namespace postproof::sim {

TEST_CASE("what is a clause") {
  const auto clause = parse_clause("RFC5321#4.5.3.2");
  REQUIRE(clause);
  CHECK(clause->rfc == 5321);
  CHECK(clause->section == std::vector<std::string>{"4", "5", "3", "2"});
  CHECK(parse_clause("RFC5321#C"));
  CHECK(parse_clause("RFC6376#A.2"));

  for (const std::string_view wrong : {"", "RFC5321", "RFC5321#", "RFC#1", "5321#1", "rfc5321#1", "RFC5321#1.", "RFC5321#.1",
                                       "RFC5321#1..2", "RFC5321#1.x", "RFC5321#AB", "RFC5321#1.A", "RFC5321#01", "RFC5321#1 ",
                                       "RFC 5321#1", "RFC5321#-1", "RFC05321#1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_clause(wrong));
  }
}

TEST_CASE("clauses stand in the order of a table of contents") {
  const std::string_view ordered[] = {"RFC822#9",     "RFC1035#3",      "RFC5321#3",   "RFC5321#4",  "RFC5321#4.2",
                                      "RFC5321#4.10", "RFC5321#4.10.1", "RFC5321#B.2", "RFC5321#C"};
  for (std::size_t i = 0; i + 1 < std::size(ordered); ++i) {
    CAPTURE(ordered[i]);
    CHECK(*parse_clause(ordered[i]) < *parse_clause(ordered[i + 1]));
    CHECK_FALSE(*parse_clause(ordered[i + 1]) < *parse_clause(ordered[i]));
  }
}

}  // namespace postproof::sim
