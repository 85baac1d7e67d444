#include "mta/queue/file_cache.h"

#include <algorithm>

namespace postproof::queue {

Task<Result<std::shared_ptr<File>>> FileCache::get(std::string path) {
  const auto at = std::find_if(files_.begin(), files_.end(), [&](const auto& entry) { return entry.first == path; });
  if (at != files_.end()) {
    files_.splice(files_.begin(), files_, at);
    co_return files_.front().second;
  }
  auto opened = co_await env_.disk.open(path, OpenMode::read);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  std::shared_ptr<File> file = std::move(*opened);
  put(std::move(path), file);
  co_return file;
}

void FileCache::put(std::string path, std::shared_ptr<File> file) {
  drop(path);
  files_.emplace_front(std::move(path), std::move(file));
  if (files_.size() > kOpenMax) files_.pop_back();
}

void FileCache::drop(std::string_view path) {
  std::erase_if(files_, [&](const auto& entry) { return entry.first == path; });
}

}  // namespace postproof::queue
