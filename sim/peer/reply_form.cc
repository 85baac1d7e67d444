#include "sim/peer/reply_form.h"

#include <algorithm>

namespace postproof::sim {

namespace {

constexpr std::size_t kLongLine = 5000;      // octets; RFC 5321 section 4.5.3.1.5 allows 512
constexpr std::size_t kEndlessLines = 900;

std::string joined(const std::vector<std::string>& lines, std::string_view end) {
  std::string text;
  for (const std::string& line : lines) (text += line) += end;
  return text;
}

std::string text_of(const std::string& line) { return line.size() > 4 ? line.substr(4) : std::string(); }

// As a line that others follow.
std::string with_hyphen(std::string line) {
  if (line.size() > 3) line[3] = '-';
  return line;
}

}  // namespace

std::string formed_reply(ReplyForm form, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::vector<std::string> formed = lines;
  std::string& last = formed.back();
  switch (form) {
    case ReplyForm::normal: break;
    case ReplyForm::mixed_codes: {
      const std::string other = text_of(last);
      last = with_hyphen(last);
      std::string code = last.substr(0, 3);
      code[2] = code[2] == '9' ? '0' : static_cast<char>(code[2] + 1);
      formed.push_back(code + " " + other);
      break;
    }
    case ReplyForm::unfinished: last = with_hyphen(last); break;
    case ReplyForm::lf: return joined(formed, "\n");
    case ReplyForm::cr: return joined(formed, "\r");
    case ReplyForm::blank: return "\r\n" + joined(formed, "\r\n");
    case ReplyForm::junk: return "\x01\x02 no reply \x7f\xfe\r\n" + joined(formed, "\r\n");
    case ReplyForm::long_line: last += " " + std::string(kLongLine - std::min(kLongLine, last.size() + 1), 'x'); break;
    case ReplyForm::eight_bit: last += " gr\xc3\xbc\xdf"; break;
    case ReplyForm::nul: last += std::string(" nul\0here", 9); break;
    case ReplyForm::two_digits:
      for (std::string& line : formed) line.erase(2, 1);
      break;
    case ReplyForm::endless: formed.insert(formed.begin(), kEndlessLines, with_hyphen(formed.front())); break;
  }
  return joined(formed, "\r\n");
}

std::string_view to_string(ReplyForm form) {
  switch (form) {
    case ReplyForm::normal: return "normal";
    case ReplyForm::mixed_codes: return "mixed-codes";
    case ReplyForm::unfinished: return "unfinished";
    case ReplyForm::lf: return "lf";
    case ReplyForm::cr: return "cr";
    case ReplyForm::blank: return "blank";
    case ReplyForm::junk: return "junk";
    case ReplyForm::long_line: return "long-line";
    case ReplyForm::eight_bit: return "8-bit";
    case ReplyForm::nul: return "nul";
    case ReplyForm::two_digits: return "two-digits";
    case ReplyForm::endless: return "endless";
  }
  return "";
}

}  // namespace postproof::sim
