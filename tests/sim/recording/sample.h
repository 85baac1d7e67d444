// A recording with every kind of record, and octets that are hard to keep.
#pragma once

#include <string>

#include "sim/recording/record.h"

namespace postproof::sim {

inline std::string all_octets() {
  std::string octets;
  for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
  return octets;
}

inline Recording sample_recording() {
  Recording recording;
  recording.scenario = "scenarios/sample.toml";
  recording.title = "caf\xc3\xa9 \"quoted\" \\ back";
  recording.variant = "disk_op=3";
  recording.seed = 0xffff'ffff'ffff'fff7;
  recording.start = WallTime{std::chrono::seconds{1'767'225'600}};
  recording.source = {"title = \"x\"", "", "\tindented"};
  const Endpoint client = *Endpoint::parse("192.0.2.1:49152");
  const Endpoint server = *Endpoint::parse("[2001:db8::1]:25");
  auto add = [&](Duration at, auto what) { recording.records.push_back(Record{at, std::move(what)}); };
  using namespace record;
  add(Duration{0}, NodeState{"sut", "start"});
  add(1ms, Dial{1, "sut", "mx1", client, server});
  add(2ms, Established{1});
  add(3ms, Refused{2, "timed out"});
  add(4ms, Octets{1, Side::acceptor, all_octets(), 5ms});
  add(4ms, Octets{1, Side::opener, "lost\r\n", std::nullopt, {1004ms, 3004ms}});
  add(5ms, Fin{1, Side::opener, true});
  add(6ms, Reset{1, Side::acceptor});
  add(7ms, Datagram{"sut", "", client, server, std::string("\0\xff", 2), true});
  add(8ms, Dns{"dns", "sut", "dest.example.", "MX", "udp", "noerror: MX 10 mx1.dest.example."});
  add(9ms,
      PeerMessage{
          "mx1", 1, "sut.example", "SIZE=3", "", {"a@b.example", "\"x y\"@b.example"}, all_octets(), "250 ok", true});
  add(10ms, ClientMessage{"client", "sut", 1, "a@b.example", {}, "x\r\n", "", false});
  add(11ms, ScriptFailure{"raw", 51, "\"250\"", "\"550 no\""});
  add(12ms, DiskOperation{"sut", 0xffff'ffff'ffff'ffff, "write", "/spool/1", 4096, 512, "ok"});
  add(13ms, Fault{"tcp.blackhole", "mx1", 48, "begins"});
  add(14ms, MtaEvent{"sut", "delivered", {{"message", "0001"}, {"host", "mx1 [192.0.2.2]:25"}, {"empty", ""}}});
  add(Duration::max(), QueueState{"sut", "0001", "", "a@b.example", "deferred", 3, 15min});
  add(Duration{15}, QueueState{"sut", "0001", "", "a@b.example", "held", 0xffff'ffff, std::nullopt});
  add(Duration{-1}, End{"limit", "sut: a connection\nmx1: a timer"});
  add(18ms,
      Tls{1, Side::opener, "sut", "established", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx1.dest.example", "ok", ""});
  add(19ms,
      Tls{1, Side::acceptor, "mx1", "failed", "", "", "", "certificate has expired", "alert certificate_expired"});
  add(20ms, Plain{1, Side::acceptor, all_octets(), 21ms});
  add(21ms, TlsKey{1, "CLIENT_RANDOM 00 11"});
  add(20ms, Failure{7, "expect delivered", "bob@dest.example at mx1", "nothing", {0, 0xffff'ffff'ffff'ffff}});
  add(20ms, Verdict{"failed", 3, 1});
  return recording;
}

}  // namespace postproof::sim
