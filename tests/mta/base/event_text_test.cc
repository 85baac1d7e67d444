// Events as log lines: one line whatever they hold, and JSON that any parser takes.
#include "mta/base/event_text.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

using namespace postproof;

TEST_CASE("event text: quoting keeps a line a line") {
  const event::Delivered delivered{"0001000000000001", "bob@dest.example", "mx1.dest.example [192.0.2.1]:25",
                                   "250 ok \"fine\"\r\nevil", 1500ms};
  CHECK(event_to_text(delivered) ==
        "delivered message=0001000000000001 recipient=bob@dest.example host=\"mx1.dest.example [192.0.2.1]:25\" "
        "reply=\"250 ok \\\"fine\\\"\\r\\nevil\" delay=1.5s tls=none");
  CHECK(event_to_text(event::Accepted{7, "m", "", 2, 300, ""}) ==
        "accepted session=7 message=m sender=\"\" recipients=2 size=300 bounce_of=\"\" login=\"\"");
}

TEST_CASE("event JSON: parses, and holds what the event holds") {
  const std::string raw("a\"b\\\xff\n\0", 7);
  const std::string line = event_to_json(event::Command{3, event::Direction::in, raw}, WallTime{});
  CHECK(line.find('\n') == std::string::npos);
  const auto object = boost::json::parse(line).as_object();
  CHECK(object.at("event").as_string() == "command");
  CHECK(object.at("time").as_string() == "1970-01-01T00:00:00.000000Z");
  CHECK(object.at("session").as_int64() == 3);
  CHECK(object.at("line").as_string() == std::string_view("a\"b\\\xc3\xbf\n\0", 8));
}

TEST_CASE("event fields: in order, as text") {
  const auto fields = event_fields(event::Deferred{"m", "r", "h", "rcpt", "450 later", 5min});
  REQUIRE(fields.size() == 6);
  CHECK(fields[0] == std::pair<std::string, std::string>("message", "m"));
  CHECK(fields[5] == std::pair<std::string, std::string>("retry_in", "5m"));
}
