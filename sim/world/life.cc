#include "sim/world/life.h"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mta/base/event_text.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"
#include "sim/world/node_executor.h"

namespace postproof::sim::world {

namespace asio = boost::asio;

Life::Life(Host& host, std::uint64_t number)
    : host_(host),
      loop_(host.core.loop),
      clock_(*this),
      network_(*this),
      disk_(host.disk.open_ports(*this)),
      entropy_(host.core.settings.seed, host.name, number),
      tls_(*this),
      work_(*this),
      env_{NodeExecutor(*this), clock_, network_, *disk_, entropy_, *this, tls_, work_} {}

bool Life::end() {
  dead_ = true;
  unwinding_ = true;
  take_jobs();
  host_.core.network->impl().end_life(*this);
  clock_.end();
  return unwind();
}

// Behind those that wait already: they are older.
void Life::take_jobs() {
  Ring<Job> taken = loop_.take_jobs(*this);
  while (!taken.empty()) own_queue_.push(taken.pop());
}

void Life::pause(bool paused) {
  if (std::exchange(paused_, paused) == paused) return;
  if (paused) return take_jobs();
  while (!own_queue_.empty()) loop_.post(*this, own_queue_.pop());
}

bool Life::out_of_descriptors() const {
  const bool out = host_.descriptors_max && *descriptors_ >= *host_.descriptors_max;
  if (out && host_.on_no_descriptor) host_.on_no_descriptor();
  return out;
}

bool Life::unwind() {
  const RecycledMemory recycled(loop_.memory());
  auto& records = host_.core.recorder.recording().records;
  const std::size_t recorded = records.size();
  for (std::uint64_t turns = 0; turns < kUnwindTurnsMax && !own_queue_.empty(); ++turns) {
    Job job = own_queue_.pop();
    loop_.run(job);
  }
  unwinding_ = !own_queue_.empty();
  // What the node's code told the recording on its own, without an event, did not happen.
  records.erase(records.begin() + static_cast<std::ptrdiff_t>(recorded), records.end());
  return !unwinding_ && !running;
}

Life::~Life() {
  // To destroy what runs in circles would tear parents away from under their children. The run has failed
  // by then; the memory is given up.
  if (unwinding_) static_cast<void>(new Ring<Job>(std::move(own_queue_)));
}

void Life::emit(const Event& event) {
  if (gone()) return;
  host_.core.recorder.add(record::MtaEvent{host_.name, std::string(event_name(event)), event_fields(event)});
  if (host_.observer) host_.observer(event);
}

Task<void> turn(Life& life) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [&life](auto handler) { life.post([handler = std::move(handler)]() mutable { std::move(handler)(); }); },
      asio::use_awaitable);
}

Task<bool> pause(Life& life, Duration cost) {
  const MonoTime when = life.clock().mono() + cost;
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
      [&life, when](auto handler) {
        life.clock().call_at(when, [handler = std::move(handler)](bool alive) mutable { std::move(handler)(alive); });
      },
      asio::use_awaitable);
}

}  // namespace postproof::sim::world
