// What the judge looks at: the recording read once, and put in order for expectations and invariants.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/judge/conversation.h"
#include "sim/judge/identity.h"
#include "sim/judge/report_reader.h"
#include "sim/judge/sight.h"
#include "sim/recording/record.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

// Until an outcome is durable it is ambiguous, and a crash so soon after it may do things twice: outcomes
// are synced within 20 ms that the program runs, and this leaves room for the disk's own costs.
inline constexpr Duration kAmbiguous = std::chrono::milliseconds{100};

// A message that a peer has kept.
struct Arrival {
  std::size_t record = 0;
  Duration at{};
  const record::PeerMessage* message = nullptr;
  std::string from;  // node that dialed; empty: not recorded
  bool from_mta = false;
  std::string_view protection = "none";  // of its octets on the wire: see Conversation
  std::size_t identity = 0;
  bool handed_over = false;      // some client has handed this content over
  std::optional<Report> report;  // a delivery report that no client has handed over
};

// A message that a client has handed over to an MTA, or has tried to.
struct Handover {
  std::size_t record = 0;
  Duration at{};
  const record::ClientMessage* message = nullptr;
  const MtaPart* mta = nullptr;  // null: it went elsewhere
  std::size_t identity = 0;
};

struct EventSeen {
  std::size_t record = 0;
  Duration at{};
  const record::MtaEvent* event = nullptr;
  std::string_view field(std::string_view key) const;  // empty when it has none of this name
};

struct QueuedRecipient {
  std::size_t record = 0;
  const record::QueueState* state = nullptr;
};

// Whether the side that opened a connection has read a reply. "maybe": something cut the connection in
// the moment of its arrival, or could have overtaken it.
enum class Seen : std::uint8_t { no, maybe, yes };

class Evidence {
 public:
  // Both outlive it.
  Evidence(const Scenario& scenario, const Recording& recording, Sight sight = Sight::everything);

  const Scenario& scenario() const { return scenario_; }
  const Recording& recording() const { return recording_; }
  Sight sight() const { return sight_; }

  const std::vector<Conversation>& conversations() const { return conversations_; }
  const Conversation* conversation(ConnectionId connection) const;
  const std::vector<Arrival>& arrivals() const { return arrivals_; }
  const std::vector<Handover>& handovers() const { return handovers_; }
  const std::vector<EventSeen>& events() const { return events_; }
  // The number of a message's content; see Identities.
  std::size_t identity(std::string_view content) { return identities_.of(content); }

  bool is_mta(std::string_view node) const;
  const MtaPart* mta(std::string_view node) const;

  Seen seen(const Conversation& conversation, const std::optional<std::size_t>& reply) const;
  // No life of the node's program had begun by then and not ended.
  bool is_down(std::string_view node, Duration at) const;
  // The MTA crashed, or the recording ended, before it had run for kAmbiguous from `at` on; or a disk that fails has kept
  // it from writing down what it knew.
  bool may_be_forgotten(std::string_view node, Duration at) const;
  // A fault may have changed or dropped what this node's disk had told to be durable: nothing that it holds is certain.
  bool disk_lies(std::string_view node) const { return disks_.contains(node); }
  // What a disk of an MTA had said to be durable is gone, by a fault that no program can prevent: then what was
  // acknowledged may be lost, or done twice. Bit rot excuses that only if the MTA has told of trouble since it
  // struck; names that were not durable are gone without a trace, once there was a crash.
  bool disk_betrayed() const;
  // The run was stopped so hard that nobody could look into the queues any more.
  bool queues_unseen() const;

  // What MTAs held at a moment at which the runner looked; none: at the end. Those that were down too: their disks
  // were read.
  std::vector<QueuedRecipient> queue(const std::optional<Duration>& at) const;

  const record::End* end() const { return end_; }
  Duration ended_at() const { return ended_at_; }

  // Indexes of the records that a reader wants to see around one: its connection's neighbours, the fault
  // that struck last before it.
  std::vector<std::size_t> around(std::size_t record) const;

 private:
  // From a start of a node's program to its end.
  struct Life {
    Duration begin{};
    std::optional<Duration> end;
    std::size_t end_record = 0;
    bool crashed = false;
    bool disk_failed = false;  // at least one operation that changes the disk
  };

  struct Pauses {
    std::vector<std::pair<Duration, std::optional<Duration>>> list;  // begin and end, in their order
    unsigned under_way = 0;
  };

  // How long the node's program was not paused between the two.
  Duration time_running(std::string_view node, Duration from, Duration to) const;

  void take(std::size_t index, const Record& record);
  void judge_origin();

  const Scenario& scenario_;
  const Recording& recording_;
  Sight sight_;
  std::vector<Conversation> conversations_;
  Identities identities_;
  std::vector<Arrival> arrivals_;
  std::vector<Handover> handovers_;
  std::vector<EventSeen> events_;
  void take(const record::NodeState& state, std::size_t index, Duration at);
  Life& life(std::string_view node);

  void take(const record::Fault& fault);
  // What the faults of a node's disk have done, and what became of it.
  struct Disk {
    bool rotten = false, told = false;      // told: of trouble since
    bool forgetful = false, found = false;  // found: a crash has shown it
  };

  std::map<std::string, Disk, std::less<>> disks_;  // that lie
  std::map<std::string, std::vector<Life>, std::less<>> lives_;
  std::map<std::string, Pauses, std::less<>> pauses_;
  std::vector<std::size_t> faults_;
  const record::End* end_ = nullptr;
  Duration ended_at_{};
};

// The MTA's name for itself: its configuration's, else the first of its host's.
std::string hostname_of(const MtaPart& mta);

// Both lists in order, none twice.
void add_records(std::vector<std::size_t>& to, const std::vector<std::size_t>& more);

}  // namespace postproof::sim
