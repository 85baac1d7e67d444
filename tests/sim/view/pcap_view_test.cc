#include "sim/view/pcap_view.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/sim/recording/sample.h"
#include "tests/sim/view/talk.h"

namespace postproof::sim {
namespace {

std::uint32_t number(std::string_view octets, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(octets[at + i]);
  return value;
}

// RFC 1071: with its checksum in it, everything adds up to ones.
bool adds_up(std::string_view octets, std::uint32_t total = 0) {
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    total += number(octets, i, 1) << 8;
    if (i + 1 < octets.size()) total += number(octets, i + 1, 1);
  }
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total == 0xffff;
}

// A capture as a reader of its own sees it: "0.001s 49152>25 SA 7 1 0", numbers relative to the first of each side.
class Reader {
 public:
  explicit Reader(const std::string& file) {
    REQUIRE(file.size() >= 24);
    std::uint32_t magic = 0;
    std::memcpy(&magic, file.data(), sizeof magic);
    REQUIRE(magic == 0xa1b23c4d);  // nanoseconds
    for (std::size_t at = 24; at < file.size();) {
      std::uint32_t header[4];
      std::memcpy(header, file.data() + at, sizeof header);
      REQUIRE(header[2] == header[3]);
      packet(header[0], header[1], std::string_view(file).substr(at + 16, header[2]));
      at += 16 + header[2];
    }
  }
  std::vector<std::string> lines;

 private:
  void packet(std::uint32_t seconds, std::uint32_t nanoseconds, std::string_view frame) {
    const bool v4 = number(frame, 12, 2) == 0x0800;
    CHECK((v4 || number(frame, 12, 2) == 0x86dd));
    const std::string_view ip = frame.substr(14);
    const std::string_view rest = ip.substr(v4 ? 20 : 40);
    if (v4) CHECK(adds_up(ip.substr(0, 20)));
    CHECK(number(ip, v4 ? 2 : 4, 2) == (v4 ? ip.size() : rest.size()));
    const std::uint32_t protocol = number(ip, v4 ? 9 : 6, 1);
    std::string line = fmt::format("{}.{:03}s ", seconds - 1'767'225'600, nanoseconds / 1'000'000);
    if (protocol == 1) {
      CHECK(adds_up(rest));
      lines.push_back(line + fmt::format("icmp {}/{}", number(rest, 0, 1), number(rest, 1, 1)));
      return;
    }
    std::uint32_t pseudo = protocol + static_cast<std::uint32_t>(rest.size());
    const std::string_view addresses = v4 ? ip.substr(12, 8) : ip.substr(8, 32);
    for (std::size_t i = 0; i < addresses.size(); i += 2) pseudo += number(addresses, i, 2);
    CHECK(adds_up(rest, pseudo));
    line += fmt::format("{}>{} ", number(rest, 0, 2), number(rest, 2, 2));
    if (protocol == 58) {
      lines.push_back(fmt::format("icmp6 {}/{}", number(rest, 0, 1), number(rest, 1, 1)));
    } else if (protocol == 17) {
      lines.push_back(line + fmt::format("udp {}", rest.substr(8)));
    } else {
      lines.push_back(line + segment(rest));
    }
  }

  std::string segment(std::string_view tcp) {
    const std::uint32_t bits = number(tcp, 13, 1);
    std::string flags;
    for (const auto& [bit, letter] : {std::pair{2u, 'S'}, {16u, 'A'}, {8u, 'P'}, {1u, 'F'}, {4u, 'R'}}) {
      if (bits & bit) flags += letter;
    }
    const std::uint32_t port = number(tcp, 0, 2);
    const std::size_t side = port == 25 ? 1 : 0;
    std::uint32_t sequence = number(tcp, 4, 4), acknowledgment = number(tcp, 8, 4);
    if (bits & 2) first_[side] = sequence;
    sequence -= first_[side];
    if (bits & 16) acknowledgment -= first_[1 - side];
    const std::string_view payload = tcp.substr((number(tcp, 12, 1) >> 4) * 4);
    return fmt::format("{} {} {} {}", flags, sequence, acknowledgment, payload.size() > 20 ? fmt::format("({})", payload.size()) : payload);
  }

  std::uint32_t first_[2] = {0, 0};
};

std::vector<std::string> lines_of(const Recording& recording) {
  const auto file = pcap_view(recording);
  REQUIRE(file);
  return Reader(*file).lines;
}

void say(Talk& talk, Side from, std::string octets, std::optional<Duration> arrives) {
  talk.add(record::Octets{1, from, std::move(octets), arrives});
}

TEST_CASE("a connection from its SYN to its last ACK") {
  Talk talk;
  talk.at = 3ms;
  talk.recording.records[1].at = 2ms;
  say(talk, Side::acceptor, "220", 4ms);
  talk.at = 4ms;
  say(talk, Side::opener, "QUIT", 5ms);
  talk.at = 5ms;
  talk.add(record::Fin{1, Side::acceptor});
  talk.at = 6ms;
  talk.add(record::Fin{1, Side::opener});
  CHECK(lines_of(talk.recording) == std::vector<std::string>{
                                        "0.000s 49152>25 S 0 0 ",
                                        "0.001s 25>49152 SA 0 1 ",
                                        "0.002s 49152>25 A 1 1 ",
                                        "0.003s 25>49152 AP 1 1 220",
                                        "0.004s 49152>25 A 1 4 ",
                                        "0.004s 49152>25 AP 1 4 QUIT",
                                        "0.005s 25>49152 A 4 5 ",
                                        "0.005s 25>49152 AF 4 5 ",
                                        "0.006s 49152>25 A 5 5 ",
                                        "0.006s 49152>25 AF 5 5 ",
                                        "0.007s 25>49152 A 5 6 ",
                                    });
}

TEST_CASE("what arrives in the moment in which it is sent is acknowledged behind that") {
  Talk talk;
  talk.acceptor("220").add(record::Fin{1, Side::acceptor}).add(record::Fin{1, Side::opener});
  CHECK(lines_of(talk.recording) == std::vector<std::string>{
                                        "0.000s 49152>25 S 0 0 ",
                                        "0.001s 25>49152 SA 0 1 ",
                                        "0.001s 49152>25 A 1 1 ",
                                        "0.002s 25>49152 AP 1 1 220",
                                        "0.002s 49152>25 A 1 4 ",
                                        "0.003s 25>49152 AF 4 1 ",
                                        "0.003s 49152>25 A 1 5 ",
                                        "0.004s 49152>25 AF 1 5 ",
                                        "0.004s 25>49152 A 5 2 ",
                                    });
}

TEST_CASE("what was held back is sent again, what is lost is not acknowledged, and RST ends it all") {
  Talk talk;
  talk.recording.records[1].at = 2ms;
  talk.at = 3ms;
  say(talk, Side::acceptor, "220", 10s);
  talk.at = 11s;
  say(talk, Side::opener, "NOOP", std::nullopt);
  talk.at = 12s;
  talk.add(record::Reset{1, Side::acceptor});
  const std::vector<std::string> lines = lines_of(talk.recording);
  CHECK(std::vector<std::string>(lines.begin() + 3, lines.end()) == std::vector<std::string>{
                                                                        "0.003s 25>49152 AP 1 1 220",
                                                                        "9.999s 25>49152 AP 1 1 220",
                                                                        "10.000s 49152>25 A 1 4 ",
                                                                        "11.000s 49152>25 AP 1 4 NOOP",
                                                                        "12.000s 25>49152 AR 4 1 ",
                                                                    });
}

TEST_CASE("what got lost is sent again when the recording says so, and a cut on the way is a FIN where the reader is") {
  Talk talk;
  talk.recording.records[1].at = 2ms;
  talk.at = 3ms;
  talk.add(record::Octets{1, Side::opener, "NOOP", 1404ms, {203ms, 603ms, 1403ms}});
  talk.at = 2s;
  say(talk, Side::opener, "LOST", std::nullopt);
  talk.at = 3s;
  talk.add(record::Fin{1, Side::opener, true});
  const std::vector<std::string> lines = lines_of(talk.recording);
  CHECK(std::vector<std::string>(lines.begin() + 3, lines.end()) == std::vector<std::string>{
                                                                        "0.003s 49152>25 AP 1 1 NOOP",
                                                                        "0.203s 49152>25 AP 1 1 NOOP",
                                                                        "0.603s 49152>25 AP 1 1 NOOP",
                                                                        "1.403s 49152>25 AP 1 1 NOOP",
                                                                        "1.404s 25>49152 A 1 5 ",
                                                                        "2.000s 49152>25 AP 5 1 LOST",
                                                                        "3.000s 49152>25 AF 5 1 ",
                                                                        "3.000s 25>49152 A 1 6 ",
                                                                    });
}

TEST_CASE("connections that are not made") {
  for (const auto& [reason, answer] : {std::pair{"refused", "0.001s 25>49152 AR"}, {"unreachable", "0.001s icmp 3/1"}}) {
    Talk talk;
    talk.recording.records[1] = Record{2ms, record::Refused{1, reason}};
    const std::vector<std::string> lines = lines_of(talk.recording);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].starts_with(answer));
  }
  Talk talk;
  talk.recording.records[1] = Record{30s, record::Refused{1, "timed out"}};
  CHECK(lines_of(talk.recording) == std::vector<std::string>{"0.000s 49152>25 S 0 0 "});
}

TEST_CASE("octets are cut into what an Ethernet takes") {
  Talk talk;
  talk.recording.records[1].at = 2ms;
  talk.at = 3ms;
  say(talk, Side::opener, std::string(3000, 'x'), 4ms);
  const std::vector<std::string> lines = lines_of(talk.recording);
  CHECK(std::vector<std::string>(lines.begin() + 3, lines.end()) ==
        std::vector<std::string>{"0.003s 49152>25 A 1 1 (1460)", "0.003s 49152>25 A 1461 1 (1460)",
                                 "0.003s 49152>25 AP 2921 1 (80)", "0.004s 25>49152 A 1 3001 "});
}

TEST_CASE("IPv6, datagrams, and what has no place on an Ethernet") {
  Recording recording = sample_recording();
  recording.records.clear();
  const Endpoint six = *Endpoint::parse("[2001:db8::1]:25"), from = *Endpoint::parse("[2001:db8::2]:49152");
  recording.records = {
      Record{1ms, record::Dial{1, "sut", "mx1", from, six}},
      Record{3ms, record::Refused{1, "unreachable"}},
      Record{4ms, record::Dial{2, "sut", "sut", Endpoint::unix_path("/a"), Endpoint::unix_path("/b")}},
      Record{5ms, record::Octets{2, Side::opener, "x", 6ms}},
      Record{7ms, record::Datagram{"sut", "dns", *Endpoint::parse("192.0.2.1:999"), *Endpoint::parse("192.0.2.9:53"), "odd", false}},
      Record{8ms, record::Datagram{"sut", "dns", six, *Endpoint::parse("192.0.2.9:53"), "of two families", false}},
  };
  CHECK(lines_of(recording) ==
        std::vector<std::string>{"0.001s 49152>25 S 0 0 ", "icmp6 1/3", "0.007s 999>53 udp odd"});
}

TEST_CASE("a recording that is none of a run is refused, not followed") {
  Talk talk;
  talk.recording.records[0].at = Duration::min();
  CHECK_FALSE(pcap_view(talk.recording));
  talk.recording.records[0].at = Duration::max();
  CHECK_FALSE(pcap_view(talk.recording));
  talk.recording.records[0].at = 0s;
  CHECK(pcap_view(talk.recording));
  talk.recording.start = WallTime::max() - 1h;  // 2262: a capture counts to 2106, and goes on from 1970
  CHECK(pcap_view(talk.recording));
  say(talk, Side::opener, "x", Duration::min());
  CHECK_FALSE(pcap_view(talk.recording));
}

TEST_CASE("the key log") {
  Talk talk;
  CHECK(key_log(talk.recording) == "");
  talk.add(record::TlsKey{1, "CLIENT_RANDOM 00 11"}).add(record::TlsKey{1, "SERVER_HANDSHAKE 22 33"});
  CHECK(key_log(talk.recording) == "CLIENT_RANDOM 00 11\nSERVER_HANDSHAKE 22 33\n");
}

}  // namespace
}  // namespace postproof::sim
