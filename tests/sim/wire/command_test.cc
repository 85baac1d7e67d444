#include "sim/wire/command.h"

#include <doctest/doctest.h>

namespace postproof::sim {
namespace {

TEST_CASE("command lines are taken apart") {
  struct Case {
    std::string_view line, verb, argument;
    bool has_path = false;
    std::string_view address = "", parameters = "";
  };
  const Case cases[] = {
      {"", "", ""},
      {"quit", "QUIT", ""},
      {"EHLO  a.example ", "EHLO", "a.example"},
      {"NOOP a b", "NOOP", "a b"},
      {"MAIL FROM:<>", "MAIL", "FROM:<>", true, ""},
      {"mail from: <a@b> SIZE=3  BODY=8BITMIME", "MAIL", "from: <a@b> SIZE=3  BODY=8BITMIME", true, "a@b",
       "SIZE=3  BODY=8BITMIME"},
      {"RCPT TO:<@r,@s:a@b>", "RCPT", "TO:<@r,@s:a@b>", true, "@r,@s:a@b"},
      {"RCPT TO:<\"a>b \\\" c\"@d> NOTIFY=NEVER", "RCPT", "TO:<\"a>b \\\" c\"@d> NOTIFY=NEVER", true,
       "\"a>b \\\" c\"@d", "NOTIFY=NEVER"},
      {"RCPT TO:a@b X=1", "RCPT", "TO:a@b X=1", true, "a@b", "X=1"},
      {"RCPT TO:<a@b", "RCPT", "TO:<a@b"},
      {"RCPT TO:", "RCPT", "TO:"},
      {"MAIL TO:<a@b>", "MAIL", "TO:<a@b>"},
      {"VRFY FROM:<a@b>", "VRFY", "FROM:<a@b>"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const WireCommand command = parse_command(c.line);
    CHECK(command.verb == c.verb);
    CHECK(command.argument == c.argument);
    CHECK(command.has_path == c.has_path);
    CHECK(command.address == c.address);
    CHECK(command.parameters == c.parameters);
  }
}

}  // namespace
}  // namespace postproof::sim
