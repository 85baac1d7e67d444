// The disk as one life of a node sees it: each call waits its cost, is counted, may be failed by a fault
// or ended by a crash, has its effect on the image, and is recorded.
#include <fmt/format.h>

#include "mta/base/check.h"
#include "sim/world/host.h"
#include "sim/world/sim_disk_impl.h"
#include "sim/world/sim_file.h"

namespace postproof::sim::world {

namespace {

class SimLock final : public DiskLock {
 public:
  SimLock(std::shared_ptr<SimDisk::Impl> disk, Life& life, std::string path, std::uint64_t lock)
      : disk_(std::move(disk)), life_(life), descriptor_(life), path_(std::move(path)), lock_(lock) {}
  // A crash has released it already; by then the path may be another's.
  ~SimLock() override {
    if (!life_.dead()) disk_->image.unlock(path_, lock_);
  }

 private:
  std::shared_ptr<SimDisk::Impl> disk_;
  Life& life_;
  const Life::Descriptor descriptor_;
  std::string path_;
  std::uint64_t lock_;
};

}  // namespace

// --- One call ---

DiskCall::DiskCall(SimDisk::Impl& disk, Life& life, std::string_view operation, std::string path, bool changes,
                   std::string second_path)
    : disk_(disk),
      life_(life),
      operation_(operation),
      path_(std::move(path)),
      second_path_(std::move(second_path)),
      changes_(changes) {}

Task<std::optional<SimDisk::Impl::Failure>> DiskCall::begin(Duration cost) {
  if (const DiskFault* slow = disk_.strike(DiskTrouble::slow, subject())) cost += slow->delay;
  const bool alive = co_await pause(life_, cost);
  if (!alive) co_return SimDisk::Impl::Failure{Errc::closed};
  number_ = ++disk_.operations;
  if (disk_.hook) disk_.hook(number_, operation_, path_);
  if (life_.gone()) {
    end(Errc::closed);
    co_return SimDisk::Impl::Failure{Errc::closed};
  }
  const auto failure = disk_.failure_of(subject());
  if (failure) end(failure->error);
  co_return failure;
}

void DiskCall::end(std::optional<Errc> error) {
  Host& host = life_.host();
  host.add(record::DiskOperation{host.name, number_, std::string(operation_),
                                      second_path_.empty() ? path_ : path_ + " -> " + second_path_, offset_, size_,
                                      std::string(error ? to_string(*error) : "ok")});
}

std::unexpected<Error> DiskCall::failed(Errc why) const {
  if (second_path_.empty()) return fail(why, fmt::format("{} {}: {}", operation_, path_, to_string(why)));
  return fail(why, fmt::format("{} {} to {}: {}", operation_, path_, second_path_, to_string(why)));
}

// --- The port ---

Task<Result<std::unique_ptr<File>>> DiskPort::open(std::string path, OpenMode mode) {
  DiskCall call(*disk_, life_, "open", path, mode != OpenMode::read);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  if (life_.out_of_descriptors()) {
    call.end(Errc::io);
    co_return fail(Errc::io, fmt::format("open {}: too many open files", path));
  }
  auto file = disk_->image.open(path, mode);
  call.end(file ? std::nullopt : std::optional(file.error()));
  if (!file) co_return call.failed(file.error());
  co_return std::make_unique<SimFile>(disk_, life_, std::move(path), mode, std::move(*file));
}

Task<Result<void>> DiskPort::rename(std::string from, std::string to) {
  DiskCall call(*disk_, life_, "rename", from, true, to);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const auto done = disk_->image.rename(from, to);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<void>> DiskPort::link(std::string from, std::string to) {
  DiskCall call(*disk_, life_, "link", from, true, to);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const auto done = disk_->image.link(from, to);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<void>> DiskPort::unlink(std::string path) {
  DiskCall call(*disk_, life_, "unlink", path, true);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const auto done = disk_->image.unlink(path);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<void>> DiskPort::mkdir(std::string path) {
  DiskCall call(*disk_, life_, "mkdir", path, true);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const auto done = disk_->image.mkdir(path);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<std::vector<std::string>>> DiskPort::list(std::string directory) {
  DiskCall call(*disk_, life_, "list", directory, false);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  auto names = disk_->image.list(directory);
  call.end(names ? std::nullopt : std::optional(names.error()));
  if (!names) co_return call.failed(names.error());
  co_return std::move(*names);
}

Task<Result<void>> DiskPort::sync_dir(std::string directory) {
  DiskCall call(*disk_, life_, "sync_dir", directory, false);
  if (const auto failure = co_await call.begin(disk_->sync_cost)) co_return call.failed(failure->error);
  if (disk_->strike(DiskTrouble::forget, call.subject()) != nullptr) {
    call.end(std::nullopt);
    co_return Result<void>{};
  }
  const auto done = disk_->image.sync_dir(directory);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<std::uint64_t>> DiskPort::free_bytes(std::string path) {
  DiskCall call(*disk_, life_, "free_bytes", path, false);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  call.end(std::nullopt);
  co_return disk_->image.free_bytes();
}

Task<Result<std::unique_ptr<DiskLock>>> DiskPort::lock(std::string path) {
  DiskCall call(*disk_, life_, "lock", path, true);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  if (life_.out_of_descriptors()) {
    call.end(Errc::io);
    co_return fail(Errc::io, fmt::format("lock {}: too many open files", path));
  }
  const auto lock = disk_->image.lock(path);
  call.end(lock ? std::nullopt : std::optional(lock.error()));
  if (!lock) co_return call.failed(lock.error());
  co_return std::make_unique<SimLock>(disk_, life_, std::move(path), *lock);
}

Task<Result<bool>> DiskPort::is_locked(std::string path) {
  DiskCall call(*disk_, life_, "is_locked", path, false);
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  call.end(std::nullopt);
  co_return disk_->image.is_locked(path);
}

}  // namespace postproof::sim::world
