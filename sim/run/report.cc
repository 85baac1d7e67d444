#include "sim/run/report.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "mta/base/text.h"
#include "sim/recording/recording_file.h"

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
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("=,._-").find(c) != std::string_view::npos;
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
    for (const char c : variant) name += plain(c) ? c : '_';
  }
  return name;
}

Result<void> write_report(const std::string& directory, const Recording& recording, std::string_view failure) {
  const std::filesystem::path base = std::filesystem::path(directory) / report_name(recording.scenario, recording.variant);
  if (auto made = make_folder(base.parent_path().string()); !made) return made;
  if (auto written = write_text_file(base.string() + ".jsonl", recording_to_json_lines(recording)); !written) return written;
  const std::string text = base.string() + ".txt";
  if (!failure.empty()) return write_text_file(text, failure);
  std::error_code error;
  std::filesystem::remove(text, error);
  if (error) return system_failure(text, error.value());
  return {};
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_failure(path, error.value());
  return {};
}

Result<std::string> read_text_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return fail(Errc::invalid, path + ": a folder, not a file");
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (!file) return system_failure(path, errno);
  std::string text;
  char piece[64 * 1024];
  std::size_t got = 0;
  while ((got = std::fread(piece, 1, sizeof piece, file.get())) > 0) text.append(piece, got);
  if (std::ferror(file.get())) return system_failure(path, errno);
  return text;
}

Result<void> write_text_file(const std::string& path, std::string_view text) {
  OpenFile file(std::fopen(path.c_str(), "wb"));
  if (!file) return system_failure(path, errno);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) return system_failure(path, errno);
  if (std::fclose(file.release()) != 0) return system_failure(path, errno);
  return {};
}

}  // namespace postproof::sim
