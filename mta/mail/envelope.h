// What the sender said of a message outside its content: from whom, for whom, of what kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mta/mail/address.h"

namespace postproof {

// RFC 6152 section 3.
enum class BodyType : std::uint8_t { seven_bit, eight_bit };

struct Recipient {
  Address address;
  bool operator==(const Recipient&) const = default;
};

struct Envelope {
  ReversePath sender;
  std::vector<Recipient> recipients;  // in the order of the RCPT commands; the index is the recipient's name
  BodyType body = BodyType::seven_bit;
  bool operator==(const Envelope&) const = default;
};

}  // namespace postproof
