// Where the parts of a simulation write what they see.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "sim/recording/record.h"

namespace postproof::sim {

class Recorder {
 public:
  // `now` gives the virtual time.
  Recorder(Recording& recording, std::function<Duration()> now) : recording_(recording), now_(std::move(now)) {}

  template <class What>
  void add(What what) {
    if constexpr (std::is_same_v<What, record::Dial>) {
      connections_[{what.from, what.to}] = what.connection;
    }
    recording_.records.push_back(Record{now_(), std::move(what)});
  }

  // The newest connection between two endpoints: how peers and clients, which know streams only, name
  // theirs. 0: none was dialed.
  ConnectionId connection(const Endpoint& opener, const Endpoint& acceptor) const {
    const auto at = connections_.find({opener, acceptor});
    return at == connections_.end() ? 0 : at->second;
  }

  Recording& recording() { return recording_; }
  Duration now() const { return now_(); }

 private:
  Recording& recording_;
  std::function<Duration()> now_;
  std::map<std::pair<Endpoint, Endpoint>, ConnectionId> connections_;
};

}  // namespace postproof::sim
