// The body of a message that is coming in: in memory as long as it is small, in a file of its own beyond.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mta/env/env.h"

namespace postproof::queue::journal {

class BodyWriter {
 public:
  BodyWriter(Env& env, std::string path) : env_(env), path_(std::move(path)) {}

  // True: keep() takes it, and nothing touches the disk.
  bool fits(std::size_t octets) const;
  void keep(std::string chunk);
  // On the Env's thread. After an error the body is worth nothing.
  Task<Result<void>> write(std::string chunk);
  // The file's content is durable; its name is when the folder is synced.
  Task<Result<void>> sync();

  bool in_file() const { return file_ != nullptr; }
  std::uint64_t size() const { return size_; }
  std::uint32_t crc() const { return crc_; }  // of a body in a file
  std::vector<std::string> take_pieces() { return std::move(pieces_); }
  // To be destroyed on the Env's thread.
  std::unique_ptr<File> take_file() { return std::move(file_); }

 private:
  Task<Result<void>> write_piece(std::string piece);

  Env& env_;
  std::string path_;
  std::vector<std::string> pieces_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t written_ = 0;
  std::uint32_t crc_ = 0;
};

}  // namespace postproof::queue::journal
