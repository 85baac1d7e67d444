// Content as DATA brings it (RFC 5321 section 4.1.1.4), cut anywhere. The first octet says where. What was decoded is the same
// however it was cut, and sent on it ends exactly once: what follows could be commands of somebody else's (smuggling).
#include <algorithm>
#include <string>

#include "mta/smtp/data_decoder.h"
#include "mta/smtp/data_encoder.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;
using smtp::DataDecoder;

namespace {

struct Decoded {
  std::string content;
  std::size_t taken = 0;
  bool done = false;
  bool bare = false;
};

Decoded decode(std::string_view octets, std::size_t piece, DataDecoder::BareNewlines bare) {
  DataDecoder decoder(bare);
  Decoded result;
  while (!octets.empty() && !decoder.done()) {
    const std::size_t taken = decoder.feed(octets.substr(0, piece));
    result.taken += taken;
    octets.remove_prefix(taken);
    if (decoder.full()) result.content += decoder.take();
  }
  result.done = decoder.done();
  if (result.done) {
    for (std::string rest = decoder.take(); !rest.empty(); rest = decoder.take()) result.content += rest;
    PP_CHECK(result.content.size() == decoder.size(), "a size that is not the content's");
  }
  result.bare = decoder.bare_newline();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::string_view octets = fuzz::octets(data + 1, size - 1);
  for (const auto bare : {DataDecoder::BareNewlines::keep, DataDecoder::BareNewlines::convert}) {
    const Decoded whole = decode(octets, octets.size(), bare);
    const Decoded cut = decode(octets, piece, bare);
    PP_CHECK(whole.done == cut.done && whole.taken == cut.taken && whole.bare == cut.bare, "cuts change what is decoded");
    if (!whole.done) continue;
    PP_CHECK(whole.content == cut.content, "cuts change the content");
    PP_CHECK(octets.substr(0, whole.taken).ends_with("\r\n.\r\n") || whole.taken == 3, "an end that is none");
    if (whole.bare && bare == DataDecoder::BareNewlines::keep) continue;  // refused, and not sent on
    smtp::DataEncoder encoder;
    std::string wire;
    encoder.feed(whole.content, wire);
    encoder.finish(wire);
    const auto end = ("\r\n" + wire).find("\r\n.\r\n");
    PP_CHECK(end + 3 == wire.size(), "content that ends before its end");
    const Decoded back = decode(wire, piece, DataDecoder::BareNewlines::keep);
    PP_CHECK(back.done && !back.bare && back.content == whole.content, "content that is another when sent on");
  }
  return 0;
}
