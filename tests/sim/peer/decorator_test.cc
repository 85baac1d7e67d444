// Faults around a behaviour: each alone, one upon another, and gone again.
#include "sim/peer/decorator.h"

#include <doctest/doctest.h>

#include "tests/sim/peer/lab.h"

namespace postproof::sim {
namespace {

PeerEvent at(Duration when, std::string on, std::string argument = "") {
  PeerEvent event;
  event.on = std::move(on);
  event.argument = std::move(argument);
  event.client = "192.0.2.1";
  event.now = MonoTime(when);
  return event;
}

PeerEvent dot(std::vector<std::string> recipients, std::size_t size) {
  PeerEvent event = at(0s, "dot");
  event.recipients = std::move(recipients);
  event.size = size;
  return event;
}

std::string said(Behaviour& behaviour, const PeerEvent& event) {
  const auto action = behaviour.on(event);
  return action && !action->reply.empty() ? action->reply[0] : "";
}

DecoratedBehaviour with(const PeerFault& fault, std::vector<Rule> rules = {}) {
  DecoratedBehaviour behaviour(rules.empty() ? nullptr : rule_behaviour(std::move(rules), MonoTime{}));
  behaviour.add(1, decorator_of(fault, MonoTime{}));
  return behaviour;
}

TEST_CASE("a quota counts what a mailbox was given, by messages and by octets") {
  Quota quota;
  quota.match = "full@*";
  quota.messages = 2;
  quota.octets = 100;
  quota.reply = {"452 full"};
  auto peer = with(quota);
  CHECK(said(peer, at(0s, "RCPT", "full@d.example")) == "");
  peer.on(dot({"full@d.example", "b@d.example"}, 10));
  CHECK(said(peer, at(0s, "RCPT", "FULL@d.example")) == "");
  peer.on(dot({"Full@d.example", "b@d.example"}, 10));
  CHECK(said(peer, at(0s, "RCPT", "full@d.example")) == "452 full");
  CHECK(said(peer, at(0s, "RCPT", "b@d.example")) == "");

  auto by_size = with(quota);
  by_size.on(dot({"full@d.example"}, 99));
  CHECK(said(by_size, at(0s, "RCPT", "full@d.example")) == "");
  by_size.on(dot({"full@d.example"}, 1));
  CHECK(said(by_size, at(0s, "RCPT", "full@d.example")) == "452 full");
}

TEST_CASE("what the dot refused fills no mailbox") {
  Quota quota;
  quota.messages = 1;
  quota.reply = {"452 full"};
  auto peer = with(quota, {rule("dot", "451 no")});
  CHECK(said(peer, dot({"a@d.example"}, 10)) == "451 no");
  CHECK(said(peer, at(0s, "RCPT", "a@d.example")) == "");
}

TEST_CASE("a token bucket is full at first and fills as time goes") {
  RateLimit rate;
  rate.count = 2;
  rate.per = 60s;
  rate.burst = 3;
  rate.reply = {"450 slow"};
  auto peer = with(rate);
  for (int i = 0; i < 3; ++i) CHECK(said(peer, at(0s, "MAIL")) == "");
  CHECK(said(peer, at(0s, "MAIL")) == "450 slow");
  CHECK(said(peer, at(29s, "MAIL")) == "450 slow");
  CHECK(said(peer, at(30s, "MAIL")) == "");
  CHECK(said(peer, at(30s, "MAIL")) == "450 slow");
  CHECK(said(peer, at(30s, "RCPT", "a@b")) == "");
  for (int i = 0; i < 3; ++i) CHECK(said(peer, at(1h, "MAIL")) == "");  // no more than the bucket holds
  CHECK(said(peer, at(1h, "MAIL")) == "450 slow");
}

TEST_CASE("a bucket for each client") {
  RateLimit rate;
  rate.per = 60s;
  rate.each_client = true;
  rate.reply = {"450 slow"};
  auto peer = with(rate);
  PeerEvent other = at(0s, "MAIL");
  other.client = "192.0.2.9";
  CHECK(said(peer, at(0s, "MAIL")) == "");
  CHECK(said(peer, at(0s, "MAIL")) == "450 slow");
  CHECK(said(peer, other) == "");
}

TEST_CASE("keywords come, go, and are spoilt") {
  KeywordChange change;
  change.add = {"X-NEW 1"};
  change.remove = {"size"};
  auto peer = with(change);
  PeerEvent ehlo = at(0s, "EHLO", "c.example");
  ehlo.normal = {"250-mx.example", "250-SIZE 10", "250 8BITMIME"};
  CHECK(peer.on(ehlo)->reply == std::vector<std::string>{"250-mx.example", "250-8BITMIME", "250 X-NEW 1"});
  change.garble = true;
  change.add.clear();
  auto spoilt = with(change);
  CHECK(spoilt.on(ehlo)->reply == std::vector<std::string>{"250-mx.example", "250 8B?TMIME"});
  auto refused = with(change, {rule("EHLO", "421 no")});
  CHECK(said(refused, ehlo) == "421 no");
}

TEST_CASE("a size that holds whatever was said") {
  SizeLimit limit;
  limit.octets = 10;
  limit.reply = {"552 big"};
  auto peer = with(limit);
  CHECK(said(peer, dot({"a@b"}, 10)) == "");
  CHECK(said(peer, dot({"a@b"}, 11)) == "552 big");
}

TEST_CASE("the newest stands outermost, and what is removed is gone") {
  auto peer = with(rule("RCPT", "450 one"), {rule("RCPT", "550 own"), rule("MAIL", "550 mail")});
  CHECK(said(peer, at(0s, "RCPT", "a@b")) == "450 one");
  peer.add(2, decorator_of(rule("*", "421 all"), MonoTime{}));
  CHECK(said(peer, at(0s, "RCPT", "a@b")) == "421 all");
  CHECK(said(peer, at(0s, "connect")) == "421 all");
  CHECK(said(peer, at(0s, "content")) == "");
  peer.remove(2);
  CHECK(said(peer, at(0s, "RCPT", "a@b")) == "450 one");
  CHECK(said(peer, at(0s, "MAIL", "a@b")) == "550 mail");
  peer.remove(1);
  CHECK(said(peer, at(0s, "RCPT", "a@b")) == "550 own");
}

}  // namespace
}  // namespace postproof::sim
