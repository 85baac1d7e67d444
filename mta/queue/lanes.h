// Which site may open a lane next, and which leg a lane takes: bookkeeping of who waits and who works.
// No I/O, no clock.
//
// All lanes together are limited, and those that hang on dead sites must not use them up:
//  - the last quarter is for sites that have no lane yet;
//  - sites whose last attempt met trouble (no connection, no session) have at most half of all lanes;
//  - sites are served in turn, those without a lane first, and before that those with the most urgent message
//    (RFC 6710 section 5).
// A site's own limit shrinks to what it has taken when it refuses more, and grows again with success. Sites
// in trouble are remembered until their messages are due again.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/base/message_id.h"
#include "mta/route/site.h"

namespace postproof::queue {

struct LaneLimits {
  unsigned per_site = 20;
  unsigned all = 200;
};

class Lanes {
 public:
  // Even a site in trouble may have so many lanes.
  static constexpr unsigned kInTroubleMin = 5;
  // Sites in trouble that are remembered while nothing waits for a lane to them.
  static constexpr std::size_t kRememberedMax = 10'000;

  explicit Lanes(LaneLimits limits) : limits_(limits) {}

  using SitePointer = std::shared_ptr<const route::Site>;
  using Recipients = std::vector<std::size_t>;

  // Recipients of a message wait for a lane to this site; they join those of it that do already. `priority`: of the message;
  // a higher one is served first.
  void add(const SitePointer& site, MessageId message, const Recipients& recipients, int priority = 0);

  // A site that is to get a lane now, which counts from here on; call it until there is none.
  std::optional<SitePointer> open_next();
  // A lane's request: of the most urgent messages, the longest-waiting one's recipients. `first`: the lane has not asked before.
  std::optional<std::pair<MessageId, Recipients>> take(const std::string& site, bool first);
  // `asked`: it had asked for a leg at least once.
  void ended(const std::string& site, bool asked);

  // What came of an attempt at the site.
  void note_success(const std::string& site);
  void note_trouble(const std::string& site);

  bool idle() const { return lanes_ == 0 && waiting_ == 0; }
  unsigned lanes() const { return lanes_; }

 private:
  // A place in a class: the most urgent first, then by turn.
  struct Turn {
    int less_urgent = 0;  // its priority, negated
    std::uint64_t number = 0;
    auto operator<=>(const Turn&) const = default;
  };
  struct State {
    SitePointer site;
    std::map<int, std::deque<MessageId>, std::greater<>> order;  // by priority
    std::map<MessageId, Recipients> legs;
    unsigned lanes = 0;
    unsigned starting = 0;  // of them: have not asked for a leg yet
    unsigned limit = 0;
    unsigned successes = 0;  // since the limit last changed
    bool trouble = false;
    std::optional<std::pair<std::size_t, Turn>> turn;           // its class and place there
    std::optional<std::uint64_t> remembered;                    // its place among those that are only remembered
  };
  // Sites that want a lane, by class, each in turn.
  enum Class : std::size_t { none_yet, none_yet_trouble, some, some_trouble, kClasses };

  bool allowed(std::size_t klass) const;
  void place(const std::string& key, State& state);
  void retire_if_unused(const std::string& key);

  LaneLimits limits_;
  std::map<std::string, State> sites_;
  std::array<std::map<Turn, std::string>, kClasses> turns_;
  std::uint64_t next_turn_ = 0;
  std::map<std::uint64_t, std::string> remembered_;  // the one that has been so for longest first
  unsigned lanes_ = 0;
  unsigned trouble_lanes_ = 0;
  std::size_t waiting_ = 0;  // legs
};

}  // namespace postproof::queue
