// The codec of message content: one end of data, no bare newline out, every octet otherwise as it was.
#include <doctest/doctest.h>

#include <vector>

#include "mta/base/limits.h"
#include "mta/smtp/data_decoder.h"
#include "mta/smtp/data_encoder.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

struct Decoded {
  std::string content;
  std::string behind;  // octets after the end of data
  bool done = false;
  bool bare = false;
  std::uint64_t size = 0;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(const std::vector<std::string_view>& pieces,
               DataDecoder::BareNewlines bare = DataDecoder::BareNewlines::keep) {
  DataDecoder decoder(bare);
  Decoded decoded;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && !decoder.done()) {
      piece.remove_prefix(decoder.feed(piece));
      if (decoder.full()) {
        const std::string chunk = decoder.take();
        CHECK(chunk.size() <= limits::kChunk);
        decoded.content += chunk;
      }
    }
    decoded.behind += piece;
  }
  decoded.content += decoder.take();
  decoded.done = decoder.done();
  decoded.bare = decoder.bare_newline();
  decoded.size = decoder.size();
  return decoded;
}

std::string encode(const std::vector<std::string_view>& pieces) {
  DataEncoder encoder;
  std::string wire;
  for (const std::string_view piece : pieces) encoder.feed(piece, wire);
  encoder.finish(wire);
  return wire;
}

// All ways to cut a text into one, two or three pieces, and into octets.
std::vector<std::vector<std::string_view>> cuts(std::string_view text) {
  std::vector<std::vector<std::string_view>> all;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      all.push_back({text.substr(0, i), text.substr(i, j - i), text.substr(j)});
    }
  }
  std::vector<std::string_view> octets;
  for (std::size_t i = 0; i < text.size(); ++i) octets.push_back(text.substr(i, 1));
  all.push_back(octets);
  return all;
}

bool has_bare_newline(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("decoding, at every split: B01 to B05") {
  struct Case {
    std::string wire, content;
  };
  const std::vector<Case> cases = {
      {".\r\n", ""},
      {"\r\n.\r\n", "\r\n"},
      {"a\r\n.\r\n", "a\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
      {"...\r\n..a\r\n. \r\n.\r\n", "..\r\n.a\r\n \r\n"},
      {".a\r\n.\r\n", "a\r\n"},
      {"a.\r\nb\r\n.\r\n", "a.\r\nb\r\n"},
      {"a\r\n..\r\n\r\n.\r\n", "a\r\n.\r\n\r\n"},
      {"\xff\x80 8 bit\r\n.\r\n", "\xff\x80 8 bit\r\n"},
      {std::string("a\0b\r\n.\r\n", 8), std::string("a\0b\r\n", 5)},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    const std::string behind = "MAIL FROM:<next@example>\r\n.\r\n";
    const std::string wire = c.wire + behind;
    const Decoded want{c.content, behind, true, false, c.content.size()};
    for (const auto& pieces : cuts(wire)) CHECK(decode(pieces) == want);
  }
}

TEST_CASE("only CRLF.CRLF ends the data: Y01, Y02, Y07") {
  const std::vector<std::string> no_ends = {"\n.\n",       "\n.\r",     "\r.\n",       "\r.\r",       "\n.\r\n",
                                            "\r.\r\n",     "\r\n.\n",   "\r\n.\r",     "\r\n.\rx",    "\r\r\n.\r\r\n",
                                            "\r\n.\r\r\n", "\n\n.\n\n", "\r\n\n.\r\n", "\r\n.\n\r\n", "\r\n.x\r\n",
                                            "\r\r.\r\n",   "\r\n .\r\n"};
  for (std::string sequence : no_ends) {
    CAPTURE(sequence);
    const std::string evil = "a" + sequence + "MAIL FROM:<evil@example>\r\n";
    for (const auto& pieces : cuts(evil)) CHECK_FALSE(decode(pieces).done);
    const Decoded whole = decode({evil + ".\r\nbehind"});
    CHECK(whole.done);
    CHECK(whole.behind == "behind");
    CHECK(whole.bare == has_bare_newline(evil));
    CHECK(whole.content.contains("MAIL FROM:<evil@example>\r\n"));
  }
  // CRLF NUL .CRLF
  const std::string nul("a\r\n\0.\r\n", 7);
  for (const auto& pieces : cuts(nul)) CHECK_FALSE(decode(pieces).done);
  // CRCRLF.CRLF: the LF belongs to the second CR, so that this is an end, behind a bare CR.
  const Decoded end = decode({"a\r\r\n.\r\n"});
  CHECK(end.done);
  CHECK(end.bare);
}

TEST_CASE("bare newlines kept or converted") {
  struct Case {
    std::string wire, kept, converted;
  };
  const std::vector<Case> cases = {
      {"a\nb\r\n.\r\n", "a\nb\r\n", "a\r\nb\r\n"},
      {"a\rb\r\n.\r\n", "a\rb\r\n", "a\r\nb\r\n"},
      {"a\r\r\n.\r\n", "a\r\r\n", "a\r\n\r\n"},
      {"a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "a\r\n.\r\nb\r\n"},
      {"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "a\r\n.\r\nb\r\n"},
      {".\rx\r\n.\r\n", "\rx\r\n", "\r\nx\r\n"},
      {".\r\r\n.\r\n", "\r\r\n", "\r\n\r\n"},
      {".\n\r\n.\r\n", "\n\r\n", "\r\n\r\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    for (const auto& pieces : cuts(c.wire)) {
      CHECK(decode(pieces) == Decoded{c.kept, "", true, true, c.kept.size()});
      CHECK(decode(pieces, DataDecoder::BareNewlines::convert) ==
            Decoded{c.converted, "", true, true, c.converted.size()});
    }
    CHECK_FALSE(has_bare_newline(c.converted));
  }
}

TEST_CASE("in the chunks of BDAT no dot means anything, and a last line is ended: L04, Y03") {
  const auto decode_chunks = [](const std::vector<std::string_view>& pieces, DataDecoder::BareNewlines bare) {
    DataDecoder decoder(bare, DataDecoder::Framing::chunks);
    for (const std::string_view piece : pieces) CHECK(decoder.feed(piece) == piece.size());
    CHECK_FALSE(decoder.done());
    decoder.finish();
    return Decoded{decoder.take(), "", decoder.done(), decoder.bare_newline(), decoder.size()};
  };
  struct Case {
    std::string chunks, kept, converted;
    bool bare = false;
  };
  const std::vector<Case> cases = {
      {"", "", ""},
      {"a", "a\r\n", "a\r\n"},
      {".\r\n", ".\r\n", ".\r\n"},
      {"..\r\n.\r\n.a\r\n", "..\r\n.\r\n.a\r\n", "..\r\n.\r\n.a\r\n"},
      {"\r\n.\r\n.", "\r\n.\r\n.\r\n", "\r\n.\r\n.\r\n"},
      {"a\n.\r\n", "a\n.\r\n", "a\r\n.\r\n", true},
      {"a\n", "a\n\r\n", "a\r\n", true},
      {"a\r", "a\r\r\n", "a\r\n", true},
      {"a\r.\r", "a\r.\r\r\n", "a\r\n.\r\n", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.chunks);
    for (const auto& pieces : cuts(c.chunks)) {
      CHECK(decode_chunks(pieces, DataDecoder::BareNewlines::keep) == Decoded{c.kept, "", true, c.bare, c.kept.size()});
      CHECK(decode_chunks(pieces, DataDecoder::BareNewlines::convert) ==
            Decoded{c.converted, "", true, c.bare, c.converted.size()});
    }
  }
}

TEST_CASE("chunks: never over the limit, nothing lost at their borders") {
  std::string content;
  for (std::size_t i = 0; content.size() < 3 * limits::kChunk; ++i) content += std::string(i % 79, 'x') + ".\r\n.\r\n";
  const std::string wire = encode({content});
  CHECK(decode({wire}).content == content);
  // Borders at all offsets around the chunk's size, with newlines that grow there.
  for (std::size_t fill = limits::kChunk - 12; fill < limits::kChunk + 4; ++fill) {
    const std::string text = std::string(fill, 'x') + "\r\r\n\n.y\r\n";
    const Decoded kept = decode({text + ".\r\n"});
    CHECK(kept.content == text);
    CHECK(kept.done);
    const std::string converted = std::string(fill, 'x') + "\r\n\r\n\r\n.y\r\n";
    CHECK(decode({text + ".\r\n"}, DataDecoder::BareNewlines::convert).content == converted);
  }
}

TEST_CASE("a message that is refused already is counted and not kept") {
  DataDecoder decoder(DataDecoder::BareNewlines::keep);
  decoder.feed("abc\r\n");
  decoder.discard();
  const std::string much(3 * limits::kChunk, 'x');
  CHECK(decoder.feed(much) == much.size());
  CHECK(decoder.feed("\r\n.\r\nNOOP\r\n") == 5);
  CHECK(decoder.done());
  CHECK(decoder.take().empty());
  CHECK(decoder.size() == 5 + much.size() + 2);
}

TEST_CASE("encoding, at every split") {
  struct Case {
    std::string content, wire;
  };
  const std::vector<Case> cases = {
      {"", ".\r\n"},
      {"a", "a\r\n.\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {"\r\n", "\r\n.\r\n"},
      {".", "..\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"..\r\n", "...\r\n.\r\n"},
      {"a\r\n.b\r\n.\r\n", "a\r\n..b\r\n..\r\n.\r\n"},
      {"a.b\r\n", "a.b\r\n.\r\n"},
      // Bare newlines become CRLF, and what is behind them is a line's beginning.
      {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r", "a\r\n.\r\n"},
      {"a\n", "a\r\n.\r\n"},
      {"a\r\r\n.\r\r\n", "a\r\n\r\n..\r\n\r\n.\r\n"},
      {"\r\n.\r\n", "\r\n..\r\n.\r\n"},
      {std::string("\0.\r\n", 4), std::string("\0.\r\n.\r\n", 7)},
  };
  for (const Case& c : cases) {
    CAPTURE(c.content);
    for (const auto& pieces : cuts(c.content)) CHECK(encode(pieces) == c.wire);
  }
}

TEST_CASE("every short text over a nasty alphabet: encoded it has one end and no bare newline, and comes back") {
  const std::string_view alphabet = "\r\n.x";
  for (std::size_t length = 0; length <= 7; ++length) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < length; ++i) count *= alphabet.size();
    for (std::size_t n = 0; n < count; ++n) {
      std::string text;
      for (std::size_t i = 0, rest = n; i < length; ++i, rest /= alphabet.size())
        text += alphabet[rest % alphabet.size()];
      const std::string wire = encode({text});
      REQUIRE_FALSE(has_bare_newline(wire));
      const Decoded back = decode({wire});
      REQUIRE(back.done);
      REQUIRE(back.behind.empty());
      std::string want = text;
      if (has_bare_newline(text)) continue;
      if (!want.empty() && !want.ends_with("\r\n")) want += "\r\n";
      REQUIRE(back.content == want);
    }
  }
}
