#include "sim/scenario/addresses.h"

#include "sim/scenario/scenario.h"

namespace postproof::sim {

IpAddress resolver_address() { return IpAddress::v4({10, 0, 0, 53}); }

IpAddress submit_address() { return IpAddress::v4({10, 0, 0, 25}); }

IpAddress submit_address6() { return *IpAddress::parse("2001:db8::25"); }

IpAddress drawn_v4(std::uint16_t place) {
  return IpAddress::v4({10, static_cast<std::uint8_t>(place >> 8), static_cast<std::uint8_t>(place & 0xff), 1});
}

IpAddress drawn_v6(std::uint16_t place) {
  return IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, static_cast<std::uint8_t>(place >> 8),
                        static_cast<std::uint8_t>(place & 0xff), 0, 0, 0, 0, 0, 0, 0, 1});
}

bool is_worlds_own(const IpAddress& address) {
  return IpNetwork{IpAddress::v4({10, 0, 0, 0}), 24}.contains(address) || IpNetwork{drawn_v6(0), 64}.contains(address);
}

}  // namespace postproof::sim
