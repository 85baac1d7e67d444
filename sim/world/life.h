// One life of a node: from its start (or its first use) to its crash or the next start. It holds the
// ports that the node's program sees; after its end they answer Errc::closed and have no effect.
#pragma once

#include <cstdint>
#include <memory>

#include "mta/env/env.h"
#include "sim/world/loop.h"
#include "sim/world/network_port.h"
#include "sim/world/sim_clock.h"
#include "sim/world/sim_random.h"
#include "sim/world/sim_tls.h"
#include "sim/world/sim_work.h"

namespace postproof::sim::world {

struct Host;

class Life final : public EventSink {
 public:
  // One descriptor of the process, for as long as it lives: a test's may outlive the world.
  class Descriptor {
   public:
    explicit Descriptor(Life& life) : open_(life.descriptors_) { ++*open_; }
    ~Descriptor() { --*open_; }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

   private:
    std::shared_ptr<std::uint64_t> open_;
  };

  Life(Host& host, std::uint64_t number);
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() override;

  Host& host() { return host_; }
  Loop& loop() { return loop_; }
  Env& env() { return env_; }
  SimClock& clock() { return clock_; }
  NetworkPort& network() { return network_; }

  // No effect of this life reaches the world any more: it has ended, or is about to when this event ends.
  bool gone() const { return dead_ || doomed_; }
  bool dead() const { return dead_; }
  bool unwinding() const { return unwinding_; }  // dead, and what it was doing has not ended
  void doom() { doomed_ = true; }

  // Runs a job on the node's queue, never inline.
  void post(Job job) {
    if (unwinding_ || paused_) {
      own_queue_.push(std::move(job));
    } else {
      loop_.post(*this, std::move(job));
    }
  }

  // The life is over, now: its ports end what is pending. Runs what that sets off, up to
  // kUnwindTurnsMax jobs; false when there was more, or when the program waits for something else still.
  bool end();
  bool unwind();  // goes on where end() gave up

  // While paused, jobs wait, those that the loop has already too.
  void pause(bool paused);
  bool paused() const { return paused_ && !dead_; }

  // Sockets and files that are open.
  std::uint64_t descriptors() const { return *descriptors_; }
  // No more may be opened: whoever asks refuses to.
  bool out_of_descriptors() const;

  // The program has been started in this life; it has ended when `running` is false again.
  bool started = false;
  bool running = false;

  void emit(const Event& event) override;

 private:
  void take_jobs();

  Host& host_;
  Loop& loop_;
  bool dead_ = false;
  bool doomed_ = false;
  bool unwinding_ = false;
  bool paused_ = false;
  std::shared_ptr<std::uint64_t> descriptors_ = std::make_shared<std::uint64_t>(0);
  Ring<Job> own_queue_;  // that no loop has: while paused or unwinding
  SimClock clock_;
  NetworkPort network_;
  std::unique_ptr<Disk> disk_;
  SimEntropy entropy_;
  SimTls tls_;
  SimWork work_;
  Env env_;
};

// How many jobs the end of a life may take. A program that answers Errc::closed by trying again and
// again would take them without end; an orderly one takes a few for each coroutine and port call.
inline constexpr std::uint64_t kUnwindTurnsMax = 1'000'000;

// Once through the node's queue: what a port call does that has nothing to wait for.
Task<void> turn(Life& life);

// Waits for some virtual time, the cost of a port call. False: the life has ended meanwhile, and the call
// has no effect.
Task<bool> pause(Life& life, Duration cost);

}  // namespace postproof::sim::world
