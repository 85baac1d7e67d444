// What strangers say of themselves and of us, on its way into header fields and reports: no octet of it begins a line.
#include <string>

#include "mta/mail/dsn.h"
#include "mta/mail/header_scan.h"
#include "mta/mail/trace.h"
#include "mta/mail/xtext.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

namespace {

void check_lines(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') PP_CHECK(i + 1 < text.size() && text[i + 1] == '\n', "a bare CR");
    if (text[i] == '\n') PP_CHECK(i > 0 && text[i - 1] == '\r', "a bare LF");
    PP_CHECK(text[i] != 0, "a NUL");
  }
}

void check_trace(std::string_view said) {
  Received received;
  received.helo = said;
  received.by = "mx.example.org";
  received.with = "ESMTP";
  const std::string field = received_field(received);
  check_lines(field);
  PP_CHECK(field.starts_with("Received: ") && field.ends_with("\r\n"), "a field that is none");
  HeaderScan scan(1024 * 1024);
  scan.feed(field + "\r\n");
  PP_CHECK(scan.received_fields() == 1 && scan.ended(), "more than one field");
}

void check_report(std::string_view said) {
  DeliveryReport report;
  report.hostname = "mx.example.org";
  report.to = Address{"alice", "src.example"};
  DsnRecipient recipient;
  recipient.recipient = Address{"bob", "dest.example"};
  recipient.status = EnhancedStatus{5, 1, 1};
  recipient.said_by_peer = true;
  recipient.diagnostic = said;
  if (decode_xtext(said)) {
    report.envelope_id = said;
    recipient.original = "rfc822;" + std::string(said);
  }
  recipient.remote_host = "mx1.dest.example";
  report.recipients.push_back(std::move(recipient));
  report.returned = "Subject: x\r\n";
  const std::string text = report_text(report);
  check_lines(text);
  for (const char c : text) PP_CHECK(static_cast<unsigned char>(c) < 0x80, "an 8-bit octet in a report of 7 bits");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view said = fuzz::octets(data, size);
  check_trace(said);
  check_report(said);
  HeaderScan whole(4096), cut(4096);
  whole.feed(said);
  for (std::size_t i = 0; i < said.size(); ++i) cut.feed(said.substr(i, 1));
  PP_CHECK(whole.received_fields() == cut.received_fields() && whole.ended() == cut.ended(), "cuts change a header");
  return 0;
}
