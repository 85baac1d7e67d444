// Password files as text.
#include "mta/auth/password_table.h"

#include <doctest/doctest.h>

using namespace postproof;
using namespace postproof::auth;

namespace {

constexpr const char* kCrypt = "$5$salt$hkijgYUEMjSMXhxmgrD.XT2e7x4QFQTXgT62LjT23S1";  // pencil

std::string scram_of(const char* password, std::uint32_t iterations = 4096) {
  return to_string(make_scram_verifier(password, "sixteen octets..", iterations));
}

}  // namespace

TEST_CASE("password table: both kinds of lines, comments, and CRLF") {
  Problems problems("users");
  const std::string text = "# who may log in\n\nalice@example.org:" + scram_of("pencil") + "\r\n  # indented\nbob:" + kCrypt;
  const PasswordTable table = PasswordTable::parse(text, problems);
  CHECK(problems.empty());
  CHECK(table.size() == 2);
  CHECK(!table.all_scram());
  REQUIRE(table.find("alice@example.org") != nullptr);
  REQUIRE(table.find("bob") != nullptr);
  CHECK(matches(*table.find("alice@example.org"), "pencil"));
  CHECK(matches(*table.find("bob"), "pencil"));
  CHECK(!matches(*table.find("alice@example.org"), "pen"));
  CHECK(!matches(*table.find("bob"), "pen"));
  CHECK(table.find("carol") == nullptr);
  CHECK(table.find("Bob") == nullptr);
  CHECK(PasswordTable::parse("alice:" + scram_of("x"), problems).all_scram());
  CHECK(!PasswordTable::parse("", problems).all_scram());
}

TEST_CASE("password table: lines that are none are told by their place, and left out") {
  Problems problems("users");
  const std::string text = "alice\nbob:plain\n:" + std::string(kCrypt) + "\ncarol:" + kCrypt + "\ncarol:" + kCrypt + "\n\xff:" + kCrypt +
                           "\ndave:" + kCrypt + ":more\n";
  const PasswordTable table = PasswordTable::parse(text, problems);
  CHECK(table.size() == 1);
  REQUIRE(problems.list().size() == 6);
  CHECK(problems.list()[0].to_string() == "users:1:1: no \":\"; expected user:HASH");
  CHECK(problems.list()[1].to_string().starts_with("users:2:5: not a hash; expected"));
  CHECK(problems.list()[2].to_string().starts_with("users:3:1: \"\" is no user name"));
  CHECK(problems.list()[3].to_string().starts_with("users:5:1: \"carol\" stands in the file twice"));
  CHECK(problems.list()[4].to_string().starts_with("users:6:1: \"\\xff\" is no user name"));
  CHECK(problems.list()[5].to_string().starts_with("users:7:6: not a hash"));
}

TEST_CASE("password table: a user who is unknown has a decoy that stays the same and that no password fits") {
  Problems problems("users");
  const std::string text = "alice:" + scram_of("pencil", 5000) + "\nbob:" + scram_of("pencil", 5000) + "\n";
  const PasswordTable table = PasswordTable::parse(text, problems);
  const PasswordTable again = PasswordTable::parse(text, problems);
  const ScramVerifier decoy = table.decoy_verifier("mallory");
  CHECK(decoy == again.decoy_verifier("mallory"));
  CHECK(decoy.salt != table.decoy_verifier("mallory2").salt);
  CHECK(decoy.iterations == 5000);
  CHECK(decoy.salt.size() == 16);
  CHECK(!scram_matches(decoy, "pencil"));
  REQUIRE(table.decoy("mallory") != nullptr);
  CHECK(PasswordTable::parse("", problems).decoy("mallory") == nullptr);
}

TEST_CASE("password table: editing sets a line, adds one, or takes one away, and leaves the rest") {
  const std::string text = "# top\nalice:old\nbob:x\n";
  CHECK(edit_password_file(text, "alice", "new") == "# top\nalice:new\nbob:x\n");
  CHECK(edit_password_file(text, "carol", "new") == "# top\nalice:old\nbob:x\ncarol:new\n");
  CHECK(edit_password_file("bob:x", "carol", "new") == "bob:x\ncarol:new\n");
  CHECK(edit_password_file("", "carol", "new") == "carol:new\n");
  CHECK(edit_password_file(text, "bob", "") == "# top\nalice:old\n");
  CHECK(!edit_password_file(text, "carol", "").has_value());
  CHECK(edit_password_file("alice:1\nalice:2\n", "alice", "new") == "alice:new\n");
}
