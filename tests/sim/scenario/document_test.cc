// A document is what it was after it was written and read, over values of every kind and over the whole suite.
#include "sim/scenario/document.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/scenario/load.h"

namespace postproof::sim::document {

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("sections stand in the order of the file, whatever their kind") {
  const auto document = parse("title = \"t\"\nmatrix = { ip = [\"v4\"] }\n[peer.b]\n[mta.sut]\nretry.jitter = 0\n[peer.a]\n"
                              "names = [\"a.example\"]\n[mta.sut.spool]\nsegment_size = \"1MiB\"\n[[at]]\nt = \"1s\"\n[at.fault]\n"
                              "kind = \"tcp.reset\"\n[[at]]\nt = 0\n");
  REQUIRE(document);
  std::string kinds;
  for (const Section& section : document->sections) kinds += section.kind + "/" + section.name + " ";
  CHECK(kinds == "peer/b mta/sut peer/a at/ at/ ");
  CHECK(document->head.entries.size() == 2);
  CHECK(write(*document) == R"(title  = "t"
matrix = { ip = ["v4"] }

[peer.b]

[mta.sut]
retry.jitter = 0
spool.segment_size = "1MiB"

[peer.a]
names = ["a.example"]

[[at]]
t     = "1s"
fault = { kind = "tcp.reset" }

[[at]]
t = 0
)");
}

TEST_CASE("values of every kind come back") {
  Table inner;
  inner.set("text", "Subject: hi\n\n\"quoted\"\n");
  inner.set("a.b", Array{Value(std::int64_t{1}), Value("x")});
  Document document;
  document.head.set("title", "quotes \" and ' and \\ and \t and \x01 and é");
  document.head.set("raw", "250 \\xff\\r\\n");
  document.head.set("whole", 2.0);
  document.head.set("small", 1e-9);
  document.head.set("no", false);
  document.head.set("table", inner);
  document.head.set("empty", Table{});
  document.sections.push_back(Section{"dns", "", false, {}});
  document.sections.back().body.set("zone", "a. MX 10 b.\n\tc. A 1.2.3.4\n");
  document.sections.back().body.set("other", "ends with '\n'");
  document.sections.back().body.set("third", "'''\n");
  document.sections.back().body.set("cr", "a\r\nb\r\n");
  document.sections.push_back(Section{"peer", "mx 1", false, {}});
  document.sections.back().body.set("rules", Array{inner, inner});
  document.sections.back().body.set("nested", inner);
  document.sections.push_back(Section{"at", "", true, {}});
  document.sections.back().body.set("submit", inner);
  const std::string text = write(document);
  CAPTURE(text);
  const auto again = parse(text);
  REQUIRE(again);
  CHECK(*again == document);
  CHECK(write(*again) == text);
}

TEST_CASE("what is no TOML, and dates") {
  CHECK(!parse("title = "));
  CHECK(!parse("t = 2026-01-01\n"));
  const auto moment = parse("start = 2038-01-19T03:14:00Z\n");
  REQUIRE(moment);
  CHECK(write(*moment) == "start = \"2038-01-19T03:14:00Z\"\n");
}

TEST_CASE("every scenario of the suite is the same when it is written anew") {
  std::size_t files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(POSTPROOF_SUITE)) {
    if (file.path().extension() != ".toml" || file.path().filename() == "catalogue.toml") continue;
    ++files;
    CAPTURE(file.path().string());
    const auto document = parse(text_of(file.path()));
    REQUIRE(document);
    const std::string text = write(*document);
    CAPTURE(text);
    const auto again = parse(text);
    REQUIRE(again);
    CHECK(*again == *document);
    CHECK(load_scenario("written anew", text).has_value());
  }
  CHECK(files >= 60);
}

}  // namespace postproof::sim::document
