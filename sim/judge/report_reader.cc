#include "sim/judge/report_reader.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "mta/base/text.h"

namespace postproof::sim {

namespace {

using Field = std::pair<std::string, std::string>;  // name in lower case, value unfolded

std::string_view cut_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Fields up to the empty line, which is taken off `rest` too.
std::vector<Field> read_fields(std::string_view& rest) {
  std::vector<Field> fields;
  while (!rest.empty()) {
    const std::string_view line = cut_line(rest);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (!fields.empty()) (fields.back().second += ' ') += trim(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields.emplace_back(ascii_lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return fields;
}

std::string value_of(const std::vector<Field>& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return "";
}

// "multipart/report" of "Multipart/Report; boundary=x".
std::string media_type(std::string_view value) { return ascii_lower(trim(value.substr(0, value.find(';')))); }

// RFC 2045 section 5.1: ;name=token or ;name="quoted string".
std::string parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos && at < value.size()) {
    ++at;
    const std::size_t equals = value.find('=', at);
    if (equals == std::string_view::npos) break;
    const bool wanted = equal_ignoring_case(trim(value.substr(at, equals - at)), name);
    at = equals + 1;
    while (at < value.size() && (value[at] == ' ' || value[at] == '\t')) ++at;
    std::string text;
    if (at < value.size() && value[at] == '"') {
      for (++at; at < value.size() && value[at] != '"'; ++at) {
        if (value[at] == '\\' && at + 1 < value.size()) ++at;
        text += value[at];
      }
    } else {
      const std::size_t end = std::min(value.find_first_of("; \t", at), value.size());
      text = value.substr(at, end - at);
      at = end;
    }
    if (wanted) return text;
    at = value.find(';', at);
  }
  return "";
}

// RFC 2046 section 5.1.1. The line end in front of a delimiter is the delimiter's.
std::vector<std::string_view> split_parts(std::string_view body, std::string_view boundary) {
  std::vector<std::string_view> parts;
  const std::string delimiter = "--" + std::string(boundary);
  std::optional<std::size_t> begin;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t line_end = std::min(body.find('\n', at), body.size() - 1);
    const std::string_view line = body.substr(at, line_end + 1 - at);
    if (line.starts_with(delimiter)) {
      const std::string_view tail =
          trim(line.substr(delimiter.size(), line.find_last_not_of("\r\n") + 1 - delimiter.size()));
      if (tail.empty() || tail == "--") {
        if (begin) {
          std::size_t end = at;
          if (end > *begin && body[end - 1] == '\n') --end;
          if (end > *begin && body[end - 1] == '\r') --end;
          parts.push_back(body.substr(*begin, end - *begin));
        }
        begin = line_end + 1;
        if (tail == "--") return parts;
      }
    }
    at = line_end + 1;
  }
  return parts;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i + 1).starts_with("\r\n")) {
      i += 2;
    } else if (text.substr(i + 1).starts_with("\n")) {
      i += 1;
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) && hex_digit(text[i + 2])) {
      out += static_cast<char>(*hex_digit(text[i + 1]) * 16 + *hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += '=';
    }
  }
  return out;
}

// RFC 6533 section 3: "\x{E9}" is U+00E9, written as UTF-8.
std::string decode_utf8_address(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.starts_with("\\x{") ? text.find('}') : std::string_view::npos;
    std::uint32_t point = 0;
    bool good = end != std::string_view::npos && end > 3 && end <= 9;
    for (std::size_t i = 3; good && i < end; ++i) {
      const auto digit = hex_digit(text[i]);
      good = digit.has_value();
      if (good) point = point * 16 + *digit;
    }
    if (!good) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto put = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | (point >> 6)), put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | (point >> 12)), put(0x80 | ((point >> 6) & 0x3f)), put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | (point >> 18)), put(0x80 | ((point >> 12) & 0x3f)), put(0x80 | ((point >> 6) & 0x3f)), put(0x80 | (point & 0x3f));
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

void read_status(std::string_view text, Report& report) {
  const std::vector<Field> message = read_fields(text);
  report.reporting_mta = value_of(message, "reporting-mta");
  report.original_envelope_id = value_of(message, "original-envelope-id");
  report.arrival_date = value_of(message, "arrival-date");
  while (!text.empty()) {
    const std::vector<Field> fields = read_fields(text);
    if (fields.empty()) continue;
    ReportRecipient recipient;
    recipient.final_recipient = value_of(fields, "final-recipient");
    recipient.action = value_of(fields, "action");
    recipient.status = value_of(fields, "status");
    recipient.remote_mta = value_of(fields, "remote-mta");
    recipient.diagnostic_code = value_of(fields, "diagnostic-code");
    recipient.original_recipient = value_of(fields, "original-recipient");
    recipient.last_attempt_date = value_of(fields, "last-attempt-date");
    recipient.will_retry_until = value_of(fields, "will-retry-until");
    report.recipients.push_back(std::move(recipient));
  }
}

}  // namespace

std::string ReportRecipient::address() const {
  const std::string_view address = without_type(final_recipient);
  return starts_with_ignoring_case(final_recipient, "utf-8;") ? decode_utf8_address(address) : std::string(address);
}

std::string_view without_type(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  return semicolon == std::string_view::npos ? trim(value) : trim(value.substr(semicolon + 1));
}

std::optional<WallTime> read_date(std::string_view value) {
  static constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  if (const std::size_t comma = value.find(','); comma != std::string_view::npos) value.remove_prefix(comma + 1);
  std::vector<std::string_view> words;
  for (const std::string_view word : split(trim(value), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() < 5) return std::nullopt;
  const auto month = std::ranges::find(kMonths, ascii_lower(words[1]));
  const auto clock = split(words[3], ':');
  const auto day = parse_decimal(words[0]), year = parse_decimal(words[2]);
  if (month == std::end(kMonths) || !day || !year || *year > 9999 || clock.size() < 2 || clock.size() > 3) return std::nullopt;
  const auto hour = parse_decimal(clock[0]), minute = parse_decimal(clock[1]);
  const auto second = clock.size() == 3 ? parse_decimal(clock[2]) : std::optional<std::uint64_t>(0);
  const auto zone = words[4].size() == 5 ? parse_decimal(words[4].substr(1)) : std::nullopt;
  if (!hour || !minute || !second || !zone || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(static_cast<unsigned>(month - kMonths) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto offset = std::chrono::hours(*zone / 100) + std::chrono::minutes(*zone % 100);
  const Duration of_day = std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
                          (words[4].front() == '-' ? offset : -offset);
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + of_day);
}

std::string_view header_of(std::string_view content) {
  if (content.starts_with("\r\n")) return {};
  const std::size_t end = content.find("\r\n\r\n");
  return end == std::string_view::npos ? content : content.substr(0, end + 2);
}

std::vector<std::string> header_values(std::string_view content, std::string_view name) {
  std::vector<std::string> values;
  const std::string key = ascii_lower(name);
  for (auto& [field, value] : read_fields(content)) {
    if (field == key) values.push_back(std::move(value));
  }
  return values;
}

std::optional<Report> read_report(std::string_view content) {
  std::string_view body = content;
  const std::string type = value_of(read_fields(body), "content-type");
  if (media_type(type) != "multipart/report") return std::nullopt;
  if (!equal_ignoring_case(parameter(type, "report-type"), "delivery-status")) return std::nullopt;
  const std::string boundary = parameter(type, "boundary");
  if (boundary.empty()) return std::nullopt;

  std::optional<Report> report;
  for (std::string_view part : split_parts(body, boundary)) {
    const std::vector<Field> fields = read_fields(part);
    const std::string media = media_type(value_of(fields, "content-type"));
    const bool encoded = equal_ignoring_case(value_of(fields, "content-transfer-encoding"), "quoted-printable");
    const std::string decoded = encoded ? decode_quoted_printable(part) : std::string(part);
    if (media == "message/delivery-status") {
      if (!report) report.emplace();
      read_status(decoded, *report);
    } else if (media == "text/rfc822-headers" || media == "message/rfc822" || media == "message/global") {
      if (!report) report.emplace();
      report->returned = media == "text/rfc822-headers" ? Report::Returned::headers : Report::Returned::full;
      report->original_header = header_of(decoded);
      // A part's last line end belongs to the boundary.
      if (!report->original_header.empty() && !report->original_header.ends_with("\r\n"))
        report->original_header += "\r\n";
    }
  }
  if (report && report->recipients.empty()) return std::nullopt;
  return report;
}

}  // namespace postproof::sim
