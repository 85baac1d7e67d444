// Files that are read again and again, kept open: the least recently used is closed first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mta/env/env.h"

namespace postproof::queue {

class FileCache {
 public:
  static constexpr std::size_t kOpenMax = 64;

  explicit FileCache(Env& env) : env_(env) {}

  // Open for reading. The caller keeps what it gets as long as its calls last.
  Task<Result<std::shared_ptr<File>>> get(std::string path);
  // A file that is open anyway.
  void put(std::string path, std::shared_ptr<File> file);
  // It is going away, or has another content under the same name.
  void drop(std::string_view path);

 private:
  Env& env_;
  std::list<std::pair<std::string, std::shared_ptr<File>>> files_;  // the last used one first
};

}  // namespace postproof::queue
