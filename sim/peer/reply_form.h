// Replies whose form is wrong (RFC 5321 section 4.2), for clients that must bear with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/peer_fault.h"

namespace postproof::sim {

// The octets of a reply in this form, line ends included. `lines`: a correct reply.
std::string formed_reply(ReplyForm form, const std::vector<std::string>& lines);

// The form in a scenario's word: "mixed-codes".
std::string_view to_string(ReplyForm form);

}  // namespace postproof::sim
