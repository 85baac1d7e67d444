#include "sim/world/sim_file.h"

#include "mta/base/check.h"

namespace postproof::sim::world {

// Counts a call for as long as it is under way, and sees that the contract of File is kept.
class SimFile::InFlight {
 public:
  InFlight(SimFile& file, bool mutates) : file_(file), mutates_(mutates) {
    PP_CHECK(!mutates_ || !file_.mutating_, "two mutating operations on one File");
    if (mutates_) file_.mutating_ = true;
    ++file_.in_flight_;
  }
  ~InFlight() {
    if (mutates_) file_.mutating_ = false;
    --file_.in_flight_;
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  SimFile& file_;
  bool mutates_;
};

SimFile::~SimFile() { PP_CHECK(in_flight_ == 0, "a File was destroyed while a call was in flight"); }

std::optional<Errc> SimFile::refusal(bool mutates) const {
  if (poisoned_) return Errc::poisoned;
  if (mutates && mode_ == OpenMode::read) return Errc::permission;
  return std::nullopt;
}

Task<Result<std::size_t>> SimFile::read_at(std::uint64_t offset, std::span<char> into) {
  const InFlight in_flight(*this, false);
  DiskCall call(*disk_, life_, "read", path_, false);
  call.at(offset, into.size());
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const std::size_t size = node_->content().read(offset, into);
  if (const DiskFault* rotten = size > 0 ? disk_->strike(DiskTrouble::flip, call.subject()) : nullptr) {
    Random& random = disk_->randomness(disk_->rotten, "world.bit-rot");
    for (std::uint64_t i = 0; i < rotten->bits; ++i) {
      const std::uint64_t at = random.below(size);
      const std::uint64_t bit = random.below(8);
      into[at] = static_cast<char>(static_cast<unsigned char>(into[at]) ^ (1U << bit));
    }
  }
  call.end(std::nullopt);
  co_return size;
}

Task<Result<void>> SimFile::write_at(std::uint64_t offset, std::string_view octets) {
  const InFlight in_flight(*this, true);
  DiskCall call(*disk_, life_, "write", path_, true);
  call.at(offset, octets.size());
  if (const auto why = refusal(true)) {
    co_await turn(life_);
    co_return call.failed(*why);
  }
  if (const auto failure = co_await call.begin(disk_->write_cost)) {
    if (failure->written.value_or(0) > 0) {
      const auto part = disk_->image.write(*node_, offset, octets.substr(0, *failure->written));
      static_cast<void>(part);  // the write has failed either way
    }
    co_return call.failed(failure->error);
  }
  const auto done = disk_->image.write(*node_, offset, octets);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<void>> SimFile::allocate(std::uint64_t offset, std::uint64_t size) {
  const InFlight in_flight(*this, true);
  DiskCall call(*disk_, life_, "allocate", path_, true);
  call.at(offset, size);
  if (const auto why = refusal(true)) {
    co_await turn(life_);
    co_return call.failed(*why);
  }
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  const auto done = disk_->image.allocate(*node_, offset, size);
  call.end(done ? std::nullopt : std::optional(done.error()));
  if (!done) co_return call.failed(done.error());
  co_return Result<void>{};
}

Task<Result<void>> SimFile::sync() {
  const InFlight in_flight(*this, true);
  DiskCall call(*disk_, life_, "sync", path_, false);
  if (const auto why = refusal(false)) {
    co_await turn(life_);
    co_return call.failed(*why);
  }
  if (const auto failure = co_await call.begin(disk_->sync_cost)) {
    if (failure->error != Errc::closed) poisoned_ = true;
    co_return call.failed(failure->error);
  }
  node_->sync();
  call.end(std::nullopt);
  co_return Result<void>{};
}

Task<Result<std::uint64_t>> SimFile::size() {
  const InFlight in_flight(*this, false);
  DiskCall call(*disk_, life_, "size", path_, false);
  if (const auto why = refusal(false)) {
    co_await turn(life_);
    co_return call.failed(*why);
  }
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  call.end(std::nullopt);
  co_return node_->content().size();
}

Task<Result<void>> SimFile::truncate(std::uint64_t size) {
  const InFlight in_flight(*this, true);
  DiskCall call(*disk_, life_, "truncate", path_, true);
  call.at(size, 0);
  if (const auto why = refusal(true)) {
    co_await turn(life_);
    co_return call.failed(*why);
  }
  if (const auto failure = co_await call.begin(disk_->other_cost)) co_return call.failed(failure->error);
  node_->truncate(size);
  call.end(std::nullopt);
  co_return Result<void>{};
}

}  // namespace postproof::sim::world
