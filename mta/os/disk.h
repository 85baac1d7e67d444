// Files and directories of the operating system: each call runs on a worker thread.
#pragma once

#include "mta/env/disk.h"
#include "mta/os/core.h"

namespace postproof::os {

class OsDisk final : public Disk {
 public:
  explicit OsDisk(Core& core) : core_(core) {}

  Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) override;
  Task<Result<void>> rename(std::string from, std::string to) override;
  Task<Result<void>> link(std::string from, std::string to) override;
  Task<Result<void>> unlink(std::string path) override;
  Task<Result<void>> mkdir(std::string path) override;
  Task<Result<std::vector<std::string>>> list(std::string directory) override;
  Task<Result<void>> sync_dir(std::string directory) override;
  Task<Result<std::uint64_t>> free_bytes(std::string path) override;
  Task<Result<std::unique_ptr<DiskLock>>> lock(std::string path) override;
  Task<Result<bool>> is_locked(std::string path) override;

 private:
  Core& core_;
};

}  // namespace postproof::os
