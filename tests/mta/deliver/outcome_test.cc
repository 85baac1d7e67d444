// What every reply and error means, at every stage: the table that decides retry, next host and bounce.
#include "mta/deliver/outcome.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::deliver;
using queue::AttemptResult;
using queue::Stage;

namespace {

AttemptResult replied(Stage stage, int code, const char* status = "") {
  return AttemptResult{stage, "mx.example", "192.0.2.1:25", smtp::Reply::of(code, status, "text"), {}, {}};
}

AttemptResult failed(Stage stage, Errc code) {
  return AttemptResult{stage, "mx.example", "192.0.2.1:25", Error{code, "what"}, {}, {}};
}

}  // namespace

TEST_CASE("outcome: replies") {
  struct Case {
    Stage stage;
    int code;
    const char* status;
    Verdict verdict, last;
  };
  for (const Case& c : {
           Case{Stage::dot, 250, "2.0.0", Verdict::delivered, Verdict::delivered},
           Case{Stage::dot, 299, "", Verdict::delivered, Verdict::delivered},
           // The host or session is in trouble: another may take it (RFC 5321 sections 3.8, 5.1).
           Case{Stage::greeting, 421, "", Verdict::next_host, Verdict::defer},
           Case{Stage::greeting, 450, "", Verdict::next_host, Verdict::defer},
           Case{Stage::greeting, 554, "", Verdict::next_host, Verdict::defer},
           Case{Stage::greeting, 521, "", Verdict::next_host, Verdict::fail},
           Case{Stage::ehlo, 556, "", Verdict::next_host, Verdict::fail},
           Case{Stage::ehlo, 451, "", Verdict::next_host, Verdict::defer},
           Case{Stage::ehlo, 550, "", Verdict::next_host, Verdict::defer},
           Case{Stage::mail, 451, "4.3.0", Verdict::next_host, Verdict::defer},
           Case{Stage::mail, 421, "4.3.2", Verdict::next_host, Verdict::defer},
           Case{Stage::rcpt, 421, "", Verdict::next_host, Verdict::defer},
           Case{Stage::data, 421, "", Verdict::next_host, Verdict::defer},
           Case{Stage::dot, 421, "", Verdict::next_host, Verdict::defer},
           // The recipient or the message must wait; another host would say the same.
           Case{Stage::rcpt, 450, "4.2.0", Verdict::defer, Verdict::defer},
           Case{Stage::rcpt, 452, "4.5.3", Verdict::defer, Verdict::defer},
           Case{Stage::rcpt, 499, "", Verdict::defer, Verdict::defer},
           Case{Stage::data, 451, "", Verdict::defer, Verdict::defer},
           Case{Stage::dot, 452, "4.3.1", Verdict::defer, Verdict::defer},
           // RFC 5321 section 4.5.3.1.10: 552 to RCPT is 452, unless it says that it is not.
           Case{Stage::rcpt, 552, "", Verdict::defer, Verdict::defer},
           Case{Stage::rcpt, 552, "5.5.3", Verdict::defer, Verdict::defer},
           Case{Stage::rcpt, 552, "5.2.2", Verdict::fail, Verdict::fail},
           // Final.
           Case{Stage::mail, 550, "5.7.1", Verdict::fail, Verdict::fail},
           Case{Stage::rcpt, 550, "5.1.1", Verdict::fail, Verdict::fail},
           Case{Stage::rcpt, 599, "", Verdict::fail, Verdict::fail},
           Case{Stage::data, 554, "", Verdict::fail, Verdict::fail},
           Case{Stage::dot, 552, "5.3.4", Verdict::fail, Verdict::fail},
           // A reply out of place says nothing of the message.
           Case{Stage::data, 250, "", Verdict::next_host, Verdict::defer},
           Case{Stage::rcpt, 354, "", Verdict::next_host, Verdict::defer},
       }) {
    CAPTURE(to_string(c.stage));
    CAPTURE(c.code);
    CHECK(to_string(judge(replied(c.stage, c.code, c.status))) == to_string(c.verdict));
    CHECK(to_string(judge_last(replied(c.stage, c.code, c.status))) == to_string(c.last));
  }
}

TEST_CASE("outcome: errors") {
  struct Case {
    Stage stage;
    Errc code;
    Verdict verdict;
    const char* status;
  };
  for (const Case& c : {
           Case{Stage::resolve, Errc::dns_no_such_domain, Verdict::fail, "5.1.2"},
           Case{Stage::resolve, Errc::dns_no_data, Verdict::fail, "5.4.4"},
           Case{Stage::resolve, Errc::dns_no_usable_mx, Verdict::fail, "5.4.4"},
           Case{Stage::resolve, Errc::dns_null_mx, Verdict::fail, "5.1.10"},
           Case{Stage::resolve, Errc::dns_self_mx, Verdict::fail, "5.4.6"},
           Case{Stage::resolve, Errc::dns_temporary, Verdict::defer, "4.4.3"},
           Case{Stage::connect, Errc::timed_out, Verdict::next_host, "4.4.1"},
           Case{Stage::connect, Errc::refused, Verdict::next_host, "4.4.1"},
           Case{Stage::greeting, Errc::timed_out, Verdict::next_host, "4.4.2"},
           Case{Stage::ehlo, Errc::protocol, Verdict::next_host, "4.5.0"},
           // What is wrong with a server's TLS can be mended; the message waits.
           Case{Stage::starttls, Errc::invalid, Verdict::next_host, "4.7.4"},
           Case{Stage::starttls, Errc::protocol, Verdict::next_host, "4.7.5"},
           Case{Stage::starttls, Errc::timed_out, Verdict::next_host, "4.7.5"},
           Case{Stage::starttls, Errc::unexpected_eof, Verdict::next_host, "4.7.5"},
           Case{Stage::starttls, Errc::closed, Verdict::defer, "4.7.5"},
           // So can a login that is wrong.
           Case{Stage::auth, Errc::invalid, Verdict::next_host, "4.7.4"},
           Case{Stage::auth, Errc::protocol, Verdict::next_host, "4.7.0"},
           Case{Stage::auth, Errc::closed, Verdict::defer, "4.7.0"},
           Case{Stage::mail, Errc::too_large, Verdict::fail, "5.3.4"},
           Case{Stage::mail, Errc::invalid, Verdict::fail, "5.6.3"},
           Case{Stage::mail, Errc::reset, Verdict::next_host, "4.4.2"},
           Case{Stage::rcpt, Errc::unexpected_eof, Verdict::next_host, "4.4.2"},
           Case{Stage::data, Errc::timed_out, Verdict::next_host, "4.4.2"},
           // The message may have been taken: no other host gets it now.
           Case{Stage::dot, Errc::timed_out, Verdict::defer, "4.4.2"},
           Case{Stage::dot, Errc::unexpected_eof, Verdict::defer, "4.4.2"},
           Case{Stage::data, Errc::io, Verdict::defer, "4.3.0"},
           Case{Stage::data, Errc::corrupt, Verdict::fail, "5.3.0"},
           Case{Stage::storage, Errc::corrupt, Verdict::fail, "5.3.0"},
           Case{Stage::storage, Errc::not_found, Verdict::fail, "5.3.0"},
           Case{Stage::storage, Errc::io, Verdict::defer, "4.3.0"},
           Case{Stage::storage, Errc::no_space, Verdict::defer, "4.3.1"},
           Case{Stage::connect, Errc::not_found, Verdict::defer, "4.3.0"},
       }) {
    CAPTURE(to_string(c.stage));
    CAPTURE(to_string(c.code));
    CHECK(to_string(judge(failed(c.stage, c.code))) == to_string(c.verdict));
    CHECK(status_of(failed(c.stage, c.code)).to_string() == c.status);
  }
}

TEST_CASE("outcome: of several hosts, the last that leaves hope speaks for the attempt") {
  const std::vector<AttemptResult> mixed{failed(Stage::connect, Errc::timed_out), replied(Stage::greeting, 521)};
  CHECK(&summary(mixed) == &mixed[0]);
  const std::vector<AttemptResult> hopeless{replied(Stage::greeting, 521), replied(Stage::greeting, 556)};
  CHECK(&summary(hopeless) == &hopeless[1]);
  const std::vector<AttemptResult> passing{failed(Stage::connect, Errc::refused), failed(Stage::connect, Errc::timed_out)};
  CHECK(&summary(passing) == &passing[1]);
}

TEST_CASE("outcome: where TLS is optional, what is wrong with it alone is a reason to try without") {
  CHECK(fails_for_tls(replied(Stage::starttls, 454, "4.7.0")));
  CHECK(fails_for_tls(replied(Stage::starttls, 502)));
  CHECK_FALSE(fails_for_tls(replied(Stage::starttls, 421)));
  CHECK(fails_for_tls(failed(Stage::starttls, Errc::protocol)));
  CHECK(fails_for_tls(failed(Stage::starttls, Errc::timed_out)));
  CHECK_FALSE(fails_for_tls(failed(Stage::starttls, Errc::closed)));
  CHECK_FALSE(fails_for_tls(failed(Stage::ehlo, Errc::protocol)));
  CHECK(status_of(replied(Stage::starttls, 554, "5.7.3")).to_string() == "4.7.4");
  CHECK(status_of(replied(Stage::starttls, 454, "4.7.0")).to_string() == "4.7.0");
  CHECK(judge_last(replied(Stage::starttls, 556)) == Verdict::defer);
}

TEST_CASE("outcome: a login that is refused bounces nothing") {
  CHECK(judge(replied(Stage::auth, 535, "5.7.8")) == Verdict::next_host);
  CHECK(judge_last(replied(Stage::auth, 535, "5.7.8")) == Verdict::defer);
  CHECK(judge_last(replied(Stage::auth, 556)) == Verdict::defer);
  CHECK(status_of(replied(Stage::auth, 535, "5.7.8")).to_string() == "4.7.8");
  CHECK(status_of(replied(Stage::auth, 454, "4.7.0")).to_string() == "4.7.0");
  CHECK_FALSE(fails_for_tls(replied(Stage::auth, 535)));
  CHECK(waits_for_site(replied(Stage::auth, 535)));
}

TEST_CASE("outcome: status codes of peers that give none") {
  CHECK(status_of(replied(Stage::rcpt, 550, "5.1.1")).to_string() == "5.1.1");
  CHECK(status_of(replied(Stage::rcpt, 550)).to_string() == "5.0.0");
  CHECK(status_of(replied(Stage::dot, 451)).to_string() == "4.0.0");
}
