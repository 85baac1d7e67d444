#include "sim/view/sequence_view.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/view/hosts.h"
#include "tests/sim/recording/sample.h"
#include "tests/sim/view/talk.h"

namespace postproof::sim {
namespace {

// The diagram without the run's heading.
std::string view_of(const Talk& talk, const SequenceViewOptions& options = {}) {
  const std::string text = sequence_view(talk.recording, options);
  return text.substr(text.find("\n\n") + 2);
}

TEST_CASE("hosts are columns, what they say are arrows, and what passes in silence is one line") {
  Talk talk;
  talk.acceptor("220 ready\r\n").opener("QUIT\r\n");
  talk.add(record::Dns{"dns", "sut", "dest.example.", "MX", "udp", "nxdomain"});
  talk.at += 15min;
  talk.add(record::Octets{1, Side::acceptor, "221 bye\r\n", std::nullopt});
  talk.add(record::Reset{1, Side::opener});
  talk.add(record::Fault{"tcp.blackhole", "mx1:25", 48, "begins"});
  talk.add(record::MtaEvent{"sut", "deferred", {{"reason", "later"}}});
  talk.add(record::NodeState{"sut", "crash"});
  talk.add(record::Fault{"tcp.blackhole", "mx1:25", 48, "ends"});
  talk.add(record::NodeState{"sut", "start"});
  talk.add(record::End{"done", ""});
  CHECK(view_of(talk) ==
        "                  sut   mx1   dns\n"
        "        0.000s     |....>|     |    #1 dials 192.0.2.2:25 from 192.0.2.1:49152\n"
        "        0.001s     |<....|     |    #1 connected\n"
        "        0.002s     |<----|     |    #1 220 ready\n"
        "        0.003s     |---->|     |    #1 QUIT\n"
        "        0.004s     |..........>|    dest.example. MX ? nxdomain\n"
        "                   :     :     :    (15m00.001s later)\n"
        "    15m00.005s     |x----|     |    #1 221 bye (lost)\n"
        "    15m00.006s     |====>|     |    #1 cuts the connection (RST)\n"
        "    15m00.007s     |     #     |    FAULT tcp.blackhole begins   :48   at mx1:25\n"
        "    15m00.008s     *     !     |    deferred reason=later\n"
        "    15m00.009s     X     !     |    sut CRASH\n"
        "    15m00.010s           #     |    FAULT tcp.blackhole ends   :48   at mx1:25\n"
        "    15m00.011s     *     |     |    sut starts\n"
        "    15m00.012s     |     |     |    END done\n");
}

TEST_CASE("a connection that was not made ends in front of the host") {
  Talk talk;
  talk.add(record::Dial{2, "sut", "mx2", *Endpoint::parse("192.0.2.1:49153"), *Endpoint::parse("192.0.2.3:25")});
  talk.add(record::Refused{2, "timed out"});
  CHECK(view_of(talk).ends_with("        0.003s     |..........x|    #2 not connected: timed out\n"));
}

TEST_CASE("it fits its width, hostile octets or not, and hosts without room are told") {
  Talk talk;
  for (int i = 2; i < 40; ++i) {
    const std::string host = "relay-" + std::to_string(i);
    talk.add(record::Dial{static_cast<ConnectionId>(i), "sut", host, *Endpoint::parse("192.0.2.1:49153"),
                          *Endpoint::parse("192.0.2.3:25")});
    talk.add(record::Octets{static_cast<ConnectionId>(i), Side::acceptor, "220 " + all_octets() + "\r\n", talk.at});
  }
  for (const std::size_t width : {80, 100, 200}) {
    SequenceViewOptions options;
    options.width = width;
    const std::string view = view_of(talk, options);
    for (const std::string_view line : split(view, '\n')) {
      CHECK(line.size() <= width);
      CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
    }
    CHECK(view.find(" more\n") != std::string::npos);
    CHECK(view.find("(sut to relay-39)") != std::string::npos);
  }
}

TEST_CASE("colours and box characters only where they are asked for") {
  Talk talk;
  talk.acceptor("550 no\r\n");
  SequenceViewOptions options;
  options.color = options.unicode = true;
  CHECK(view_of(talk, options).find("\x1b[1;31m#1 550 no\x1b[0m\n") != std::string::npos);
  CHECK(view_of(talk, options).find("◀") != std::string::npos);
  CHECK(view_of(talk).find('\x1b') == std::string::npos);
}

TEST_CASE("every kind of record has its place in it") {
  const std::string view = sequence_view(sample_recording());
  CHECK(view.find("SCRIPT FAILS") != std::string::npos);
  CHECK(view.find("FAILED expect delivered") != std::string::npos);
}

TEST_CASE("mail flows from left to right") {
  Talk talk;
  talk.add(record::Dns{"dns", "sut", "dest.example.", "MX", "udp", "nxdomain"});
  talk.add(record::NodeState{"idle", "start"});
  talk.add(record::Dial{2, "client", "sut", *Endpoint::parse("192.0.2.9:1"), *Endpoint::parse("192.0.2.1:25")});
  talk.add(record::MtaEvent{"sut", "service", {}});
  std::string order;
  const std::vector<ViewHost> hosts = hosts_of(talk.recording);
  for (const ViewHost& host : hosts) order += host.name + " ";
  CHECK(order == "client sut mx1 dns ");
  CHECK(host_of_fault(hosts, "mx1:25") == 2);
  CHECK(host_of_fault(hosts, "sut write /spool/*") == 1);
  CHECK_FALSE(host_of_fault(hosts, "dest.example"));
}

}  // namespace
}  // namespace postproof::sim
