// The world as the MTA sees it. Everything outside the process is reached through here and no other way:
// no clock, socket, file, random number or thread elsewhere in mta/ (mta/os apart) or in sim/.
//
// An Env belongs to one thread: the one that runs its executor. All its ports are called there, and all
// their completions arrive there. It outlives everything that was built on it.
#pragma once

#include "mta/base/event.h"
#include "mta/env/clock.h"
#include "mta/env/disk.h"
#include "mta/env/network.h"
#include "mta/env/random.h"
#include "mta/env/task.h"
#include "mta/env/tls_port.h"
#include "mta/env/work.h"

namespace postproof {

// Takes events as they happen. May be shared by several Envs: it is safe to call from each of their threads.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(const Event& event) = 0;
};

struct Env {
  Executor executor;
  Clock& clock;
  Network& network;
  Disk& disk;
  Entropy& entropy;
  EventSink& events;
  TlsPort& tls;
  Work& work;
};

}  // namespace postproof
