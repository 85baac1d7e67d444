#include "sim/view/html_view.h"

#include <array>
#include <utility>

#include "mta/base/check.h"
#include "sim/view/json_view.h"
#include "sim/view/page.h"

namespace postproof::sim {

namespace {

// Octets of an element's text. What is no UTF-8 the browser shows as such.
std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

// "<" stands in JSON within strings only; written so, no recorded octet can end the script element that carries it.
std::string escape_in_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string fill_page(std::string_view page, std::string_view title, std::string_view style, std::string_view script,
                      std::string_view data) {
  const std::array<std::pair<std::string_view, std::string>, 4> parts = {{
      {"{{title}}", escape_markup(title)},
      {"{{style}}", std::string(style)},
      {"{{script}}", std::string(script)},
      {"{{data}}", escape_in_script(data)},
  }};
  std::string out;
  // In one pass: what has been filled in is not looked at again.
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t mark = page.find("{{", at);
    out += page.substr(at, mark - at);
    if (mark == std::string_view::npos) break;
    at = mark;
    for (const auto& [name, text] : parts) {
      if (!page.substr(mark).starts_with(name)) continue;
      out += text;
      at = mark + name.size();
    }
    PP_CHECK(at != mark, "a page asks for what it is not given");
  }
  return out;
}

std::string html_view(const Recording& recording) {
  return fill_page(page::kRunHtml, recording.title.empty() ? recording.scenario : recording.title,
                   std::string(page::kCommonCss) + std::string(page::kRunCss),
                   std::string(page::kCommonJs) + std::string(page::kRunJs), json_view(recording));
}

}  // namespace postproof::sim
