// Every limit has its name here, or in the settings that an operator may change (mta/config.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "mta/base/time.h"

namespace postproof::limits {

// RFC 5321 section 4.5.3.1, in octets, line ends included where the RFC includes them.
inline constexpr std::size_t kLocalPart = 64;
inline constexpr std::size_t kDomain = 255;
inline constexpr std::size_t kPath = 256;          // with the angle brackets
inline constexpr std::size_t kCommandLine = 2048;  // RFC: 512 and what extensions add; we take more than we must
inline constexpr std::size_t kAuthLine = 12288;    // of AUTH and of the client's answers in it (RFC 4954 section 4)
inline constexpr std::size_t kReplyLine = 2048;    // RFC: 512; a longer one is cut, and read to its end
inline constexpr std::size_t kReplyLines = 100;    // of one reply that are kept; more are read and dropped
inline constexpr std::size_t kReplyOctets = 64 * 1024;  // a reply longer than this is a protocol error

// Content moves in owned buffers of at most this.
inline constexpr std::size_t kChunk = 64 * 1024;
// A body up to this stands in the journal, a larger one in a file of its own.
inline constexpr std::size_t kInlineBody = 256 * 1024;

}  // namespace postproof::limits
