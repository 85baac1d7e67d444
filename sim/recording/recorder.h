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
    octets_ += sizeof(Record) + content_of(what);
    recording_.records.push_back(Record{now_(), std::move(what)});
  }

  // The newest connection between two endpoints: how peers and clients, which know streams only, name
  // theirs. 0: none was dialed.
  ConnectionId connection(const Endpoint& opener, const Endpoint& acceptor) const {
    const auto at = connections_.find({opener, acceptor});
    return at == connections_.end() ? 0 : at->second;
  }

  // What has been added takes so much memory, short texts aside.
  std::uint64_t octets() const { return octets_; }

  Recording& recording() { return recording_; }
  Duration now() const { return now_(); }

 private:
  // Of what has no bound of its own.
  template <class What>
  static std::uint64_t content_of(const What& what) {
    if constexpr (requires { what.octets.size(); }) return what.octets.size();
    if constexpr (requires { what.content.size(); }) return what.content.size();
    if constexpr (requires { what.fields.size(); }) return what.fields.size() * sizeof(what.fields[0]);
    return 0;
  }

  Recording& recording_;
  std::uint64_t octets_ = 0;
  std::function<Duration()> now_;
  std::map<std::pair<Endpoint, Endpoint>, ConnectionId> connections_;
};

}  // namespace postproof::sim
