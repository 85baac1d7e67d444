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

// As the chunks of BDAT (RFC 3030 section 2): nothing ends it, and what is stored are whole lines.
std::string decode_chunks(std::string_view octets, std::size_t piece, DataDecoder::BareNewlines bare, bool& bare_seen) {
  DataDecoder decoder(bare, DataDecoder::Framing::chunks);
  std::string content;
  while (!octets.empty()) {
    octets.remove_prefix(decoder.feed(octets.substr(0, piece)));
    if (decoder.full()) content += decoder.take();
  }
  decoder.finish();
  content += decoder.take();
  bare_seen = decoder.bare_newline();
  PP_CHECK(content.size() == decoder.size(), "a size that is not the content's");
  return content;
}

void check_chunks(std::string_view octets, std::size_t piece, DataDecoder::BareNewlines bare) {
  bool bare_seen = false, bare_seen_cut = false;
  const std::string whole = decode_chunks(octets, octets.size(), bare, bare_seen);
  const std::string cut = decode_chunks(octets, piece, bare, bare_seen_cut);
  PP_CHECK(whole == cut && bare_seen == bare_seen_cut, "cuts change the content");
  PP_CHECK(whole.empty() || whole.ends_with("\r\n"), "a last line without its end");
  if (!bare_seen) PP_CHECK(whole.starts_with(octets) && whole.size() <= octets.size() + 2, "octets that are not those that came");
  if (bare == DataDecoder::BareNewlines::keep) return;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] == '\n') PP_CHECK(i > 0 && whole[i - 1] == '\r', "a bare LF");
    if (whole[i] == '\r') PP_CHECK(i + 1 < whole.size() && whole[i + 1] == '\n', "a bare CR");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::string_view octets = fuzz::octets(data + 1, size - 1);
  for (const auto bare : {DataDecoder::BareNewlines::keep, DataDecoder::BareNewlines::convert}) {
    check_chunks(octets, piece, bare);
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
