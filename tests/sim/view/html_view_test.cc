#include "sim/view/html_view.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/recording/sample.h"
#include "tests/sim/view/talk.h"

namespace postproof::sim {
namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_CASE("nothing that was recorded becomes markup") {
  const std::string evil = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>{{style}}{{data}}";
  Talk talk;
  const std::string plain = html_view(talk.recording);
  talk.recording.title = talk.recording.scenario = talk.recording.variant = evil;
  talk.recording.source = {evil};
  talk.acceptor("220 " + evil + "\r\n").opener(evil);
  talk.add(record::Fault{evil, evil, 1, evil}).add(record::Dns{evil, evil, evil, evil, evil, evil});
  talk.add(record::MtaEvent{evil, "delivered", {{"message", evil}, {"recipient", evil}, {"reply", evil}}});
  talk.add(record::PeerMessage{evil, 1, evil, evil, evil, {evil}, evil, evil, true});
  talk.add(record::Dial{2, evil, evil, *Endpoint::parse("192.0.2.1:1"), Endpoint::unix_path(evil)});
  talk.add(record::Failure{1, evil, evil, evil, {0, 1, 2}});
  const std::string page = html_view(talk.recording);
  for (const std::string_view part : {"<script", "</script", "<img", "<!--", "<style"}) {
    CAPTURE(part);
    CHECK(count(page, part) == count(plain, part));
  }
  CHECK(page.find("<title>&lt;/script&gt;") != std::string::npos);
}

TEST_CASE("the page needs nothing from elsewhere") {
  const std::string page = html_view(sample_recording());
  CHECK(page.find("Content-Security-Policy\" content=\"default-src 'none'") != std::string::npos);
  CHECK(count(page, "http://") == 1);  // the name space of SVG
  CHECK(count(page, "https://") == 0);
  CHECK(count(page, "url(") == count(page, "url(#"));
  CHECK(count(page, "{{") == 0);
}

TEST_CASE("equal recordings give equal pages") { CHECK(html_view(sample_recording()) == html_view(sample_recording())); }

}  // namespace
}  // namespace postproof::sim
