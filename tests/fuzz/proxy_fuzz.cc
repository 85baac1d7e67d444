// The PROXY header (mta/smtp/proxy_header.h), cut anywhere. The first octet says where. It is the same header however it comes,
// and no octet behind it is asked for: that would be the client's.
#include <algorithm>
#include <optional>

#include "mta/smtp/proxy_header.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;
using smtp::ProxyHeader;

namespace {

struct Heard {
  ProxyHeader header;
  std::size_t taken = 0;
};

Heard hear(std::string_view octets, std::size_t piece) {
  Heard heard;
  while (heard.taken < octets.size() && heard.header.wanted() > 0) {
    const std::size_t size = std::min({piece, heard.header.wanted(), octets.size() - heard.taken});
    heard.header.feed(octets.substr(heard.taken, size));
    heard.taken += size;
  }
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::string_view octets = fuzz::octets(data + 1, size - 1);
  const Heard whole = hear(octets, octets.size());
  const Heard cut = hear(octets, piece);
  PP_CHECK(whole.header.state() == cut.header.state(), "cuts change what the header is");
  PP_CHECK(whole.taken <= ProxyHeader::kSizeMax + 2, "a header without bounds");
  const bool incomplete = whole.header.state() == ProxyHeader::State::incomplete;
  PP_CHECK(incomplete == (whole.header.wanted() > 0), "octets are wanted of a header that is over");
  if (whole.header.state() != ProxyHeader::State::whole) return 0;
  PP_CHECK(whole.taken == cut.taken, "cuts change where the header ends");
  const auto& ends = whole.header.ends();
  PP_CHECK(ends.has_value() == cut.header.ends().has_value(), "cuts change whether it names anybody");
  if (!ends) return 0;
  PP_CHECK(ends->client == cut.header.ends()->client && ends->server == cut.header.ends()->server, "cuts change whom it names");
  PP_CHECK(ends->client.address().is_v4() == ends->server.address().is_v4(), "ends of two families");
  return 0;
}
