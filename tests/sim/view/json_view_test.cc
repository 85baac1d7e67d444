#include "sim/view/json_view.h"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/sim/recording/sample.h"
#include "tests/sim/view/talk.h"

namespace postproof::sim {
namespace {

namespace json = boost::json;

json::object view_of(const Recording& recording, const JsonViewLimits& limits = {}) {
  return json::parse(json_view(recording, limits)).as_object();
}
std::string text(const json::value& value) { return json::serialize(value); }

// A message that is put off, then delivered.
Talk deferred_once() {
  Talk talk;
  talk.add(record::MtaEvent{"sut", "accepted", {{"message", "1"}, {"sender", "a@src.example"}}});
  talk.add(record::MtaEvent{"sut", "attempt", {{"message", "1"}, {"recipient", "b@dest.example"}, {"site", "mx1"}}});
  talk.add(record::MtaEvent{
      "sut",
      "deferred",
      {{"message", "1"}, {"recipient", "b@dest.example"}, {"stage", "rcpt"}, {"reason", "450 later"}, {"retry_in", "5m"}}});
  talk.at += 5min;
  talk.add(record::MtaEvent{"sut", "attempt", {{"message", "1"}, {"recipient", "b@dest.example"}, {"site", "mx1"}}});
  talk.add(record::MtaEvent{
      "sut", "delivered", {{"message", "1"}, {"recipient", "b@dest.example"}, {"reply", "250 ok"}, {"host", "mx1"}}});
  return talk;
}

TEST_CASE("a dialogue, line by line, with what came of it") {
  Talk talk;
  talk.acceptor("220 ready\r\n").opener("RCPT TO:<a@b>\r\nDATA\r\n").acceptor("450 later\r\n554 nobody\r\n");
  talk.add(record::Fin{1, Side::acceptor}).add(record::Fin{1, Side::opener});
  const json::object view = view_of(talk.recording);
  CHECK(text(view.at("connections")) ==
        R"~([{"id":1,"from":"sut","to":"mx1","address":"192.0.2.2:25","dns":false,"dial":0,"established":1000000,)~"
        R"~("end":6000000,"reset":false,"tls":"","kept":0,"outcome":"later","telling":"450 later","lines":[)~"
        R"~([2000000,1,"line","220 ready",0],[3000000,0,"line","RCPT TO:<a@b>",0],[3000000,0,"line","DATA",0],)~"
        R"~([4000000,1,"line","450 later",0],[4000000,1,"line","554 nobody",0],)~"
        R"~([5000000,1,"fin","ends its direction (FIN)",0],[6000000,0,"fin","ends its direction (FIN)",0]],"left_out":0}])~");
}

TEST_CASE("what became of each recipient") {
  const json::object view = view_of(deferred_once().recording);
  CHECK(text(view.at("recipients")) ==
        R"([{"host":"sut","message":"1","recipient":"b@dest.example","sender":"a@src.example","accepted":2000000,)"
        R"("ended":300006000000,"outcome":"delivered","attempts":2,"left_out":0,"entries":[)"
        R"({"at":3000000,"what":"attempt","number":1,"host":"","stage":"","text":"mx1","retry_in":""},)"
        R"({"at":4000000,"what":"deferred","number":1,"host":"","stage":"rcpt","text":"450 later","retry_in":"5m"},)"
        R"({"at":300005000000,"what":"attempt","number":2,"host":"","stage":"","text":"mx1","retry_in":""},)"
        R"({"at":300006000000,"what":"delivered","number":2,"host":"mx1","stage":"","text":"250 ok","retry_in":""}]}])");
}

TEST_CASE("a fault that lasts is one entry, and a host that was down has its times") {
  Talk talk;
  talk.add(record::Fault{"tcp.refuse", "mx1:25", 3, "begins"}).add(record::Fault{"dns.nodata", "*", 4, "begins"});
  talk.add(record::Fault{"tcp.refuse", "mx1:25", 3, "ends"}).add(record::Fault{"tcp.reset", "mx1", 5, "strikes"});
  talk.add(record::NodeState{"sut", "crash"}).add(record::NodeState{"sut", "start"});
  talk.add(record::NodeState{"mx1", "crash"});
  const json::object view = view_of(talk.recording);
  CHECK(text(view.at("faults")) ==
        R"([{"at":2000000,"end":4000000,"lasts":true,"kind":"tcp.refuse","where":"mx1:25","host":"mx1","line":3,"detail":"begins"},)"
        R"({"at":3000000,"end":null,"lasts":true,"kind":"dns.nodata","where":"*","host":null,"line":4,"detail":"begins"},)"
        R"({"at":5000000,"end":null,"lasts":false,"kind":"tcp.reset","where":"mx1","host":"mx1","line":5,"detail":"strikes"}])");
  CHECK(text(view.at("hosts")) ==
        R"([{"name":"sut","role":"client","down":[[6000000,7000000,"crash"]]},)"
        R"({"name":"mx1","role":"peer","down":[[8000000,null,"crash"]]}])");
}

TEST_CASE("what the judge told") {
  Talk talk;
  talk.recording.source = {"[[expect]]", "end = { queue = 1 }"};
  talk.add(record::Failure{2, "expect end", "1 in the queue", "", {1, 99}});
  talk.add(record::Verdict{"failed", 2, 1});
  const json::object view = view_of(talk.recording);
  CHECK(text(view.at("verdict")) == R"({"result":"failed","held":2,"failed":1})");
  CHECK(text(view.at("failures")) ==
        R"([{"line":2,"headline":"expect end = { queue = 1 }","wanted":"1 in the queue","nearest":"nothing","events":)"
        R"([{"at":1000000,"connection":1,"from":"mx1","to":"sut","text":"connected","lost":false}],"left_out":0}])");
}

TEST_CASE("a large run is cut to its limits, trouble is kept first, and what is left out is counted") {
  Talk talk;
  for (ConnectionId id = 2; id <= 10; ++id) {
    talk.add(record::Dial{id, "sut", "mx1", *Endpoint::parse("192.0.2.1:1"), *Endpoint::parse("192.0.2.2:25")});
    for (int i = 0; i < 10; ++i) talk.add(record::Octets{id, Side::opener, "NOOP\r\n", talk.at});
    if (id != 9) talk.add(record::PeerMessage{"mx1", id, "", "", "", {"a@b"}, "x", "250 ok", true});
  }
  talk.add(record::Failure{0, "invariant", "", "", {talk.recording.records.size() - 1}});  // of connection 10
  JsonViewLimits limits;
  limits.connections = 3;
  limits.lines = 4;
  limits.messages = 2;
  const json::object view = view_of(talk.recording, limits);
  const json::array& connections = view.at("connections").as_array();
  REQUIRE(connections.size() == 3);
  CHECK(connections[0].at("id") == 1);
  CHECK(connections[1].at("id") == 9);
  CHECK(connections[2].at("id") == 10);
  CHECK(connections[2].at("lines").as_array().size() == 4);
  CHECK(connections[2].at("left_out") == 6);
  CHECK(text(view.at("left_out")) == R"({"connections":7,"messages":6})");
}

TEST_CASE("text stays text, and octets that are none are escaped") {
  Recording recording;
  recording.title = "caf\xc3\xa9 \xc3 \xff \xed\xa0\x80 \x01 \xf0\x9f\x93\xa8";
  CHECK(text(view_of(recording).at("title")) ==
        "\"caf\xc3\xa9 \\\\xc3 \\\\xff \\\\xed\\\\xa0\\\\x80 \\\\x01 \xf0\x9f\x93\xa8\"");
  CHECK_NOTHROW(view_of(sample_recording()));
}

}  // namespace
}  // namespace postproof::sim
