// What comes in the exchanges of AUTH (RFC 4954), and the lines of a password file.
#include "mta/auth/password_table.h"
#include "mta/auth/scram_message.h"
#include "mta/base/base64.h"
#include "mta/mail/xtext.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::octets(data, size);
  PP_CHECK(base64_decode(base64_encode(text)) == text, "base64 that is not read back");
  if (const auto decoded = base64_decode(text)) PP_CHECK(base64_encode(*decoded) == text, "base64 of two spellings");
  PP_CHECK(decode_xtext(encode_xtext(text)) == text, "xtext that is not read back");
  auth::parse_client_first(text);
  auth::parse_server_first(text);
  auth::parse_client_final(text);
  auth::parse_server_final(text);
  Problems problems("passwd");
  auth::PasswordTable::parse(text, problems);
  return 0;
}
