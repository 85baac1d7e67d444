// The grammar of commands: CONFORMANCE groups A, K, L, Y as tables.
#include "mta/smtp/command.h"

#include <doctest/doctest.h>

#include <vector>

using namespace postproof;
using namespace postproof::smtp;

namespace {

// What a server offers that offers what it can.
Capabilities everything() {
  Capabilities all;
  all.extended = true;
  all.size = all.eight_bit_mime = all.dsn = all.utf8 = all.mt_priority = true;
  all.auth = {"PLAIN"};
  all.deliver_by = Duration{0};
  all.future_release = FutureRelease{24h, WallTime{} + 24h};
  return all;
}

// What was said of SIZE and 8BITMIME.
Capabilities basics() {
  Capabilities basic;
  basic.extended = true;
  basic.size = basic.eight_bit_mime = true;
  return basic;
}

// "ok VERB ..." for a command, the reply's first words for a refusal.
std::string told(std::string_view line, const Capabilities& offered = basics()) {
  const auto command = parse_command(line, offered);
  if (!command) {
    const Reply& reply = command.error();
    return std::to_string(reply.code) + (reply.status ? " " + reply.status->to_string() : "");
  }
  struct Visitor {
    std::string operator()(const command::Hello& c) const { return (c.extended ? "ehlo " : "helo ") + c.name; }
    std::string operator()(const command::Mail& c) const {
      std::string text = "mail <" + to_string(c.params.sender) + ">";
      if (c.params.size) text += " " + std::to_string(*c.params.size);
      if (c.params.body == BodyType::eight_bit) text += " 8bit";
      return text;
    }
    std::string operator()(const command::Rcpt& c) const { return "rcpt <" + c.params.recipient.to_string() + ">"; }
    std::string operator()(const command::Data&) const { return "data"; }
    std::string operator()(const command::Bdat& c) const {
      return "bdat " + (c.size ? std::to_string(*c.size) : "?") + (c.last ? " last" : "");
    }
    std::string operator()(const command::Rset&) const { return "rset"; }
    std::string operator()(const command::Noop&) const { return "noop"; }
    std::string operator()(const command::Vrfy&) const { return "vrfy"; }
    std::string operator()(const command::Etrn& c) const { return "etrn " + (c.subdomains ? "@" + c.domain : c.domain); }
    std::string operator()(const command::Xclient&) const { return "xclient"; }
    std::string operator()(const command::Help&) const { return "help"; }
    std::string operator()(const command::StartTls&) const { return "starttls"; }
    std::string operator()(const command::Auth& auth) const {
      return "auth " + auth.mechanism + (auth.response ? " " + *auth.response : "");
    }
    std::string operator()(const command::Quit&) const { return "quit"; }
  };
  return std::visit(Visitor{}, *command);
}

std::string repeat(char c, std::size_t n) { return std::string(n, c); }

}  // namespace

TEST_CASE("command lines and what becomes of them") {
  struct Case {
    std::string line, want;
  };
  const std::vector<Case> cases = {
      // Verbs (A17 to A22).
      {"EHLO client.example", "ehlo client.example"},
      {"eHlO client.example", "ehlo client.example"},
      {"HELO client.example  ", "helo client.example"},
      {"EHLO [192.0.2.1]", "ehlo [192.0.2.1]"},
      {"EHLO [IPv6:2001:db8::1]", "ehlo [IPv6:2001:db8::1]"},
      {"EHLO not_a!domain", "ehlo not_a!domain"},
      {"EHLO", "501"},
      {"HELO  ", "501"},
      {"EHLO a\tb", "501"},
      {"EHLO b\xc3\xbc", "501"},
      {"EHLO " + repeat('a', 255), "ehlo " + repeat('a', 255)},
      {"EHLO " + repeat('a', 256), "501"},
      {"DATA", "data"},
      {"data \t ", "data"},
      {"DATA x", "501 5.5.4"},
      {"RSET", "rset"},
      {"RSET now", "501 5.5.4"},
      {"NOOP", "noop"},
      {"noop with an argument", "noop"},
      {"VRFY bob", "vrfy"},
      {"VRFY bob@dest.example", "vrfy"},
      {"VRFY <bob@dest.example>", "vrfy"},
      {"VRFY \"bob builder\"@dest.example", "vrfy"},
      {"VRFY", "501 5.5.4"},
      {"VRFY bob@", "501 5.1.3"},
      {"VRFY <bob@dest.example", "501 5.1.3"},
      {"VRFY <bob@dest.example> X", "501 5.5.4"},
      {"VRFY <>", "501 5.1.3"},
      {"EXPN list", "502 5.5.1"},
      {"HELP", "help"},
      {"HELP MAIL", "help"},
      {"QUIT", "quit"},
      {"QUIT now", "501 5.5.4"},
      {"STARTTLS", "starttls"},
      {"STARTTLS now", "501 5.5.4"},
      {"AUTH PLAIN AGEAYg==", "auth PLAIN AGEAYg=="},
      {"auth plain =", "auth plain ="},
      {"AUTH LOGIN", "auth LOGIN"},
      {"AUTH", "501 5.5.4"},
      {"AUTH  ", "501 5.5.4"},
      {"AUTH PLAIN a b", "501 5.5.4"},
      {"AUTH PLAIN  a", "501 5.5.4"},
      {"AUTH PLAIN \xff", "501 5.5.2"},
      // BDAT is what it is whatever is wrong with it: octets follow.
      {"BDAT 10", "bdat 10"},
      {"bdat 10 last", "bdat 10 last"},
      {"BDAT 0 LAST", "bdat 0 last"},
      {"BDAT 2147483648", "bdat 2147483648"},
      {"BDAT 9223372036854775808 LAST", "bdat 9223372036854775808 last"},
      {"BDAT 18446744073709551616", "bdat ?"},
      {"BDAT", "bdat ?"},
      {"BDAT -1 LAST", "bdat ? last"},
      {"BDAT +1", "bdat ?"},
      {"BDAT 0x10", "bdat ?"},
      {"BDAT 1 2", "bdat ?"},
      {"BDAT 1 LAST LAST", "bdat ?"},
      {"BDAT LAST", "bdat ?"},
      {"BDAT 1\n", "bdat ?"},
      {std::string("BDAT 1\0", 7), "bdat ?"},
      {"ETRN Dest.Example", "etrn dest.example"},
      {"etrn @dest.example", "etrn @dest.example"},
      {"ETRN", "501 5.5.4"},
      {"ETRN #queue", "501 5.5.4"},
      {"ETRN a..b", "501 5.5.4"},
      {"ETRN a b", "501 5.5.4"},
      {"XCLIENT ADDR=192.0.2.9", "xclient"},
      {"XCLIENT", "501 5.5.4"},
      {"XCLIENT COLOUR=red", "501 5.5.4"},
      {"TURN", "502 5.5.1"},
      {"", "500 5.5.2"},
      {" MAIL FROM:<a@b>", "500 5.5.2"},
      {"MAILFROM:<a@b>", "500 5.5.2"},
      {"GET / HTTP/1.1", "500 5.5.2"},
      {"DATA\tx", "500 5.5.2"},
      // Octets (A33, A34, Y06).
      {std::string("NO\0OP", 5), "500 5.5.2"},
      {std::string("NOOP a\0b", 8), "501 5.5.2"},
      {"\xff\xfe", "500 5.5.2"},
      {"MAIL FROM:<a@b>\nRCPT TO:<c@d>", "501 5.5.2"},
      {"MAIL FROM:<a@b>\rRCPT TO:<c@d>", "501 5.5.2"},
      {"NOOP\nQUIT", "500 5.5.2"},
      {"MAIL FROM:<b\xc3\xbc@d>", "501 5.5.2"},
      {"MAIL FROM:<a\x01@d>", "501 5.5.2"},
      {"MAIL FROM:<a@b> SIZE=1\n", "501 5.5.2"},
      // Reverse-paths (A24 to A31).
      {"MAIL FROM:<a@b.example>", "mail <a@b.example>"},
      {"mail from:<A@B.Example>  ", "mail <A@B.Example>"},
      {"MAIL  FROM:<a@b>", "mail <a@b>"},
      {"MAIL FROM: <a@b>", "mail <a@b>"},
      {"MAIL FROM:<>", "mail <>"},
      {"MAIL FROM:<\"a b\"@d>", "mail <\"a b\"@d>"},
      {"MAIL FROM:<\"a\\\"b>c\"@d>", "mail <\"a\\\"b>c\"@d>"},
      {"MAIL FROM:<@a,@b:u@c>", "mail <u@c>"},
      {"MAIL FROM:<@a.example:\"x y\"@c>", "mail <\"x y\"@c>"},
      {"MAIL", "501 5.5.4"},
      {"MAIL TO:<a@b>", "501 5.5.4"},
      {"MAIL FROM", "501 5.5.4"},
      {"MAIL FROM <a@b>", "501 5.5.4"},
      {"MAIL FROM:", "501 5.1.7"},
      {"MAIL FROM:a@b", "501 5.1.7"},
      {"MAIL FROM:<a@b", "501 5.1.7"},
      {"MAIL FROM:<\"a@b>", "501 5.1.7"},
      {"MAIL FROM:<\"a\\", "501 5.1.7"},
      {"MAIL FROM:<a@b>>", "501 5.1.7"},
      {"MAIL FROM:<<a@b>>", "501 5.1.7"},
      {"MAIL FROM:<a@b>SIZE=1", "501 5.1.7"},
      {"MAIL FROM:<postmaster>", "501 5.1.7"},
      {"MAIL FROM:<a@b.>", "501 5.1.7"},
      {"MAIL FROM:<a@[192.0.2.999]>", "501 5.1.7"},
      {"MAIL FROM:<@a,b:u@c>", "501 5.1.7"},
      {"MAIL FROM:<@a u@c>", "501 5.1.7"},
      {"MAIL FROM:<@:u@c>", "501 5.1.7"},
      {"MAIL FROM:<@a:>", "501 5.1.7"},
      {"MAIL FROM:<" + repeat('l', 64) + "@d>", "mail <" + repeat('l', 64) + "@d>"},
      {"MAIL FROM:<" + repeat('l', 65) + "@d>", "501 5.1.7"},
      // A path of 256 octets with its brackets, and of 257.
      {"MAIL FROM:<a@" + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 60) + ">",
       "mail <a@" + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 60) + ">"},
      {"MAIL FROM:<a@" + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 63) + "." + repeat('d', 61) + ">",
       "501 5.1.7"},
      // Forward-paths.
      {"RCPT TO:<b@d.example>", "rcpt <b@d.example>"},
      {"RCPT TO: <b@d.example>", "rcpt <b@d.example>"},
      {"RCPT TO:<Postmaster>", "rcpt <Postmaster>"},
      {"rcpt to:<pOSTMASTER>", "rcpt <pOSTMASTER>"},
      {"RCPT TO:<b@[192.0.2.1]>", "rcpt <b@[192.0.2.1]>"},
      {"RCPT TO:<@a:b@c>", "rcpt <b@c>"},
      {"RCPT TO:<>", "501 5.1.3"},
      {"RCPT TO:<bob>", "501 5.1.3"},
      {"RCPT TO:<a@b@c>", "501 5.1.3"},
      {"RCPT TO:<b@[1.2.3]>", "501 5.1.3"},
      {"RCPT FROM:<a@b>", "501 5.5.4"},
      {"RCPT TO:<a@b> NOTIFY=NEVER", "555 5.5.4"},
      {"RCPT TO:<a@b> =x", "501 5.5.4"},
      // Parameters (A23, K05, L02).
      {"MAIL FROM:<a@b> SIZE=1000", "mail <a@b> 1000"},
      {"MAIL FROM:<a@b>  size=0  body=8bitmime ", "mail <a@b> 0 8bit"},
      {"MAIL FROM:<a@b> BODY=7BIT", "mail <a@b>"},
      {"MAIL FROM:<> SIZE=18446744073709551615", "mail <> 18446744073709551615"},
      {"MAIL FROM:<> SIZE=18446744073709551616", "mail <> 18446744073709551615"},
      {"MAIL FROM:<> SIZE=99999999999999999999", "mail <> 18446744073709551615"},
      {"MAIL FROM:<> SIZE=00000000000000000005", "mail <> 5"},
      {"MAIL FROM:<> SIZE=100000000000000000000", "501 5.5.4"},
      {"MAIL FROM:<> SIZE=", "501 5.5.4"},
      {"MAIL FROM:<> SIZE", "501 5.5.4"},
      {"MAIL FROM:<> SIZE=-1", "501 5.5.4"},
      {"MAIL FROM:<> SIZE=12x", "501 5.5.4"},
      {"MAIL FROM:<> SIZE=1 SIZE=2", "501 5.5.4"},
      {"MAIL FROM:<> BODY=BINARYMIME", "501 5.5.4"},
      {"MAIL FROM:<> BODY", "501 5.5.4"},
      {"MAIL FROM:<> RET=HDRS", "555 5.5.4"},
      {"MAIL FROM:<> SMTPUTF8", "555 5.5.4"},
      {"MAIL FROM:<> =1", "501 5.5.4"},
      {"MAIL FROM:<> -A=1", "501 5.5.4"},
      {"MAIL FROM:<> A_B=1", "501 5.5.4"},
      {"MAIL FROM:<> A=b=c", "501 5.5.4"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    CHECK(told(c.line) == c.want);
  }
}

TEST_CASE("requests of HTTP and handshakes of TLS are known") {
  for (const char* line : {"GET / HTTP/1.1", "post /x HTTP/1.0", "CONNECT mx:25 HTTP/1.1", "\x16\x03\x01\x02"}) {
    CAPTURE(line);
    CHECK(is_another_protocol(line));
  }
  for (const char* line : {"", "GET", "GET me a message", "NOOP HTTP/1.1", "EHLO HTTP/1.1", "\x16"}) {
    CAPTURE(line);
    CHECK_FALSE(is_another_protocol(line));
  }
}

TEST_CASE("UTF-8 in addresses: where SMTPUTF8 is offered and said, and nowhere else") {
  struct Case {
    std::string line, want;
  };
  const std::vector<Case> cases = {
      {"MAIL FROM:<b\xc3\xb6@d> SMTPUTF8", "mail <b\xc3\xb6@d>"},
      {"MAIL FROM:<b\xc3\xb6@d>", "553 5.6.7"},
      {"MAIL FROM:<b\xc3@d> SMTPUTF8", "501 5.5.2"},
      {"MAIL FROM:<b@d> ENVID=\xc3\xb6", "501 5.5.4"},
      {"RCPT TO:<b\xc3\xb6@d>", "rcpt <b\xc3\xb6@d>"},  // whether MAIL has said it is for the session to know
      {"RCPT TO:<b@d> ORCPT=rfc822;\xc3\xb6", "501 5.5.4"},
      {"RCPT TO:<b@d> ORCPT=utf-8;\xc3\xb6", "rcpt <b@d>"},
      {"VRFY \xc3\xb6", "553 5.6.7"},
      {"VRFY \xc3\xb6 SMTPUTF8", "vrfy"},
      {"EXPN \xc3\xb6 SMTPUTF8", "502 5.5.1"},
      {"EHLO \xc3\xb6", "501"},
      {"NOOP \xc3\xb6", "501 5.5.2"},
      {"\xc3\xb6", "500 5.5.2"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    CHECK(told(c.line, everything()).starts_with(c.want));
    CHECK(told(c.line, basics()).starts_with("50"));
  }
}

TEST_CASE("after HELO no extension is in force") {
  CHECK(told("MAIL FROM:<a@b>", Capabilities{}) == "mail <a@b>");
  CHECK(told("MAIL FROM:<a@b> SIZE=1", Capabilities{}) == "555 5.5.4");
  CHECK(told("MAIL FROM:<a@b> BODY=8BITMIME", Capabilities{}) == "555 5.5.4");
}

TEST_CASE("whatever is cut off or put in, a line is a command or a refusal, and refusals hold no octet of their own") {
  const std::string line = "MAIL FROM:<@a.example,@b:\"x\\\"y\"@[IPv6:::1]> SIZE=10 BODY=8BITMIME";
  REQUIRE(parse_command(line, basics()));
  for (std::size_t i = 0; i <= line.size(); ++i) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string changed = line;
      changed.insert(i, 1, static_cast<char>(octet));
      for (const std::string& text : {line.substr(0, i), changed}) {
        const auto command = parse_command(text, basics());
        if (command) continue;
        CHECK((command.error().code >= 500 && command.error().code <= 555));
        const std::string wire = command.error().to_wire();
        CHECK(wire.find_first_of("\r\n") == wire.size() - 2);
      }
    }
  }
}

TEST_CASE("parameters of extensions: read where they are offered, else 555") {
  const std::string mail = "MAIL FROM:<a@b> ", rcpt = "RCPT TO:<a@b> ";
  for (const std::string& line :
       {mail + "RET=FULL", mail + "ret=hdrs", mail + "ENVID=a+2Bb", mail + "SMTPUTF8", mail + "AUTH=<>", mail + "AUTH=e+3Dmc2@b",
        mail + "BY=120;R", mail + "BY=-10;N", mail + "BY=+120;RT", mail + "by=0;nt", mail + "HOLDFOR=1",
        mail + "HOLDUNTIL=2026-11-24T10:00:00Z", mail + "MT-PRIORITY=9", mail + "MT-PRIORITY=-9",
        mail + "SIZE=1 BODY=8BITMIME RET=FULL ENVID=x SMTPUTF8", rcpt + "NOTIFY=NEVER", rcpt + "NOTIFY=success,DELAY,failure",
        rcpt + "ORCPT=rfc822;a+2Bb@c", rcpt + "NOTIFY=FAILURE ORCPT=x400;y"}) {
    CAPTURE(line);
    CHECK(told(line, everything()).starts_with(line.starts_with("MAIL") ? "mail <a@b>" : "rcpt <a@b>"));
    CHECK(told(line, basics()) == "555 5.5.4");
  }
}

TEST_CASE("parameters of extensions that are malformed: 501") {
  const std::string mail = "MAIL FROM:<a@b> ", rcpt = "RCPT TO:<a@b> ";
  const std::string hundred = std::string(100, 'x');
  CHECK(told(mail + "ENVID=" + hundred, everything()) == "mail <a@b>");
  for (const std::string& line :
       {mail + "RET", mail + "RET=BOTH", mail + "RET=FULL RET=HDRS", mail + "ENVID=", mail + "ENVID=a+b", mail + "ENVID=a+4",
        mail + "ENVID=a+4g", mail + "ENVID=a+4a", mail + "ENVID=" + hundred + "x", mail + "SMTPUTF8=1", mail + "AUTH=",
        mail + "AUTH=<a>+", mail + "BY=10", mail + "BY=10;", mail + "BY=10;X", mail + "BY=10;RTT", mail + "BY=10;RX",
        mail + "BY=0;R", mail + "BY=-1;R", mail + "BY=1234567890;N", mail + "BY=;N", mail + "HOLDFOR=0", mail + "HOLDFOR=x",
        mail + "HOLDFOR=1234567890", mail + "HOLDUNTIL=tomorrow", mail + "HOLDFOR=1 HOLDUNTIL=2026-11-24T10:00:00Z",
        mail + "HOLDUNTIL=2026-11-24T10:00:00Z HOLDFOR=1", mail + "MT-PRIORITY=10", mail + "MT-PRIORITY=+1",
        mail + "MT-PRIORITY", rcpt + "NOTIFY", rcpt + "NOTIFY=NEVER,SUCCESS", rcpt + "NOTIFY=SUCCESS,SUCCESS",
        rcpt + "NOTIFY=NEVER,NEVER", rcpt + "NOTIFY=FAILURE,", rcpt + "NOTIFY=SOON", rcpt + "NOTIFY=DELAY NOTIFY=DELAY",
        rcpt + "ORCPT=a@b", rcpt + "ORCPT=;a@b", rcpt + "ORCPT=rfc822;", rcpt + "ORCPT=rfc822;a+b",
        rcpt + "ORCPT=rfc822;" + std::string(500, 'x')}) {
    CAPTURE(line);
    CHECK(told(line, everything()) == "501 5.5.4");
  }
}
