// Enhanced status codes are read strictly: what is not one is text.
#include "mta/mail/enhanced_status.h"

#include <doctest/doctest.h>

using namespace postproof;

TEST_CASE("enhanced status codes") {
  for (const char* good : {"2.0.0", "4.4.2", "5.7.27", "5.999.999", "2.1.10"}) {
    CAPTURE(good);
    const auto status = EnhancedStatus::parse(good);
    REQUIRE(status);
    CHECK(status->to_string() == good);
  }
  for (const char* bad : {"", "5", "5.1", "5.1.", ".1.1", "5..1", "3.1.1", "1.1.1", "6.0.0", "25.1.1", "5.1.1.1",
                          "5.1.1000", "5.01.1", "5.1.01", "5.1.1 ", " 5.1.1", "5.-1.1", "5.a.1", "5.1.1x"}) {
    CAPTURE(bad);
    CHECK_FALSE(EnhancedStatus::parse(bad));
  }
}
