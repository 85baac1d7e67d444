// The PROXY protocol's header: both versions, in pieces of any size, to the last octet and no further; hostile octets.
#include "mta/smtp/proxy_header.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace postproof;
using namespace postproof::smtp;

namespace {

// Feeds as an honest reader does, `piece` octets at once at the most. Returns how many octets were taken.
std::size_t feed(ProxyHeader& header, std::string_view octets, std::size_t piece = SIZE_MAX) {
  std::size_t taken = 0;
  while (taken < octets.size() && header.wanted() > 0) {
    const std::size_t size = std::min({piece, header.wanted(), octets.size() - taken});
    header.feed(octets.substr(taken, size));
    taken += size;
  }
  return taken;
}

// "CLIENT SERVER", "own" for a header that names nobody, "malformed", "incomplete".
std::string told(const std::string& octets, std::size_t piece = SIZE_MAX) {
  ProxyHeader header;
  feed(header, octets, piece);
  if (header.state() == ProxyHeader::State::malformed) return "malformed";
  if (header.state() == ProxyHeader::State::incomplete) return "incomplete";
  if (!header.ends()) return "own";
  return header.ends()->client.to_string() + " " + header.ends()->server.to_string();
}

std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
  std::string octets("\r\n\r\n\0\r\nQUIT\n", 12);
  octets += static_cast<char>(command);
  octets += static_cast<char>(family);
  octets += static_cast<char>(rest.size() >> 8);
  octets += static_cast<char>(rest.size() & 0xff);
  return octets + rest;
}

const std::string kV4("\xc6\x33\x64\x07\xc0\x00\x02\x19\x04\xd2\x00\x19", 12);  // 198.51.100.7:1234 to 192.0.2.25:25
const std::string kV6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" +
                        std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x19" +
                        std::string("\x04\xd2\x00\x19", 4);
const std::string kMapped = std::string(10, '\0') + "\xff\xff\xc6\x33\x64\x07" + std::string(10, '\0') +
                            std::string("\xff\xff\xc0\x00\x02\x19\x04\xd2\x00\x19", 10);

}  // namespace

TEST_CASE("proxy header: what both versions tell, and not an octet behind is taken") {
  struct Case {
    std::string header, want;
  };
  const std::vector<Case> cases = {
      {"PROXY TCP4 198.51.100.7 192.0.2.25 1234 25\r\n", "198.51.100.7:1234 192.0.2.25:25"},
      {"PROXY TCP6 2001:db8::7 2001:db8::19 1234 25\r\n", "[2001:db8::7]:1234 [2001:db8::19]:25"},
      {"PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.25 1234 25\r\n", "198.51.100.7:1234 192.0.2.25:25"},
      {binary(0x21, 0x21, kMapped), "198.51.100.7:1234 192.0.2.25:25"},
      {"PROXY UNKNOWN\r\n", "own"},
      {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "own"},
      {binary(0x21, 0x11, kV4), "198.51.100.7:1234 192.0.2.25:25"},
      {binary(0x21, 0x21, kV6), "[2001:db8::7]:1234 [2001:db8::19]:25"},
      {binary(0x21, 0x11, kV4 + std::string("\x04\x00\x03" "abc", 6)), "198.51.100.7:1234 192.0.2.25:25"},
      {binary(0x20, 0x00, ""), "own"},
      {binary(0x20, 0x11, kV4), "own"},
      {binary(0x21, 0x00, "anything"), "own"},
      {binary(0x21, 0x31, std::string(216, 'u')), "own"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.header);
    const std::string behind = "EHLO client.example\r\n";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{5}, SIZE_MAX}) {
      CHECK(told(c.header + behind, piece) == c.want);
      ProxyHeader header;
      CHECK(feed(header, c.header + behind, piece) == c.header.size());
    }
    for (std::size_t cut = 0; cut < c.header.size(); ++cut) CHECK(told(c.header.substr(0, cut)) == "incomplete");
  }
}

TEST_CASE("proxy header: what is none is told at its first wrong octet") {
  for (const std::string& octets : std::vector<std::string>{
           "EHLO client.example\r\n",
           "\r\nEHLO",
           "\x16\x03\x01",
           "proxy TCP4 198.51.100.7 192.0.2.25 1234 25\r\n",
           "PROXYTCP4",
           "PROXY TCP4 198.51.100.7 192.0.2.25 1234 25\nEHLO",
           "PROXY TCP4 198.51.100.7 192.0.2.25 1234 25\rE",
           "PROXY TCP4 198.51.100.7 192.0.2.25 1234\r\n",
           "PROXY TCP4 198.51.100.7 192.0.2.25 1234 25 7\r\n",
           "PROXY TCP4  198.51.100.7 192.0.2.25 1234 25\r\n",
           "PROXY TCP4 198.51.100.7 192.0.2.25 65536 25\r\n",
           "PROXY TCP4 198.51.100.7 192.0.2.25 -1 25\r\n",
           "PROXY TCP4 198.51.100.7 192.0.2.25 01234 25\r\n",
           "PROXY TCP4 198.51.100.777 192.0.2.25 1234 25\r\n",
           "PROXY TCP4 2001:db8::7 2001:db8::19 1234 25\r\n",
           "PROXY TCP6 198.51.100.7 192.0.2.25 1234 25\r\n",
           "PROXY UDP4 198.51.100.7 192.0.2.25 1234 25\r\n",
           std::string("PROXY TCP4 198.51.100.7\0 192.0.2.25 1234 25\r\n", 45),
           "PROXY \r\n      ",
           "PROXY UNKNOWN " + std::string(93, 'x'),
           binary(0x22, 0x11, kV4),
           binary(0x11, 0x11, kV4),
           binary(0x21, 0x12, kV4),
           binary(0x21, 0x41, kV4),
           binary(0x21, 0x11, kV4.substr(1)),
           binary(0x21, 0x21, kV4),
           binary(0x21, 0x11, kV4 + std::string(ProxyHeader::kSizeMax, 't')),
           binary(0x20, 0x00, std::string(65535, 't')),
           std::string("\r\n\r\n\0\r\nQUIT\r", 12),
       }) {
    CAPTURE(octets);
    CHECK(told(octets) == "malformed");
    CHECK(told(octets, 1) == "malformed");
  }
  CHECK(told("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n") == "own");
}
