#include <doctest/doctest.h>

#include "mta/base/time.h"
#include "mta/mail/dsn.h"
#include "sim/judge/report_reader.h"

namespace postproof::sim {

TEST_CASE("a report that the MTA writes is read") {
  DeliveryReport report;
  report.hostname = "sut.example";
  report.to = Address{"alice", "src.example"};
  report.message = MessageId{1};
  DsnRecipient first;
  first.recipient = Address{"gone", "dest.example"};
  first.status = EnhancedStatus{5, 1, 1};
  first.remote_host = "mx.dest.example";
  first.said_by_peer = true;
  first.diagnostic = "550 5.1.1 no such user here, and a text that is long enough to be folded into two lines";
  report.recipients.push_back(first);
  first.recipient.local_part = "late";
  first.status = EnhancedStatus{5, 4, 7};
  report.recipients.push_back(first);
  report.returned = "Subject: \xc3\xa9t\xc3\xa9 = =\r\nX-Long: " + std::string(200, 'x') + "\r\n";

  const auto read = read_report(report_text(report));
  REQUIRE(read);
  CHECK(read->reporting_mta == "dns; sut.example");
  REQUIRE(read->recipients.size() == 2);
  CHECK(read->recipients[0].address() == "gone@dest.example");
  CHECK(read->recipients[0].action == "failed");
  CHECK(read->recipients[0].status == "5.1.1");
  CHECK(without_type(read->recipients[0].remote_mta) == "mx.dest.example");
  CHECK(without_type(read->recipients[0].diagnostic_code) == first.diagnostic);
  CHECK(read->recipients[1].status == "5.4.7");
  CHECK(read->original_header == report.returned);
}

TEST_CASE("what is no report is none") {
  for (const char* content :
       {"", "Subject: x\r\n\r\nbody\r\n", "Content-Type: multipart/report; report-type=delivery-status\r\n\r\n--\r\n",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
        "message/delivery-status\r\n\r\nReporting-MTA: "
        "dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\n--b--\r\n"}) {
    CAPTURE(content);
    CHECK_FALSE(read_report(content));
  }
}

TEST_CASE("header values are unfolded") {
  const auto values = header_values("A: one\r\n two\r\nB: x\r\na:three \r\n\r\nA: body\r\n", "a");
  REQUIRE(values.size() == 2);
  CHECK(values[0] == "one two");
  CHECK(values[1] == "three");
}

}  // namespace postproof::sim
