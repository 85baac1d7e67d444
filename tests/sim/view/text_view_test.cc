#include "sim/view/text_view.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/recording/view_time.h"
#include "tests/sim/recording/sample.h"
#include "tests/sim/view/talk.h"

namespace postproof::sim {
namespace {

// The transcript without its header.
std::string view_of(const Talk& talk, const TextViewOptions& options = {}) {
  const std::string text = text_view(talk.recording, options);
  return text.substr(text.find("\n\n") + 2);
}

TEST_CASE("a transcript reads like a conversation") {
  Talk talk;
  talk.acceptor("220 mx1 ready\r\n").opener("EHLO sut\r\n").acceptor("250-mx1\r\n250 SIZE\r\n");
  talk.opener("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n").acceptor("250 ok\r\n550 no\r\n354 go\r\n");
  talk.opener("Subject: x\r\n\r\none\r\ntwo\r\nthree\r\nMAIL FROM:<x>\r\n.\r")
      .opener("\nQUIT\r\n")
      .acceptor("250 taken\r\n");
  talk.add(record::Fin{1, Side::acceptor}).add(record::Reset{1, Side::opener});
  CHECK(view_of(talk) ==
        "        0.000s  #1   sut > mx1         dials 192.0.2.2:25 from 192.0.2.1:49152\n"
        "        0.001s  #1   sut < mx1         connected\n"
        "        0.002s  #1   sut < mx1         220 mx1 ready\n"
        "        0.003s  #1   sut > mx1         EHLO sut\n"
        "        0.004s  #1   sut < mx1         250-mx1\n"
        "        0.004s  #1   sut < mx1         250 SIZE\n"
        "        0.005s  #1   sut > mx1         MAIL FROM:<>\n"
        "        0.005s  #1   sut > mx1         RCPT TO:<a@b>\n"
        "        0.005s  #1   sut > mx1         DATA\n"
        "        0.006s  #1   sut < mx1         250 ok\n"
        "        0.006s  #1   sut < mx1         550 no\n"
        "        0.006s  #1   sut < mx1         354 go\n"
        "        0.007s  #1   sut > mx1         | Subject: x\n"
        "        0.007s  #1   sut > mx1         |\n"
        "        0.007s  #1   sut > mx1         | one\n"
        "        0.007s  #1   sut > mx1         | two\n"
        "        0.008s  #1   sut > mx1         | ... 46 octets in 6 lines\n"
        "        0.008s  #1   sut > mx1         .\n"
        "        0.008s  #1   sut > mx1         QUIT\n"
        "        0.009s  #1   sut < mx1         250 taken\n"
        "        0.010s  #1   sut < mx1         ends its direction (FIN)\n"
        "        0.011s  #1   sut > mx1         cuts the connection (RST)\n");
}

TEST_CASE("what is odd on the wire is shown") {
  Talk talk;
  talk.opener("NOOP\nNO\x01OP\r\n").opener("half").add(record::Octets{1, Side::acceptor, "250 gone\r\n", std::nullopt});
  talk.add(record::Fin{1, Side::opener});
  const std::string view = view_of(talk);
  CHECK(view.find("sut > mx1         NOOP\\n\n") != std::string::npos);
  CHECK(view.find("NO\\x01OP\n") != std::string::npos);
  CHECK(view.find("half   (no line end)\n") != std::string::npos);
  CHECK(view.find("250 gone   (lost)\n") != std::string::npos);
}

TEST_CASE("a bare LF ends no content") {
  Talk talk;
  talk.opener("DATA\r\n").acceptor("354 go\r\n").opener("a\n.\nMAIL FROM:<x>\r\n.\r\n");
  const std::string view = view_of(talk);
  CHECK(view.find("| .\\n\n") != std::string::npos);
  CHECK(view.find("| MAIL FROM:<x>\n") != std::string::npos);
}

TEST_CASE("only what the wire does not say is told of events, datagrams and disks") {
  Talk talk;
  talk.add(record::MtaEvent{"sut", "command", {{"line", "EHLO"}}});
  talk.add(record::MtaEvent{"sut", "deferred", {{"message", "1"}, {"reason", "450 later"}}});
  talk.add(record::DiskOperation{"sut", 1, "sync", "/spool/x", 0, 0, "ok"});
  talk.add(
      record::Datagram{"sut", "dns", *Endpoint::parse("192.0.2.1:999"), *Endpoint::parse("192.0.2.9:53"), "q", false});
  talk.add(record::Dns{"dns", "sut", "dest.example.", "MX", "udp", "nxdomain"});
  std::string view = view_of(talk);
  CHECK(view.find("command") == std::string::npos);
  CHECK(view.find("sut                   * deferred message=1 reason=\"450 later\"\n") != std::string::npos);
  CHECK(view.find("sync") == std::string::npos);
  CHECK(view.find("datagram") == std::string::npos);
  CHECK(view.find("sut > dns         dest.example. MX ? nxdomain\n") != std::string::npos);
  TextViewOptions options;
  options.disk = true;
  CHECK(view_of(talk, options).find("sync /spool/x") != std::string::npos);
}

TEST_CASE("a long event goes on in the next line") {
  Talk talk;
  const std::string host(50, 'h');
  talk.add(record::MtaEvent{"sut", "deferred", {{"host", host}, {"peer", host}, {"reason", "450 later"}}});
  const std::string view = view_of(talk);
  CHECK(view.ends_with("sut                   * deferred host=" + host + "\n" + std::string(45, ' ') + "peer=" + host +
                       " reason=\"450 later\"\n"));
}

TEST_CASE("TLS is told by its sides, and what it hides is read from Plain") {
  Talk talk;
  const std::string hello("\x16\x03\x01\x02\x00\n\n", 7);
  talk.opener("STARTTLS\r\n").acceptor("220 go\r\n").opener(hello).acceptor(hello);
  talk.add(
      record::Tls{1, Side::acceptor, "mx1", "established", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx1.dest", "", ""});
  talk.add(record::TlsKey{1, "CLIENT_RANDOM 00 11"});
  talk.add(record::Tls{1, Side::opener, "sut", "established", "TLSv1.3", "", "", "expired", ""});
  talk.add(record::Plain{1, Side::opener, "EHLO ", talk.at}).opener("\x17\x03\x03\nEHLO");
  talk.add(record::Plain{1, Side::opener, "sut\r\n", talk.at}).opener("\x17\x03\x03\nEHLO");
  talk.add(record::Plain{1, Side::acceptor, "250 mx1\r\n", std::nullopt});
  talk.add(record::Tls{1, Side::opener, "sut", "failed", "", "", "", "", "alert decode_error"});
  const std::string view = view_of(talk);
  CHECK(view.substr(view.find("        0.003s")) ==
        "        0.003s  #1   sut < mx1         220 go\n"
        "        0.004s  #1   sut > mx1         TLS, 7 octets\n"
        "        0.005s  #1   sut < mx1         TLS, 7 octets\n"
        "        0.006s  #1   sut < mx1         TLS established TLSv1.3 TLS_AES_256_GCM_SHA384, for mx1.dest   (mx1)\n"
        "        0.008s  #1   sut > mx1         TLS established TLSv1.3, not verified: expired   (sut)\n"
        "        0.011s  #1   sut > mx1         EHLO sut\n"
        "        0.013s  #1   sut < mx1         250 mx1   (lost)\n"
        "        0.014s  #1   sut > mx1         TLS failed: alert decode_error   (sut)\n");
  CHECK(text_line(talk.recording, 4) == "        0.004s  #1   sut > mx1         TLS, 7 octets");
}

TEST_CASE("DNS over TCP is not shown as lines") {
  Talk talk(53);
  talk.opener(std::string("\0\x1d\n", 3)).add(record::Fin{1, Side::opener});
  CHECK(view_of(talk) == "");
}

TEST_CASE("no line is wider than it may be, and none has a control octet") {
  Recording recording = sample_recording();
  recording.records.push_back(Record{1s, record::Octets{1, Side::opener, std::string(100'000, 'x') + "\r\n", 1s}});
  TextViewOptions options;
  options.disk = true;
  const std::string view = text_view(recording, options);
  for (std::string_view line : split(view, '\n')) {
    CHECK(line.size() <= 150);
    CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
  for (std::size_t i = 0; i < recording.records.size(); ++i) {
    const std::string line = text_line(recording, i);
    CHECK(line.size() <= 150);
    CHECK(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("a run that failed begins with its report") {
  Talk talk;
  talk.recording.source = {"[[expect]]", "delivered = { rcpt = 'bob@dest.example' }"};
  talk.recording.seed = 7;
  talk.add(record::Failure{2, "expect delivered", "one message", "", {1}});
  talk.add(record::Verdict{"failed", 1, 1});
  CHECK(view_of(talk) ==
        "FAIL a.toml seed=7   0.003s virtual\n"
        "  :2 expect delivered = { rcpt = 'bob@dest.example' }\n"
        "     wanted   one message\n"
        "     nearest  nothing\n"
        "               0.001s  #1   sut < mx1         connected\n"
        "  1 expectation passed\n"
        "  replay: postproof run a.toml --seed 7\n"
        "\n"
        "        0.000s  #1   sut > mx1         dials 192.0.2.2:25 from 192.0.2.1:49152\n"
        "        0.001s  #1   sut < mx1         connected\n"
        "        0.003s                         FAILED: 1 held, 1 failed\n");
}

TEST_CASE("one record is one line") {
  Talk talk;
  talk.acceptor("250-mx1\r\n250 SIZE\r\n");
  talk.add(record::Fault{"tcp.blackhole", "mx1", 48, "begins"});
  CHECK(text_line(talk.recording, 2) == "        0.002s  #1   sut < mx1         250-mx1 | 250 SIZE");
  CHECK(text_line(talk.recording, 3) == "        0.003s       mx1               FAULT tcp.blackhole begins   :48");
  CHECK(text_line(talk.recording, 99) == "event 99: there is none");
}

TEST_CASE("virtual time") {
  const std::pair<Duration, std::string_view> cases[] = {
      {0s, "0.000s"},       {1999us, "0.001s"},
      {59s, "59.000s"},     {15min + 30s + 60ms, "15m30.060s"},
      {1h, "1h00m00.000s"}, {119h + 59min + 59s + 999ms, "4d23h59m59.999s"},
      {-1500ms, "-1.500s"},
  };
  for (const auto& [at, text] : cases) CHECK(view_time(at) == text);
}

}  // namespace
}  // namespace postproof::sim
