#include "mta/dns/wire.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/mta/dns/packet.h"

using namespace postproof;
using namespace postproof::dns;
using namespace postproof::dns::test;

namespace {

const Question kQuestion{0x1234, "dest.example", Type::mx, true};

std::string describe(const Record& record) {
  if (const auto* mx = std::get_if<Mx>(&record)) return std::to_string(mx->preference) + " " + mx->host;
  if (const auto* address = std::get_if<IpAddress>(&record)) return address->to_string();
  return std::get<std::string>(record);
}

std::string records(const Answer& answer) {
  std::string all;
  for (const Record& record : answer.records) all += (all.empty() ? "" : ", ") + describe(record);
  return all;
}

Answer read(const Message& message, Question question = kQuestion) {
  const auto answer = read_answer(message.octets(), question);
  REQUIRE(answer.has_value());
  return *answer;
}

}  // namespace

TEST_CASE("a question is written as RFC 1035 and RFC 6891 have it") {
  const std::string plain =
      u16(0xbeef) + u16(0x0120) + u16(1) + u16(0) + u16(0) + u16(0) + wire_name("dest.example") + u16(15) + u16(1);
  CHECK(write_question({0xbeef, "dest.example", Type::mx, false}) == plain);

  const std::string edns = u16(0xbeef) + u16(0x0120) + u16(1) + u16(0) + u16(0) + u16(1) + wire_name("dest.example") +
                           u16(15) + u16(1) + '\0' + u16(41) + u16(1232) + u32(0) + u16(0);
  CHECK(write_question({0xbeef, "dest.example", Type::mx, true}) == edns);
}

TEST_CASE("what is no answer to the question is passed over") {
  Message message;
  message.answers = {mx("dest.example", 60, 10, "mx1.dest.example")};
  REQUIRE(read_answer(message.octets(), kQuestion).has_value());

  Message other = message;
  other.id = 0x1235;
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  other = message;
  other.flags = 0x0180;  // a question itself
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  other = message;
  other.flags |= 0x2800;  // opcode UPDATE
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  other = message;
  other.question_name = "dest2.example";
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  other = message;
  other.type = Type::a;
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  other = message;
  other.klass = 3;
  CHECK_FALSE(read_answer(other.octets(), kQuestion).has_value());
  CHECK_FALSE(read_answer("", kQuestion).has_value());
  CHECK_FALSE(read_answer(message.octets().substr(0, 11), kQuestion).has_value());
  CHECK_FALSE(read_answer(message.octets().substr(0, 20), kQuestion).has_value());

  other = message;
  other.question_name = "DEST.Example";
  CHECK(read_answer(other.octets(), kQuestion).has_value());
}

TEST_CASE("records of the type asked for, lower case, in the order of the answer") {
  Message message;
  message.flags |= kAd;
  message.answers = {mx("Dest.Example", 600, 20, "MX2.dest.example"), a("dest.example", 5, {192, 0, 2, 1}),
                     mx("dest.example", 300, 10, "mx1.dest.example"), mx("other.example", 1, 1, "mx.other.example")};
  const Answer answer = read(message);
  CHECK(answer.kind == Answer::Kind::found);
  CHECK(records(answer) == "20 mx2.dest.example, 10 mx1.dest.example");
  CHECK(answer.ttl == 300s);
  CHECK(answer.authentic);
  CHECK(answer.text == "noerror 2 records");

  Message null_mx;
  null_mx.answers = {mx("dest.example", 600, 0, "")};
  const Answer refusal = read(null_mx);
  REQUIRE(refusal.records.size() == 1);
  CHECK(std::get<Mx>(refusal.records[0]) == Mx{0, ""});
  CHECK_FALSE(refusal.authentic);
}

TEST_CASE("each type is read") {
  Message v4;
  v4.type = Type::a;
  v4.answers = {a("dest.example", 60, {192, 0, 2, 1})};
  CHECK(records(read(v4, {0x1234, "dest.example", Type::a, true})) == "192.0.2.1");

  Message v6;
  v6.type = Type::aaaa;
  const std::string address(IpAddress::parse("2001:db8::1")->octets());
  v6.answers = {record("dest.example", 28, 60, address)};
  CHECK(records(read(v6, {0x1234, "dest.example", Type::aaaa, true})) == "2001:db8::1");

  Message txt;
  txt.type = Type::txt;
  txt.answers = {record("dest.example", 16, 60, "\x06v=spf1\x05 -all")};
  CHECK(records(read(txt, {0x1234, "dest.example", Type::txt, true})) == "v=spf1 -all");

  Message alias;
  alias.type = Type::cname;
  alias.answers = {cname("dest.example", 60, "Real.example")};
  const Answer answer = read(alias, {0x1234, "dest.example", Type::cname, true});
  CHECK(answer.kind == Answer::Kind::found);
  CHECK(records(answer) == "real.example");
}

TEST_CASE("TTLs: the least of all; one with its highest bit set is 0 (RFC 2181 section 8)") {
  Message message;
  message.answers = {cname("dest.example", 30, "a.example"), mx("a.example", 300, 10, "mx1.dest.example")};
  CHECK(read(message).ttl == 30s);
  message.answers = {mx("dest.example", 0x80000000U, 10, "mx1.dest.example")};
  CHECK(read(message).ttl == 0s);
  message.answers = {mx("dest.example", 0x7fffffffU, 10, "mx1.dest.example")};
  CHECK(read(message).ttl == std::chrono::seconds{0x7fffffff});
}

TEST_CASE("CNAMEs are followed within the answer, in any order") {
  Message message;
  message.answers = {mx("c.example", 60, 10, "mx1.dest.example"), cname("B.example", 60, "c.Example"),
                     cname("dest.example", 60, "b.example")};
  const Answer answer = read(message);
  CHECK(answer.kind == Answer::Kind::found);
  CHECK(answer.aliases == std::vector<std::string>{"b.example", "c.example"});
  CHECK(records(answer) == "10 mx1.dest.example");
}

TEST_CASE("a chain that leaves the answer is to be asked on") {
  Message message;
  message.answers = {cname("dest.example", 60, "b.example")};
  const Answer answer = read(message);
  CHECK(answer.kind == Answer::Kind::alias);
  CHECK(answer.aliases == std::vector<std::string>{"b.example"});

  // With an SOA the answer speaks of the name at the end; with NXDOMAIN too.
  message.authority = {soa("example", 60, 60)};
  CHECK(read(message).kind == Answer::Kind::no_data);
  message.authority = {};
  message.rcode = 3;
  CHECK(read(message).kind == Answer::Kind::no_such_domain);
}

TEST_CASE("chains of 8 are followed; longer ones and loops are endless") {
  const auto chain = [](int links, std::string end) {
    Message message;
    std::string owner = "dest.example";
    for (int i = 0; i < links; ++i) {
      const std::string to = i + 1 == links ? end : "n" + std::to_string(i) + ".example";
      message.answers.push_back(cname(owner, 60, to));
      owner = to;
    }
    message.answers.push_back(mx("end.example", 60, 10, "mx1.dest.example"));
    return read(message).kind;
  };
  CHECK(chain(1, "end.example") == Answer::Kind::found);
  CHECK(chain(8, "end.example") == Answer::Kind::found);
  CHECK(chain(9, "end.example") == Answer::Kind::endless);
  CHECK(chain(1, "dest.example") == Answer::Kind::endless);
  CHECK(chain(3, "dest.example") == Answer::Kind::endless);
  CHECK(chain(4, "n1.example") == Answer::Kind::endless);
}

TEST_CASE("negative answers hold by the SOA (RFC 2308 section 5)") {
  struct Case {
    const char* goal;
    unsigned rcode;
    std::vector<std::string> authority;
    Answer::Kind kind;
    Duration ttl;
  } cases[] = {
      {"the minimum, if less", 3, {soa("example", 900, 300)}, Answer::Kind::no_such_domain, 300s},
      {"the TTL, if less", 3, {soa("example", 60, 300)}, Answer::Kind::no_such_domain, 60s},
      {"no data", 0, {soa("dest.example", 900, 300)}, Answer::Kind::no_data, 300s},
      {"case of the zone", 0, {soa("DEST.example", 900, 300)}, Answer::Kind::no_data, 300s},
      {"the root's", 3, {soa("", 900, 300)}, Answer::Kind::no_such_domain, 300s},
      {"no SOA", 3, {}, Answer::Kind::no_such_domain, 0s},
      {"no SOA", 0, {}, Answer::Kind::no_data, 0s},
      {"SOA of another zone", 3, {soa("other.example", 900, 300)}, Answer::Kind::no_such_domain, 0s},
      {"SOA of a zone below", 3, {soa("x.dest.example", 900, 300)}, Answer::Kind::no_such_domain, 0s},
      {"SOA of a name with the same end", 3, {soa("t.example", 900, 300)}, Answer::Kind::no_such_domain, 0s},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    CAPTURE(c.rcode);
    Message message;
    message.rcode = c.rcode;
    message.authority = c.authority;
    const Answer answer = read(message);
    CHECK(answer.kind == c.kind);
    CHECK(answer.ttl == c.ttl);
  }
}

TEST_CASE("answers that help nobody") {
  Message message;
  message.rcode = 2;
  CHECK(read(message).kind == Answer::Kind::failed);
  CHECK(read(message).text == "servfail");
  message.rcode = 5;
  CHECK(read(message).text == "refused");
  message.rcode = 9;
  CHECK(read(message).text == "rcode 9");

  SUBCASE("a referral") {
    Message referral;
    referral.authority = {ns("example", 60, "ns.example")};
    CHECK(read(referral).kind == Answer::Kind::failed);
    CHECK(read(referral).text == "referral");
    referral.authority = {ns("example", 60, "ns.example"), soa("example", 60, 60)};
    CHECK(read(referral).kind == Answer::Kind::no_data);
  }
  SUBCASE("a server that does not recurse and has not the zone") {
    Message lame;
    lame.flags = kQr;
    CHECK(read(lame).text == "lame");
    lame.rcode = 3;
    CHECK(read(lame).text == "lame");
    lame.flags = kQr | kAa;
    CHECK(read(lame).kind == Answer::Kind::no_such_domain);
  }
  SUBCASE("NXDOMAIN with an answer") {
    Message both;
    both.rcode = 3;
    both.answers = {mx("dest.example", 60, 10, "mx1.dest.example")};
    CHECK(read(both).kind == Answer::Kind::failed);
  }
}

TEST_CASE("truncation is told before anything else is read") {
  Message message;
  message.flags |= kTc;
  message.answers = {mx("dest.example", 60, 10, "mx1.dest.example")};
  CHECK(read(message).kind == Answer::Kind::truncated);
  const std::string octets = message.octets();
  const auto cut = read_answer(octets.substr(0, octets.size() - 5), kQuestion);
  REQUIRE(cut.has_value());
  CHECK(cut->kind == Answer::Kind::truncated);
}

TEST_CASE("servers without EDNS are told from those that fail") {
  Question plain = kQuestion;
  plain.edns = false;
  for (const unsigned rcode : {1U, 4U}) {
    CAPTURE(rcode);
    Message message;
    message.rcode = rcode;
    CHECK(read(message).kind == Answer::Kind::no_edns);
    CHECK(read(message, plain).kind == Answer::Kind::failed);
    // Nothing but the header.
    const std::string bare = u16(0x1234) + u16(0x8180 | rcode) + std::string(8, '\0');
    const auto answer = read_answer(bare, kQuestion);
    REQUIRE(answer.has_value());
    CHECK(answer->kind == Answer::Kind::no_edns);
  }
  // Without a question anything else might be anybody's.
  CHECK_FALSE(read_answer(u16(0x1234) + u16(0x8182) + std::string(8, '\0'), kQuestion).has_value());

  Message badvers;
  badvers.additional = {std::string(1, '\0') + u16(41) + u16(1232) + u32(0x01000000) + u16(0)};
  CHECK(read(badvers).kind == Answer::Kind::no_edns);
}

TEST_CASE("hostile data is useless, never more") {
  SUBCASE("records with too little data are passed over") {
    Message message;
    message.type = Type::a;
    message.answers = {record("dest.example", 1, 60, ""), a("dest.example", 60, {192, 0, 2, 7})};
    CHECK(records(read(message, {0x1234, "dest.example", Type::a, true})) == "192.0.2.7");
    Message empty;
    empty.answers = {record("dest.example", 15, 60, "")};
    CHECK(read(empty).kind == Answer::Kind::no_data);
    empty.answers = {record("dest.example", 5, 60, "")};
    CHECK(read(empty).kind == Answer::Kind::no_data);
    empty.answers = {};
    empty.authority = {record("example", 6, 60, "")};
    CHECK(read(empty).ttl == 0s);
  }
  SUBCASE("data of the wrong length") {
    Message message;
    for (const std::string& data : {u16(10), u16(10) + "\x05mx", std::string("\x01"), u16(1) + '\xc0'}) {
      message.answers = {record("dest.example", 15, 60, data)};
      const Answer answer = read(message);
      CHECK(answer.kind != Answer::Kind::found);
    }
  }
  SUBCASE("a compression pointer to itself, forwards, and in circles") {
    Message message;
    const std::size_t at = message.octets().size();
    for (const std::size_t to : {at, at + 2, at + 100, std::size_t{0x3fff}}) {
      std::string octets = message.octets() + u16(static_cast<unsigned>(0xc000 | to)) + u16(15) + u16(1) + u32(60) +
                           u16(4) + u16(10) + u16(static_cast<unsigned>(0xc000 | at));
      octets.replace(6, 2, u16(1));
      const auto answer = read_answer(octets, kQuestion);
      if (answer) CHECK(answer->kind != Answer::Kind::found);
    }
  }
  SUBCASE("more records announced than there are, and more than anybody sends") {
    Message message;
    message.answers = {mx("dest.example", 60, 10, "mx1.dest.example")};
    std::string octets = message.octets();
    octets.replace(6, 2, u16(2));
    CHECK(read_answer(octets, kQuestion)->kind == Answer::Kind::failed);
    octets.replace(6, 2, u16(0xffff));
    CHECK(read_answer(octets, kQuestion)->kind == Answer::Kind::failed);
  }
  SUBCASE("only so many records are kept") {
    Message message;
    message.type = Type::a;
    for (unsigned i = 0; i < 1000; ++i) {
      message.answers.push_back(
          a("dest.example", 60, {10, 0, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i)}));
    }
    CHECK(read(message, {0x1234, "dest.example", Type::a, true}).records.size() == kRecordsMax);
  }
  SUBCASE("names that text cannot show plainly are escaped") {
    Message message;
    message.answers = {mx("dest.example", 60, 10, "m x\n.dest.example")};
    const Answer answer = read(message);
    REQUIRE(answer.records.size() == 1);
    CHECK(std::get<Mx>(answer.records[0]).host.find('\n') == std::string::npos);
  }
}

TEST_CASE("every cut and every flipped octet of a good answer is survived") {
  Message message;
  message.answers = {cname("dest.example", 60, "b.example"), mx("b.example", 60, 10, "mx1.dest.example")};
  message.authority = {soa("example", 60, 60)};
  message.additional = {std::string(1, '\0') + u16(41) + u16(1232) + u32(0) + u16(0)};
  const std::string octets = message.octets();
  for (std::size_t size = 0; size < octets.size(); ++size) {
    const auto answer = read_answer(octets.substr(0, size), kQuestion);
    if (answer) CHECK(answer->kind == Answer::Kind::failed);
  }
  for (std::size_t i = 0; i < octets.size(); ++i) {
    for (const int flip : {0x01, 0x40, 0x80, 0xc0, 0xff}) {
      std::string changed = octets;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto answer = read_answer(changed, kQuestion);
      if (answer) CHECK_FALSE(answer->text.empty());
    }
  }
}
