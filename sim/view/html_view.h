// A recording as one HTML page that needs nothing but itself: no network, no other file. The page is drawn by its own
// script from the object of json_view.h, which it carries.
#pragma once

#include <string>
#include <string_view>

#include "sim/recording/record.h"

namespace postproof::sim {

std::string html_view(const Recording& recording);

// A page of sim/view/page with what belongs into it; the suite's index is made by the same means. `data` is JSON.
std::string fill_page(std::string_view page, std::string_view title, std::string_view style, std::string_view script,
                      std::string_view data);

}  // namespace postproof::sim
