// What operators and scripts read: the queue as a table and as JSON lines, the log's two forms.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "mta/admin/control.h"
#include "mta/admin/log_sink.h"
#include "mta/admin/queue_listing.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

using namespace postproof;

namespace {

const WallTime kNow{std::chrono::seconds{1'767'225'600}};

queue::QueueEntry entry() {
  auto stored = std::make_shared<queue::StoredMessage>();
  stored->id = MessageId{0x0001000000000007};
  stored->envelope.sender = Address{"alice", "src.example"};
  stored->envelope.recipients = {Recipient{Address{"bob", "dest.example"}}, Recipient{Address{"done", "dest.example"}}};
  stored->arrived = kNow - 90s;
  stored->body_size = 1234;
  queue::QueueEntry line;
  line.message.stored = stored;
  line.message.progress.resize(2);
  line.message.progress[0].attempts = 2;
  line.message.progress[0].due = kNow + 10min;
  line.message.progress[0].last = queue::AttemptResult{queue::Stage::rcpt, "mx1.dest.example", "192.0.2.1:25",
                                                       smtp::Reply::of(450, "4.2.0", "gr\xffylisted\n"), kNow, kNow};
  line.message.progress[1].status = queue::RecipientStatus::delivered;
  return line;
}

}  // namespace

TEST_CASE("queue table: a line a waiting recipient, and a count") {
  CHECK(admin::queue_table({}, kNow) == "the queue is empty\n");
  const std::string table = admin::queue_table({entry()}, kNow);
  CHECK(std::count(table.begin(), table.end(), '\n') == 3);
  CHECK(table.find("0001000000000007  1m30s  1234  alice@src.example  bob@dest.example  2      in 10m  "
                   "mx1.dest.example [192.0.2.1]:25: 450 4.2.0 gr\\xffylisted") != std::string::npos);
  CHECK(table.find("done@dest.example") == std::string::npos);
  CHECK(table.ends_with("1 message, 1 recipient\n"));
}

TEST_CASE("queue JSON: one object a message, whatever peers have said") {
  const std::string text = admin::queue_json({entry(), entry()});
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  const auto object = boost::json::parse(text.substr(0, text.find('\n'))).as_object();
  CHECK(object.at("id").as_string() == "0001000000000007");
  CHECK(object.at("recipients").as_array().size() == 2);
  const auto& first = object.at("recipients").as_array()[0].as_object();
  CHECK(first.at("status").as_string() == "pending");
  CHECK(first.at("due").as_string() == "2026-01-01T00:10:00.000000Z");
  CHECK(object.at("recipients").as_array()[1].as_object().at("status").as_string() == "delivered");
}

TEST_CASE("log: mail or everything, text or JSON, one line an event") {
  std::string written;
  const auto now = [] { return kNow; };
  const auto write = [&](std::string_view line) { written += line; };
  admin::LogSink mail(admin::LogForm::text, admin::LogDetail::mail, now, write);
  mail.emit(event::Command{1, event::Direction::in, "NOOP"});
  CHECK(written.empty());
  mail.emit(event::Service{"listening", "127.0.0.1:25"});
  CHECK(written == "2026-01-01T00:00:00.000000Z service state=listening detail=127.0.0.1:25\n");
  written.clear();
  admin::LogSink wire(admin::LogForm::json, admin::LogDetail::wire, now, write);
  wire.emit(event::Command{1, event::Direction::in, "NOOP \r\nevil"});
  CHECK(std::count(written.begin(), written.end(), '\n') == 1);
  CHECK(boost::json::parse(written).as_object().at("line").as_string() == "NOOP \r\nevil");
}

TEST_CASE("control: a daemon that does not accept is told as such") {
  sim::Recording recording;
  sim::World world(sim::WorldSettings{}, recording);
  sim::Node& node = world.add_node("mta", {*IpAddress::parse("192.0.2.1")});
  node.start([](Env& env) -> Task<void> {
    const Endpoint at(*IpAddress::parse("192.0.2.1"), 99);
    const auto listener = env.network.listen(at);
    REQUIRE(listener);
    const MonoTime before = env.clock.mono();
    const auto answer = co_await admin::ask_control(env, at, "queue-list");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::timed_out);
    CHECK(answer.error().what ==
          "the daemon at 192.0.2.1:99 does not answer; is it stuck, or out of file descriptors?");
    CHECK(env.clock.mono() - before <= 11s);
  });
  CHECK(world.run(world.now() + 1h, [&] { return !node.running(); }) == sim::World::Stopped::finished);
}
