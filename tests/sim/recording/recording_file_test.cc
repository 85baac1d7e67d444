#include "sim/recording/recording_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "mta/base/text.h"
#include "tests/sim/recording/sample.h"

namespace postproof::sim {
namespace {

TEST_CASE("a recording comes back from its file as it was") {
  const Recording recording = sample_recording();
  const std::string text = recording_to_json_lines(recording);
  CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
  CHECK(std::ranges::count(text, '\n') == static_cast<std::ptrdiff_t>(recording.records.size() + 1));

  const auto back = recording_from_json_lines(text);
  REQUIRE(back);
  CHECK(back->scenario == recording.scenario);
  CHECK(back->title == recording.title);
  CHECK(back->variant == recording.variant);
  CHECK(back->seed == recording.seed);
  CHECK(back->start == recording.start);
  CHECK(back->source == recording.source);
  REQUIRE(back->records.size() == recording.records.size());
  CHECK(std::get<record::Octets>(back->records[4].what).octets == all_octets());
  CHECK(std::get<record::Octets>(back->records[4].what).arrives == Duration(5ms));
  CHECK_FALSE(std::get<record::Octets>(back->records[5].what).arrives);
  CHECK(std::get<record::Octets>(back->records[5].what).resent == std::vector<Duration>{1004ms, 3004ms});
  CHECK(std::get<record::Fin>(back->records[6].what).network);
  const auto& message = std::get<record::PeerMessage>(back->records[10].what);
  CHECK(message.content == all_octets());
  CHECK(message.recipients == std::vector<std::string>{"a@b.example", "\"x y\"@b.example"});
  CHECK(std::get<record::MtaEvent>(back->records[15].what).fields.size() == 3);
  CHECK(*std::get<record::MtaEvent>(back->records[15].what).find("message") == "0001");
  CHECK(back->records[16].at == Duration::max());
  for (std::size_t i = 0; i < recording.records.size(); ++i) {
    CHECK(back->records[i].what.index() == recording.records[i].what.index());
    CHECK(back->records[i].at == recording.records[i].at);
  }
  // Everything else, field by field: what was read writes the same file.
  CHECK(recording_to_json_lines(*back) == text);
}

TEST_CASE("the sample has every kind of record") {
  std::vector<bool> seen(std::variant_size_v<decltype(Record::what)>, false);
  for (const Record& record : sample_recording().records) seen[record.what.index()] = true;
  CHECK(std::ranges::all_of(seen, [](bool b) { return b; }));
}

TEST_CASE("the form of a file is the documented one") {
  Recording recording;
  recording.scenario = "a.toml";
  recording.seed = 7;
  recording.records.push_back(Record{20ms, record::Octets{1, Side::opener, "a\r\n\x01\xe9\"", 21ms}});
  CHECK(recording_to_json_lines(recording) ==
        "{\"format\":\"postproof-recording\",\"version\":2,\"scenario\":\"a.toml\",\"title\":\"\",\"variant\":\"\","
        "\"seed\":7,\"start\":0,\"source\":[]}\n"
        "{\"at\":20000000,\"kind\":\"octets\",\"connection\":1,\"from\":\"opener\","
        "\"octets\":\"a\\r\\n\\u0001\\u00e9\\\"\",\"arrives\":21000000}\n");
}

TEST_CASE("what is written in another way is read all the same") {
  const std::string header = recording_to_json_lines(Recording{});
  // Octets as UTF-8, other escapes, blanks, another order, an unknown key.
  const auto read = recording_from_json_lines(
      header +
      "{ \"future\": {}, \"kind\":\"octets\", \"at\": 1, \"octets\":\"\\u0041\xc3\xa9\\/\", \"from\":\"acceptor\","
      " \"connection\":1, \"arrives\":null }\n");
  REQUIRE(read);
  CHECK(std::get<record::Octets>(read->records[0].what).octets == "A\xe9/");
}

TEST_CASE("a broken file is told by line") {
  const std::string header = recording_to_json_lines(Recording{});
  const std::string good = "{\"at\":1,\"kind\":\"established\",\"connection\":1}\n";
  struct Case {
    std::string text;
    Errc code;
    std::string_view what;
  };
  const Case cases[] = {
      {"", Errc::corrupt, "line 1: the file is empty"},
      {"\n", Errc::corrupt, "line 1: no JSON object"},
      {"[]\n", Errc::corrupt, "line 1: no JSON object"},
      {"hello\n", Errc::corrupt, "line 1: no JSON object"},
      {good, Errc::corrupt, "line 1: this is no recording"},
      {"{\"format\":\"postproof-recording\"}\n", Errc::corrupt, "line 1: \"version\" is missing"},
      {"{\"format\":\"postproof-recording\",\"version\":3}\n", Errc::wrong_version, "version 3; expected 2"},
      {"{\"format\":\"postproof-recording\",\"version\":2}\n", Errc::corrupt, "line 1: \"scenario\" is missing"},
      {header + good + good.substr(0, 20), Errc::corrupt, "line 3: the line does not end"},
      {header + good.substr(0, 20) + "\n", Errc::corrupt, "line 2: no JSON object"},
      {header + good.substr(0, good.size() - 1) + "x\n", Errc::corrupt, "line 2: no JSON object"},
      {header + "{\"kind\":\"established\",\"connection\":1}\n", Errc::corrupt, "line 2: \"at\" is missing"},
      {header + "{\"at\":1,\"connection\":1}\n", Errc::corrupt, "line 2: \"kind\" is missing"},
      {header + "{\"at\":1,\"kind\":\"octet\"}\n", Errc::corrupt,
       "line 2: no kind of record is called \"octet\"; did you mean \"octets\"?"},
      {header + "{\"at\":1,\"kind\":\"established\"}\n", Errc::corrupt, "line 2: \"connection\" is missing"},
      {header + "{\"at\":1,\"kind\":\"established\",\"connection\":-1}\n", Errc::corrupt,
       "line 2: \"connection\" is no integer in its range"},
      {header + "{\"at\":1,\"kind\":\"established\",\"connection\":4294967296}\n", Errc::corrupt,
       "\"connection\" is no integer"},
      {header + "{\"at\":1.5,\"kind\":\"established\",\"connection\":1}\n", Errc::corrupt, "\"at\" is no integer"},
      {header + "{\"at\":1,\"kind\":\"fin\",\"connection\":1,\"from\":\"me\"}\n", Errc::corrupt,
       "\"from\" is no \"opener\" or \"acceptor\""},
      {header + "{\"at\":1,\"kind\":\"refused\",\"connection\":1,\"reason\":\"\\u0100\"}\n", Errc::corrupt,
       "\"reason\" is no string"},
      {header + "{\"at\":1,\"kind\":\"dial\",\"connection\":1,\"from_node\":\"\",\"to_node\":\"\",\"from\":\"x\","
                "\"to\":\"\"}\n",
       Errc::corrupt, "\"from\" is no endpoint"},
      {header + "{\"at\":1,\"kind\":\"event\",\"node\":\"\",\"name\":\"\",\"fields\":[[\"a\"]]}\n", Errc::corrupt,
       "\"fields\" is no list of pairs"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto read = recording_from_json_lines(c.text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == c.code);
    CHECK_MESSAGE(read.error().what.find(c.what) != std::string::npos, read.error().what);
  }
}

}  // namespace
}  // namespace postproof::sim
