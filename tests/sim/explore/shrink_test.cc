// Shrinking, against questions whose smallest answer is known.
#include "sim/explore/shrink.h"

#include <doctest/doctest.h>

#include "mta/base/time.h"

namespace postproof::sim {

namespace {

using document::Document;
using document::Section;

const std::vector<std::string_view> kKept = {"title", "limit"};

Document sample() {
  auto document = document::parse(R"(title = "t"
limit = "20d"
seed  = 77

[dns]
zone = '''
a.example. MX 10 m.example.
b.example. MX 10 m.example.
c.example. MX 10 m.example.
'''

[mta.sut]
retry.jitter = 0
retry.lifetime = "1h17m30s"

[peer.m]
rules = [
  { on = "RCPT", reply = "450 later", times = 9 },
  { on = "dot", reply = "550 no" },
]

[[at]]
t      = "17m3s"
submit = { to = "sut", from = "", rcpt = ["a@a.example", "b@b.example", "c@c.example"], count = 40 }

[[at]]
t     = "1s"
fault = { kind = "tcp.reset", host = "m" }
)");
  REQUIRE(document);
  return *document;
}

bool has(const Document& document, std::string_view text) { return document::write(document).find(text) != std::string::npos; }

Shrunk shrink_to(const std::function<bool(const Document&)>& fails) {
  return shrink(
      sample(), [&](const Document& candidate) { return fails(candidate) ? Attempt::same : Attempt::other; }, 10'000, kKept);
}

}  // namespace

TEST_CASE("what does not matter goes, what is kept stays") {
  const Shrunk shrunk = shrink_to([](const Document& document) { return has(document, "tcp.reset"); });
  CHECK(document::write(shrunk.document) == "title = \"t\"\nlimit = \"20d\"\n\n[[at]]\nfault = { kind = \"tcp.reset\" }\n");
}

TEST_CASE("a key that is kept stays in every table, and lessens") {
  auto document = document::parse("title = \"t\"\n[[at]]\nt = \"1s\"\nfault = { kind = \"disk.eio\", host = \"m\", for = \"2h\" }\n");
  REQUIRE(document);
  const Shrunk shrunk = shrink(
      *document, [](const Document& candidate) { return has(candidate, "fault") ? Attempt::same : Attempt::other; }, 10'000,
      {"title", "for"});
  CHECK(document::write(shrunk.document) == "title = \"t\"\n\n[[at]]\nfault = { for = \"0s\" }\n");
}

TEST_CASE("lists, texts and numbers shrink to what matters of them") {
  const Shrunk shrunk = shrink_to([](const Document& document) {
    if (!has(document, "b@b.example") || !has(document, "b.example. MX")) return false;
    for (const Section& section : document.sections) {
      const auto* submit = section.body.find("submit");
      if (submit == nullptr) continue;
      const auto* count = submit->as<document::Table>()->find("count");
      return count != nullptr && *count->as<std::int64_t>() >= 7;
    }
    return false;
  });
  CHECK(document::write(shrunk.document) ==
        "title = \"t\"\nlimit = \"20d\"\n\n[dns]\nzone = '''\nb.example. MX 10 m.example.\n'''\n\n"
        "[[at]]\nsubmit = { rcpt = [\"b@b.example\"], count = 7 }\n");
}

TEST_CASE("times become smaller and rounder") {
  const Shrunk shrunk = shrink_to([](const Document& document) {
    for (const Section& section : document.sections) {
      if (section.kind != "mta") continue;
      const auto* retry = section.body.find("retry");
      if (retry == nullptr) return false;
      const auto life = parse_duration(retry->as<document::Table>()->text("lifetime"));
      return life && *life >= std::chrono::minutes{40};
    }
    return false;
  });
  CHECK(document::write(shrunk.document) == "title = \"t\"\nlimit = \"20d\"\n\n[mta.sut]\nretry.lifetime = \"1h\"\n");
}

TEST_CASE("what is invalid costs no run, and the runs are bounded") {
  std::size_t runs = 0;
  const auto attempt = [&](const Document& candidate) {
    if (!has(candidate, "[mta.sut]")) return Attempt::invalid;
    ++runs;
    return Attempt::same;
  };
  const Shrunk shrunk = shrink(sample(), attempt, 3, kKept);
  CHECK(runs == 3);
  CHECK(shrunk.runs == 3);
  CHECK(has(shrunk.document, "[mta.sut]"));
}

TEST_CASE("what is smallest stays when the effort is spent") {
  std::size_t asked = 0;
  const auto attempt = [&](const Document&) { return ++asked > 2 ? Attempt::spent : Attempt::same; };
  const Shrunk shrunk = shrink(sample(), attempt, 100, kKept);
  CHECK(asked == 3);
  CHECK(shrunk.runs == 2);
  CHECK(shrunk.document != sample());
}

}  // namespace postproof::sim
