// Answers that anybody may have sent. The first octet chooses the question's type.
#include "mta/dns/wire.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  dns::Question question;
  question.id = 0x1234;
  question.name = "dest.example";
  question.type = data[0] % 3 == 0 ? dns::Type::a : data[0] % 3 == 1 ? dns::Type::aaaa : dns::Type::mx;
  const auto answer = dns::read_answer(fuzz::octets(data + 1, size - 1), question);
  if (!answer) return 0;
  PP_CHECK(answer->records.size() <= dns::kRecordsMax, "more records than are kept");
  PP_CHECK(answer->kind != dns::Answer::Kind::found || !answer->records.empty(), "found nothing");
  PP_CHECK(answer->ttl >= Duration::zero(), "a time to live below 0");
  return 0;
}
