// Faults around a Behaviour: each sees every event first, and asks what is below it. Those of a peer's own keys stand
// all the time and share their memory with the peers that are like it; those of an [[at]] come and go.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/peer/behaviour.h"
#include "sim/scenario/peer_fault.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

class Decorator {
 public:
  virtual ~Decorator() = default;
  // What to do instead of, or on top of, what `inner` says of the same event.
  virtual std::optional<Action> on(const PeerEvent& event, Behaviour& inner) = 0;
};

// `start` is the clock's time 0 of the run.
std::unique_ptr<Decorator> decorator_of(const PeerFault& fault, MonoTime start);

class DecoratedBehaviour final : public Behaviour {
 public:
  // `inner` may be null: nothing special.
  explicit DecoratedBehaviour(std::shared_ptr<Behaviour> inner) : inner_(std::move(inner)) {}

  // The newest stands outermost. `id` is the caller's.
  void add(std::uint64_t id, std::unique_ptr<Decorator> decorator);
  void remove(std::uint64_t id);

  std::optional<Action> on(const PeerEvent& event) override;

 private:
  class Below;  // what is below one of the decorators
  std::optional<Action> ask(std::size_t depth, const PeerEvent& event);

  std::shared_ptr<Behaviour> inner_;
  std::vector<std::pair<std::uint64_t, std::unique_ptr<Decorator>>> decorators_;  // the outermost last
};

// What the peers of one scenario do by their rules and standing faults: one for all that are like each other, and what
// these have seen.
class StandingBehaviours {
 public:
  // Null: nothing special. `start` is the clock's time 0 of the run.
  std::shared_ptr<Behaviour> of(const PeerPart& part, MonoTime start);

 private:
  std::map<std::string, std::shared_ptr<Behaviour>> by_peer_;  // the one that others are like
};

}  // namespace postproof::sim
