// What MAIL and RCPT say to a peer, by what it offers.
#include "mta/smtp/envelope_commands.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::smtp;

namespace {

constexpr WallTime kNow{1h};

Envelope envelope_with_all() {
  Envelope envelope;
  envelope.sender = Address{"a", "src.example"};
  envelope.recipients.push_back(Recipient{Address{"b", "dest.example"}, Notify{true, true, false, true}, "utf-8;\xc3\xa9"});
  envelope.ret = Return::headers;
  envelope.id = "x+2B1";
  return envelope;
}

std::string mail(const Envelope& envelope, const Capabilities& peer) { return mail_command(envelope, 10, peer, kNow); }
std::string rcpt(const Envelope& envelope, const Capabilities& peer) {
  return rcpt_command(envelope, envelope.recipients[0], peer);
}

}  // namespace

TEST_CASE("reports: told to who offers DSN, and to nobody else") {
  const Envelope envelope = envelope_with_all();
  Capabilities peer;
  CHECK(mail(envelope, peer) == "MAIL FROM:<a@src.example>");
  CHECK(rcpt(envelope, peer) == "RCPT TO:<b@dest.example>");
  peer.dsn = true;
  CHECK(mail(envelope, peer) == "MAIL FROM:<a@src.example> RET=HDRS ENVID=x+2B1");
  CHECK(rcpt(envelope, peer) == "RCPT TO:<b@dest.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\\x{E9}");
  Envelope utf8 = envelope;
  utf8.utf8 = true;
  CHECK(rcpt(utf8, peer) == "RCPT TO:<b@dest.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\xc3\xa9");
  utf8.recipients[0] = Recipient{Address{"b", "dest.example"}, Notify{.said = true}, {}};
  CHECK(rcpt(utf8, peer) == "RCPT TO:<b@dest.example> NOTIFY=NEVER");
}

TEST_CASE("what a message needs of its next host") {
  Envelope envelope = envelope_with_all();
  Capabilities peer;
  CHECK_FALSE(unmet_need(envelope, 10, peer, kNow));
  peer.size_max = 9;
  CHECK(unmet_need(envelope, 10, peer, kNow)->status == EnhancedStatus{5, 3, 4});
  peer.size_max.reset();
  envelope.body = BodyType::eight_bit;
  CHECK(unmet_need(envelope, 10, peer, kNow)->status == EnhancedStatus{5, 6, 3});
  envelope.utf8 = true;
  peer.utf8 = true;  // without 8BITMIME it is none
  CHECK(unmet_need(envelope, 10, peer, kNow)->status == EnhancedStatus{5, 6, 7});
  peer.eight_bit_mime = true;
  CHECK_FALSE(unmet_need(envelope, 10, peer, kNow));
  CHECK(mail(envelope, peer) == "MAIL FROM:<a@src.example> BODY=8BITMIME SMTPUTF8");
}
