// A world of two hosts, in which a simulated server and a simulated client talk to each other: client
// (192.0.2.1) and mx1 (192.0.2.2).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/peer/client.h"
#include "sim/peer/peer.h"
#include "sim/recording/record.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace postproof::sim {

class Lab {
 public:
  Lab();

  PeerSettings settings;  // of the server; complete, to be changed before it is started
  Endpoint server{*IpAddress::parse("192.0.2.2"), 25};

  // What mx1 runs.
  void serve(std::vector<Rule> rules = {});
  void serve_script(std::string script);
  // What client runs: submissions one after the other, each not before its time; or one dialogue.
  void submit(std::vector<std::pair<Duration, Submit>> messages);
  void talk(std::string script);

  // Until nothing can happen any more.
  World::Stopped run();

  template <class What>
  std::vector<What> all() const {
    std::vector<What> found;
    for (const Record& record : recording.records) {
      if (const auto* what = std::get_if<What>(&record.what)) found.push_back(*what);
    }
    return found;
  }
  // When the nth (from 0) record of its kind was made.
  template <class What>
  Duration time_of(std::size_t nth = 0) const {
    for (const Record& record : recording.records) {
      if (std::holds_alternative<What>(record.what) && nth-- == 0) return record.at;
    }
    return Duration{-1};
  }
  // What the server and the client have sent over all connections.
  std::string sent(Side side) const;
  // The failed steps, one a line; empty is what a dialogue should leave.
  std::string script_failures() const;

  Recording recording;
  World world;
  Node& mx1;
  Node& client;
  Peer* peer = nullptr;  // while it lives
  ScriptPeer* script_peer = nullptr;
  bool served = false;  // the server's run() has returned
  std::string serve_error;
};

// A rule in few words.
Rule rule(std::string on, std::string reply);
Submit message(std::vector<std::string> rcpt = {"b@dest.example"}, std::string data = "Subject: x\n\nbody\n");

}  // namespace postproof::sim
