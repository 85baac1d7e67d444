// Small recordings for the tests of views.
#pragma once

#include <string>

#include "sim/recording/record.h"

namespace postproof::sim {

// A recording of one connection from sut to mx1 (port 25) that says these things, a millisecond apart.
class Talk {
 public:
  explicit Talk(std::uint16_t port = 25) {
    recording.scenario = "a.toml";
    recording.start = WallTime{std::chrono::seconds{1'767'225'600}};
    add(record::Dial{1, "sut", "mx1", *Endpoint::parse("192.0.2.1:49152"),
                     Endpoint(*IpAddress::parse("192.0.2.2"), port)});
    add(record::Established{1});
  }
  Talk& opener(std::string octets) { return add(record::Octets{1, Side::opener, std::move(octets), at}); }
  Talk& acceptor(std::string octets) { return add(record::Octets{1, Side::acceptor, std::move(octets), at}); }
  Talk& add(auto what) {
    recording.records.push_back(Record{at, std::move(what)});
    at += 1ms;
    return *this;
  }
  Recording recording;
  Duration at{};
};

}  // namespace postproof::sim
