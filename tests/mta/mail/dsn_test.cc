// The text of reports: what stands in it whatever senders and hosts have said.
#include "mta/mail/dsn.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "mta/base/text.h"

using namespace postproof;

namespace {

DeliveryReport report_on(Address recipient) {
  DeliveryReport report;
  report.hostname = "mta.example";
  report.to = Address{"alice", "src.example"};
  report.message = MessageId{1};
  report.returned = "Subject: x\r\n";
  DsnRecipient entry;
  entry.recipient = std::move(recipient);
  entry.status = EnhancedStatus{5, 1, 1};
  entry.diagnostic = "550 no";
  report.recipients.push_back(entry);
  return report;
}

bool has_line(const std::string& text, std::string_view line) {
  return ("\r\n" + text).contains("\r\n" + std::string(line) + "\r\n");
}

}  // namespace

TEST_CASE("what the sender said in xtext is decoded, unless an octet of it does not print") {
  DeliveryReport report = report_on(Address{"bob", "dest.example"});
  report.envelope_id = "a+2Bb";
  report.recipients[0].original = "rfc822;b+40c";
  CHECK(has_line(report_text(report), "Original-Envelope-Id: a+b"));
  CHECK(has_line(report_text(report), "Original-Recipient: rfc822; b@c"));
  for (int octet = 0; octet < 256; ++octet) {
    if (octet >= ' ' && octet <= '~') continue;
    CAPTURE(octet);
    const std::string said = "a+" + ascii_upper(hex(std::string(1, static_cast<char>(octet)))) + "X-Evil:y";
    report.envelope_id = said;
    report.recipients[0].original = "rfc822;" + said;
    const std::string text = report_text(report);
    CHECK(has_line(text, "Original-Envelope-Id: " + said));
    CHECK(has_line(text, "Original-Recipient: rfc822; " + said));
  }
}

TEST_CASE("a report about addresses in UTF-8 is 7 bit; one to such an address has it in To alone") {
  DeliveryReport report = report_on(Address{"b\xc3\xb6" "b", "b\xc3\xbc" "cher.example"});
  report.recipients[0].original = "utf-8;b\xc3\xb6" "b\\x{2B}@d";
  const std::string text = report_text(report);
  CHECK(is_ascii(text));
  CHECK(has_line(text, "Final-Recipient: utf-8; b\\x{F6}b@b\\x{FC}cher.example"));
  CHECK(has_line(text, "Original-Recipient: utf-8; b\\x{F6}b\\x{2B}@d"));
  CHECK(has_line(text, "Content-Type: text/plain; charset=utf-8"));
  CHECK(has_line(text, "  <b=C3=B6b@b=C3=BCcher.example>"));
  report.to = Address{"\xc3\xa4", "src.example"};
  const std::string to_utf8 = report_text(report);
  for (const std::string_view line : split(to_utf8, '\n')) {
    if (!line.starts_with("To: ")) CHECK(is_ascii(line));
  }
}

TEST_CASE("a message is returned whole as it is, and a report of success says so") {
  DeliveryReport report = report_on(Address{"bob", "dest.example"});
  report.recipients[0].action = DsnAction::relayed;
  report.recipients[0].status = EnhancedStatus{2, 0, 0};
  CHECK(has_line(report_text(report), "Action: relayed"));
  CHECK(has_line(report_text(report), "Subject: Delivery report: your message was passed on"));
  report.recipients[0].action = DsnAction::failed;
  report.returned = "Subject: x\r\n\r\nth\xc3\xa9\r\n";
  report.whole = true;
  const std::string text = report_text(report);
  CHECK(text.contains("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + report.returned));
}
