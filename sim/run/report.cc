#include "sim/run/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "mta/base/text.h"
#include "sim/recording/recording_file.h"
#include "sim/view/failure_report.h"
#include "sim/view/html_view.h"
#include "sim/view/pcap_view.h"
#include "sim/view/text_view.h"

namespace postproof::sim {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

std::unexpected<Error> system_failure(const std::string& path, int number) {
  return fail(Errc::io, fmt::format("{}: {}", path, std::generic_category().message(number)));
}

bool plain(char c) {
  return is_alnum(c) || std::string_view("=,._-").find(c) != std::string_view::npos;
}

}  // namespace

std::string report_name(std::string_view scenario, std::string_view variant) {
  if (scenario.ends_with(".toml")) scenario.remove_suffix(5);
  std::string name;
  for (const std::string_view part : split(scenario, '/')) {
    if (part.empty() || part == ".") continue;
    if (!name.empty()) name += '/';
    name += part == ".." ? "__" : part;
  }
  if (!variant.empty()) {
    name += '.';
    // Two variants never share a name.
    for (const char c : variant) name += plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return name;
}

Result<std::vector<std::string>> write_report(const std::string& directory, const Recording& recording) {
  const std::string base = report_name(recording.scenario, recording.variant);
  auto pcap = pcap_view(recording);
  if (!pcap) return std::unexpected(std::move(pcap.error()));
  const std::array<std::pair<std::string_view, std::string>, 6> files = {{
      {"html", html_view(recording)},
      {"txt", text_view(recording)},
      {"jsonl", recording_to_json_lines(recording)},
      {"pcap", std::move(*pcap)},
      {"keys", key_log(recording)},
      {"failed.txt", failure_report(recording)},
  }};
  std::vector<std::string> endings;
  for (const auto& [ending, content] : files) {
    const std::string name = fmt::format("{}.{}", base, ending);
    if (!content.empty()) {
      auto written = write_report_file(directory, name, content);
      if (!written) return std::unexpected(std::move(written.error()));
      endings.emplace_back(ending);
      continue;
    }
    const std::filesystem::path left = std::filesystem::path(directory) / name;
    std::error_code error;
    std::filesystem::remove(left, error);
    if (error) return system_failure(left.string(), error.value());
  }
  return endings;
}

Result<void> write_recording_of_group(const std::string& directory, const Recording& recording) {
  const std::string base = report_name(recording.scenario, recording.variant);
  return write_report_file(directory, fmt::format("{}.seed={}.jsonl", base, recording.seed), recording_to_json_lines(recording));
}

Result<void> write_report_file(const std::string& directory, std::string_view name, std::string_view text) {
  const std::filesystem::path path = std::filesystem::path(directory) / name;
  if (auto made = make_folder(path.parent_path().string()); !made) return made;
  return write_text_file(path.string(), text);
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_failure(path, error.value());
  return {};
}

Result<void> check_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::absolute(path, error);
  if (error) return system_failure(path, error.value());
  // What is not there will be made, below what is.
  while (std::filesystem::symlink_status(there, error).type() == std::filesystem::file_type::not_found) {
    there = there.parent_path();
  }
  if (error && error != std::errc::no_such_file_or_directory) return system_failure(path, error.value());
  if (!std::filesystem::is_directory(there, error)) return system_failure(path, ENOTDIR);
  if (access(there.c_str(), W_OK | X_OK) != 0) return system_failure(path, errno);
  return {};
}

Result<std::string> read_text_file(const std::string& path, std::size_t octets_max) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return fail(Errc::invalid, path + ": a folder, not a file");
  // What never ends, or waits for a writer, would be read for ever.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return fail(Errc::invalid, path + ": no regular file");
  }
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (!file) return system_failure(path, errno);
  std::string text;
  char piece[64 * 1024];
  std::size_t got = 0;
  while ((got = std::fread(piece, 1, sizeof piece, file.get())) > 0) {
    text.append(piece, got);
    if (text.size() > octets_max) return fail(Errc::too_large, fmt::format("{}: more than {} octets", path, octets_max));
  }
  if (std::ferror(file.get())) return system_failure(path, errno);
  return text;
}

namespace {

Result<void> write_whole(const std::string& path, std::string_view text, const char* mode) {
  OpenFile file(std::fopen(path.c_str(), mode));
  if (!file) return system_failure(path, errno);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) return system_failure(path, errno);
  if (std::fclose(file.release()) != 0) return system_failure(path, errno);
  return {};
}

}  // namespace

Result<void> write_text_file(const std::string& path, std::string_view text) { return write_whole(path, text, "wb"); }

Result<void> create_text_file(const std::string& path, std::string_view text) { return write_whole(path, text, "wbx"); }

}  // namespace postproof::sim
