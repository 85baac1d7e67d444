// The Received field, the count of Received fields in what streams by, and failure reports.
#include "mta/mail/trace.h"

#include <doctest/doctest.h>

#include "mta/mail/dsn.h"
#include "mta/mail/header_scan.h"

using namespace postproof;

namespace {
const WallTime kNow{std::chrono::seconds{1'767'225'600}};
}

TEST_CASE("received: what it says") {
  Received received{"client.example", IpAddress::parse("192.0.2.7"), "mx.example.org", "ESMTP", MessageId{0x0001000000000007},
                    Address{"bob", "dest.example"}, kNow};
  CHECK(received_field(received) ==
        "Received: from client.example ([192.0.2.7])\r\n"
        "\tby mx.example.org with ESMTP id 0001000000000007\r\n"
        "\tfor <bob@dest.example>;\r\n"
        "\tThu, 01 Jan 2026 00:00:00 +0000\r\n");
  received.with = "ESMTPS";
  received.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
  CHECK(received_field(received).find("by mx.example.org with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id 0001") !=
        std::string::npos);
  received.only_recipient.reset();
  CHECK(received_field(received).find("for <") == std::string::npos);
}

TEST_CASE("received: a client's name cannot break out of its clause") {
  const Received received{"a) by evil\r\nX: y;(\xff", IpAddress::parse("::1"), "mx.example.org", "SMTP", MessageId{1}, {}, kNow};
  const std::string field = received_field(received);
  CHECK(field.starts_with("Received: from a??by?evil??X:?y??? ([IPv6:::1])\r\n"));
  CHECK(field.find("\r\nX") == std::string::npos);
}

TEST_CASE("received: the client's name in the DNS stands beside its address, as harmless") {
  Received received{"me", IpAddress::parse("192.0.2.1"), "mx.example.org", "SMTP", MessageId{1}, {}, kNow};
  received.client_name = "client.example";
  CHECK(received_field(received).starts_with("Received: from me (client.example [192.0.2.1])\r\n"));
  received.client_name = "a) b";
  CHECK(received_field(received).starts_with("Received: from me (a??b [192.0.2.1])\r\n"));
}

TEST_CASE("header scan: counts Received at every split, in the header only") {
  const std::string message =
      "Received: a\r\n\tfolded Received: no\r\nreceived : b\r\nX-Received: no\r\nRECEIVED:c\r\nSubject: Received: no\r\n\r\n"
      "Received: body\r\n";
  for (std::size_t split = 0; split <= message.size(); ++split) {
    HeaderScan scan(1 << 20);
    scan.feed(std::string_view(message).substr(0, split));
    scan.feed(std::string_view(message).substr(split));
    CHECK(scan.received_fields() == 3);
    CHECK(scan.ended());
    CHECK_FALSE(scan.overlong());
  }
  HeaderScan endless(100);
  endless.feed(std::string(1000, 'x'));
  CHECK(endless.ended());
  CHECK(endless.overlong());
  HeaderScan exact(8);
  exact.feed("A: b\r\n\r\n and a body");
  CHECK_FALSE(exact.overlong());
  HeaderScan bounded(20);
  bounded.feed("A: b\r\nReceived: one\r\nReceived: two\r\n");
  CHECK(bounded.received_fields() == 0);
}

namespace {

DeliveryReport report() {
  DeliveryReport r;
  r.hostname = "mx.example.org";
  r.to = Address{"alice", "src.example"};
  r.message = MessageId{0x0001000000000007};
  r.arrived = kNow - 1h;
  r.now = kNow;
  DsnRecipient gone;
  gone.recipient = Address{"gone", "dest.example"};
  gone.status = {5, 1, 1};
  gone.remote_host = "mx1.dest.example";
  gone.said_by_peer = true;
  gone.diagnostic = "550 5.1.1 no such user | " + std::string(2000, 'x') + " try again";
  gone.last_attempt = kNow;
  r.recipients.push_back(gone);
  r.returned = "From: alice@src.example\r\nSubject: hi\r\n";
  return r;
}

void check_wire_form(const std::string& text) {
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find("\r\n", start);
    REQUIRE(end != std::string::npos);
    CHECK(end - start <= 998);
    for (std::size_t i = start; i < end; ++i) {
      const auto octet = static_cast<unsigned char>(text[i]);
      CHECK((octet == '\t' || (octet >= 0x20 && octet < 0x7f)));
    }
    start = end + 2;
  }
}

}  // namespace

TEST_CASE("failure report: the fields of RFC 3464, on lines that fit") {
  const std::string text = report_text(report());
  check_wire_form(text);
  for (const char* part :
       {"Content-Type: multipart/report; report-type=delivery-status;\r\n", "Auto-Submitted: auto-replied\r\n",
        "To: <alice@src.example>\r\n", "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\r\n",
        "Reporting-MTA: dns; mx.example.org\r\n", "Final-Recipient: rfc822; gone@dest.example\r\n", "Action: failed\r\n",
        "Status: 5.1.1\r\n", "Remote-MTA: dns; mx1.dest.example\r\n", "Diagnostic-Code: smtp; 550 5.1.1 no such user |\r\n",
        "Content-Type: text/rfc822-headers\r\n", "\r\nSubject: hi\r\n",
        "Arrival-Date: Wed, 31 Dec 2025 23:00:00 +0000\r\n", "Last-Attempt-Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("failure report: an 8-bit, long or hostile original header is returned encoded, and ends nothing") {
  for (const std::string header : {"Subject: caf\xc3\xa9 \r\n", "X: ", "A: b\nC: d\r\n"}) {
    DeliveryReport r = report();
    r.returned = header == "X: " ? header + std::string(5000, 'y') + "\r\n" : header;
    const std::string text = report_text(r);
    check_wire_form(text);
    CHECK(text.find("Content-Transfer-Encoding: quoted-printable\r\n") != std::string::npos);
  }
  DeliveryReport r = report();
  const std::string plain = report_text(r);
  const auto at = plain.find("boundary=\"") + 10;
  const std::string boundary = plain.substr(at, plain.find('"', at) - at);
  r.returned = "X: --" + boundary + "--\r\n";
  CHECK(report_text(r).find("boundary=\"" + boundary + "_\"") != std::string::npos);
}
