// Replies of a hostile server, as lines: what is put together is a sound reply, and tells extensions without harm.
#include "mta/base/limits.h"
#include "mta/smtp/capabilities.h"
#include "mta/smtp/reply_parser.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::octets(data, size);
  smtp::ReplyParser parser;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto fed = parser.feed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!fed) break;
    PP_CHECK(parser.octets() <= limits::kReplyOctets, "a reply that is too long");
    if (!*fed) continue;
    const smtp::Reply& reply = **fed;
    PP_CHECK(reply.code >= 200 && reply.code <= 599, "a code that is none");
    PP_CHECK(reply.lines.size() <= limits::kReplyLines, "more lines than are kept");
    fuzz::check_reply_wire(reply.to_wire());
    const smtp::Capabilities offered = smtp::Capabilities::of(reply);
    smtp::Reply again{250, std::nullopt, offered.lines()};
    again.lines.insert(again.lines.begin(), "mx");
    PP_CHECK(smtp::Capabilities::of(again) == offered, "extensions that are others when told again");
  }
  return 0;
}
