// A whole session of the server, which takes what it is sent in pieces: the first octet tells their size. It comes to its end,
// answers in sound replies, keeps a message for each commit and no other, and no content has a bare CR or LF in it, whether
// DATA or BDAT has brought it.
#include <algorithm>
#include <optional>

#include "mta/smtp/server_session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/mta/smtp/test_intake.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;

namespace {

void check_content(std::string_view content) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\r') PP_CHECK(i + 1 < content.size() && content[i + 1] == '\n', "a bare CR in a message");
    if (content[i] == '\n') PP_CHECK(i > 0 && content[i - 1] == '\r', "a bare LF in a message");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  std::string_view octets = fuzz::octets(data + 1, size - 1);

  test::TestWorld world;
  test::Store store;
  smtp::ServerSettings settings;
  settings.hostname = "mx.example.org";
  settings.message_size_max = 4096;
  settings.recipients_max = 3;
  settings.bare_newline_ok = data[0] % 2 == 1;
  settings.xclient_from = {*IpNetwork::parse("192.0.2.0/24")};
  TaskGroup group(world.env().executor);
  auto [stream, end] = world.open();
  std::optional<smtp::ServerSession> session;
  session.emplace(world.env(), settings, std::move(stream), std::make_unique<test::TestIntake>(store), 1);
  group.spawn(session->run());
  world.settle();

  std::string replies;
  while (!octets.empty() && !end.closed()) {
    replies += end.say(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
  }
  end.fin();
  world.advance(settings.session_timeout + 10min);
  replies += end.received();
  PP_CHECK(group.size() == 0, "a session without end");
  PP_CHECK(store.begun == store.messages.size() + store.abandoned, "a message that is neither kept nor dropped");
  fuzz::check_reply_wire(replies);
  for (const test::Taken& message : store.messages) {
    PP_CHECK(!message.recipients.empty() && message.recipients.size() <= settings.recipients_max, "a message for nobody");
    PP_CHECK(message.content.size() <= settings.message_size_max, "a message over the limit");
    check_content(message.content);
  }
  return 0;
}
