#include "sim/world/sim_disk.h"

#include <algorithm>
#include <utility>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "sim/world/host.h"
#include "sim/world/sim_disk_impl.h"

namespace postproof::sim {

SimDisk::SimDisk(Node& node) : impl_(std::make_shared<Impl>(node)) {}
SimDisk::~SimDisk() = default;

std::uint64_t SimDisk::add_fault(DiskFault fault) {
  impl_->faults.push_back({++impl_->last_fault, std::move(fault)});
  return impl_->last_fault;
}

void SimDisk::remove_fault(std::uint64_t id) {
  std::erase_if(impl_->faults, [id](const Impl::FaultSetting& setting) { return setting.id == id; });
}

void SimDisk::set_capacity(std::optional<std::uint64_t> bytes) { impl_->image.capacity = bytes; }
void SimDisk::set_crash_loss(CrashLoss loss) { impl_->crash_loss = loss; }

void SimDisk::set_costs(Duration write, Duration sync, Duration other) {
  impl_->write_cost = write;
  impl_->sync_cost = sync;
  impl_->other_cost = other;
}

std::uint64_t SimDisk::operations() const { return impl_->operations; }

void SimDisk::on_operation(std::function<void(std::uint64_t, std::string_view, std::string_view)> hook) {
  impl_->hook = std::move(hook);
}

std::optional<std::string> SimDisk::content(std::string_view path) const {
  const auto file = impl_->image.find_file(path);
  if (!file) return std::nullopt;
  return file->content().all();
}

void SimDisk::put(std::string_view path, std::string content) { impl_->image.put(path, content); }

void SimDisk::flip(std::string_view path, std::uint64_t offset) {
  const auto file = impl_->image.find_file(path);
  PP_CHECK(file != nullptr, "a bit is to be inverted in a file that is not there");
  file->flip(offset, 0);
}

std::vector<std::string> SimDisk::rot(std::string_view pattern, std::optional<std::uint64_t> offset,
                                      std::uint64_t bits) {
  Random& random = impl_->randomness(impl_->rotten, "world.bit-rot");
  std::vector<std::string> told;
  for (const std::string& path : impl_->image.files()) {
    if (!glob_match(pattern, path)) continue;
    const auto file = impl_->image.find_file(path);
    const std::uint64_t written = file->written();
    for (std::uint64_t i = 0; i < bits; ++i) {
      if (offset ? *offset >= file->content().size() : written == 0) break;
      const std::uint64_t at = offset ? *offset : file->nth_written(random.below(written));
      file->flip(at, static_cast<unsigned>(random.below(8)));
      told.push_back(path + ", octet " + std::to_string(at));
    }
  }
  return told;
}

void SimDisk::make_directories(std::string_view path) { impl_->image.make_directories(path); }
std::vector<std::string> SimDisk::files() const { return impl_->image.files(); }

std::unique_ptr<Disk> SimDisk::open_ports(world::Life& life) { return std::make_unique<world::DiskPort>(impl_, life); }

void SimDisk::crash() {
  impl_->image.crash(impl_->crash_loss, impl_->randomness(impl_->torn, "world.torn-writes"));
}

const DiskFault* SimDisk::Impl::strike(DiskTrouble trouble, const Subject& subject) {
  for (FaultSetting& setting : faults) {
    DiskFault& fault = setting.fault;
    if (fault.trouble != trouble) continue;
    const bool of_kind = fault.operation == "*" || (fault.operation == "change" ? subject.changes
                                                                               : fault.operation == subject.operation);
    if (!of_kind) continue;
    if (!glob_match(fault.path, subject.path) &&
        (subject.second_path.empty() || !glob_match(fault.path, subject.second_path))) {
      continue;
    }
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    if (fault.count) {
      if (*fault.count == 0) continue;
      --*fault.count;
    }
    if (fault.on_strike) fault.on_strike(subject.operation, subject.path);
    return &fault;
  }
  return nullptr;
}

std::optional<SimDisk::Impl::Failure> SimDisk::Impl::failure_of(const Subject& subject) {
  const DiskFault* fault = strike(DiskTrouble::fail, subject);
  if (fault == nullptr) return std::nullopt;
  Failure failure{fault->error, std::nullopt};
  if (fault->partial) failure.written = std::min(fault->octets.value_or(subject.size / 2), subject.size);
  return failure;
}

Random& SimDisk::Impl::randomness(std::unique_ptr<Random>& stream, std::string_view name) const {
  const world::Host& host = node.host();
  if (!stream) stream = world::SimEntropy(host.core.settings.seed, host.name, 0).stream(name);
  return *stream;
}

}  // namespace postproof::sim
