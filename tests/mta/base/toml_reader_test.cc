// Located complaints: every wrong key, type and value is told with its place and what was expected.
#include "mta/base/toml_reader.h"

#include <doctest/doctest.h>
#include <toml++/toml.h>

using namespace postproof;

namespace {

std::vector<std::string> complaints(std::string_view text) {
  const toml::table table = toml::parse(text);
  Problems problems("x.toml");
  TomlReader reader(table, "", problems);
  reader.string("name");
  reader.boolean("flag");
  reader.integer("count", 1, 10);
  reader.number("jitter", 0, 1);
  reader.duration("wait");
  reader.size("size");
  reader.strings("list");
  reader.durations("waits");
  reader.word("mode", {"refuse", "convert"});
  if (auto inner = reader.table("inner")) inner->finish();
  for (TomlReader& entry : reader.tables("at")) entry.finish();
  reader.finish();
  std::vector<std::string> list;
  for (const Problem& problem : problems.list()) list.push_back(problem.to_string());
  return list;
}

}  // namespace

TEST_CASE("toml reader: one complaint each, at its place") {
  struct Case {
    const char *text, *complaint;
  };
  for (const Case& c : {
           Case{"name = 5", "x.toml:1:8: name: expected a string, not an integer"},
           Case{"\nflag = \"yes\"", "x.toml:2:8: flag: expected true or false, not a string"},
           Case{"count = 11", "x.toml:1:9: count: 11 is out of range; expected 1 to 10"},
           Case{"count = 1.5", "x.toml:1:9: count: expected an integer, not a number"},
           Case{"jitter = 2", "x.toml:1:10: jitter: 2 is out of range; expected 0 to 1"},
           Case{"jitter = nan", "x.toml:1:10: jitter: nan is out of range; expected 0 to 1"},
           Case{"wait = 5", "x.toml:1:8: wait: expected a duration like \"30s\", \"15m\", \"2h30m\" or \"5d\""},
           Case{"size = \"5 MB\"", "x.toml:1:8: size: expected a size like 4096, \"64KiB\" or \"10MiB\""},
           Case{"list = [\"a\",\n 3]", "x.toml:2:2: list: expected a string, not an integer"},
           Case{"waits = [\"5m\", \"x\"]", "x.toml:1:16: waits: expected a duration like \"30s\", \"15m\", \"2h30m\" or \"5d\""},
           Case{"mode = \"refues\"",
                "x.toml:1:8: mode: \"refues\" is not known; expected refuse, convert (did you mean \"refuse\"?)"},
           Case{"[inner]\ncolour = 1", "x.toml:2:1: unknown key \"inner.colour\"; known here: "},
           Case{"at = [1]", "x.toml:1:7: at: expected a table, not an integer"},
           Case{"nmae = \"x\"", "x.toml:1:1: unknown key \"nmae\"; did you mean \"name\"?"},
       }) {
    CAPTURE(c.text);
    const auto list = complaints(c.text);
    REQUIRE(list.size() == 1);
    CHECK(list[0] == c.complaint);
  }
}

TEST_CASE("toml reader: what is right raises no complaint") {
  CHECK(complaints("name = \"n\"\nflag = true\ncount = 10\njitter = 1\nwait = 0\nsize = \"1MiB\"\nlist = \"one\"\n"
                   "waits = [\"1s\", 0]\nmode = \"convert\"\n[inner]\n[[at]]\n[[at]]")
            .empty());
}

TEST_CASE("toml reader: tables come in the order of the file") {
  const toml::table table = toml::parse("[peer.zeta]\n[peer.alpha]\n[peer.mid]\n");
  Problems problems("x.toml");
  TomlReader reader(table, "", problems);
  std::vector<std::string> names;
  for (auto& [name, entry] : reader.named_tables("peer")) names.push_back(name);
  CHECK(names == std::vector<std::string>{"zeta", "alpha", "mid"});
}
