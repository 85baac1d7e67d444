// An open file of one life of a node.
#pragma once

#include <memory>
#include <string>

#include "mta/env/disk.h"
#include "sim/world/sim_disk_impl.h"

namespace postproof::sim::world {

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimDisk::Impl> disk, Life& life, std::string path, OpenMode mode,
          std::shared_ptr<FileNode> node)
      : disk_(std::move(disk)), life_(life), descriptor_(life), path_(std::move(path)), mode_(mode), node_(std::move(node)) {}
  ~SimFile() override;

  Task<Result<std::size_t>> read_at(std::uint64_t offset, std::span<char> into) override;
  Task<Result<void>> write_at(std::uint64_t offset, std::string_view octets) override;
  Task<Result<void>> allocate(std::uint64_t offset, std::uint64_t size) override;
  Task<Result<void>> sync() override;
  Task<Result<std::uint64_t>> size() override;
  Task<Result<void>> truncate(std::uint64_t size) override;

 private:
  class InFlight;
  // Why no mutating operation may even begin: a file opened to read only, an earlier sync that failed.
  std::optional<Errc> refusal(bool mutates) const;

  std::shared_ptr<SimDisk::Impl> disk_;
  Life& life_;
  const Life::Descriptor descriptor_;
  const std::string path_;
  const OpenMode mode_;
  std::shared_ptr<FileNode> node_;
  bool poisoned_ = false;
  bool mutating_ = false;
  std::size_t in_flight_ = 0;
};

}  // namespace postproof::sim::world
