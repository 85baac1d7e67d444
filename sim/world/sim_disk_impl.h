// The inside of a SimDisk, for the ports of its lives.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/disk_image.h"
#include "sim/world/life.h"
#include "sim/world/sim_disk.h"

namespace postproof::sim {

struct SimDisk::Impl {
  explicit Impl(Node& of_the_disk) : node(of_the_disk) {}

  struct Failure {
    Errc error;
    std::optional<std::uint64_t> written{};  // of a write of so many octets: these are written all the same
  };
  // An operation that a fault may be about.
  struct Subject {
    std::string_view operation, path, second_path;
    bool changes = false;  // a read-only disk refuses it
    std::uint64_t size = 0;
  };
  // The fault of this kind that strikes it, if any; counts it against the faults. Valid until they change.
  const DiskFault* strike(DiskTrouble trouble, const Subject& subject);
  std::optional<Failure> failure_of(const Subject& subject);
  Random& randomness(std::unique_ptr<Random>& stream, std::string_view name) const;

  struct FaultSetting {
    std::uint64_t id;
    DiskFault fault;
  };

  Node& node;
  world::DiskImage image;
  CrashLoss crash_loss = CrashLoss::lose_all;
  Duration write_cost = std::chrono::microseconds{20};
  Duration sync_cost = std::chrono::milliseconds{1};
  Duration other_cost = std::chrono::microseconds{10};
  std::vector<FaultSetting> faults;
  std::uint64_t last_fault = 0;
  std::uint64_t operations = 0;
  std::function<void(std::uint64_t, std::string_view, std::string_view)> hook;
  std::unique_ptr<Random> torn, rotten;  // made at the first crash, at the first bit that is inverted
};

namespace world {

// One call of a port, from its begin to its record.
class DiskCall {
 public:
  // `changes`: a read-only disk refuses it.
  DiskCall(SimDisk::Impl& disk, Life& life, std::string_view operation, std::string path, bool changes,
           std::string second_path = {});
  DiskCall(const DiskCall&) = delete;
  DiskCall& operator=(const DiskCall&) = delete;

  void at(std::uint64_t offset, std::uint64_t size) {
    offset_ = offset;
    size_ = size;
  }
  // Waits the cost, counts, asks the hook and the faults. None: the operation is to have its effect, and
  // end() is to be called with what became of it. Otherwise it has failed, which is recorded already.
  Task<std::optional<SimDisk::Impl::Failure>> begin(Duration cost);
  void end(std::optional<Errc> error);
  SimDisk::Impl::Subject subject() const { return {operation_, path_, second_path_, changes_, size_}; }
  // The error as the caller gets it: "rename a to b: no such file".
  std::unexpected<Error> failed(Errc why) const;

 private:
  SimDisk::Impl& disk_;
  Life& life_;
  std::string_view operation_;
  std::string path_, second_path_;
  bool changes_;
  std::uint64_t number_ = 0;
  std::uint64_t offset_ = 0, size_ = 0;
};

class DiskPort final : public Disk {
 public:
  DiskPort(std::shared_ptr<SimDisk::Impl> disk, Life& life) : disk_(std::move(disk)), life_(life) {}

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
  std::shared_ptr<SimDisk::Impl> disk_;
  Life& life_;
};

}  // namespace world

}  // namespace postproof::sim
