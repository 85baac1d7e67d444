// The files of sim/view/page, which sim/view/embed.cmake puts into the program when it is built.
#pragma once

#include <string_view>

namespace postproof::sim::page {

extern const std::string_view kRunHtml, kRunCss, kRunJs;            // the page of a run
extern const std::string_view kIndexHtml, kIndexCss, kIndexJs;      // of a suite's report
extern const std::string_view kCommonCss, kCommonJs;                // what both pages share

}  // namespace postproof::sim::page
