// A connection between two hosts: what is under way in each direction, what has arrived and was not read
// yet, and how it begins and ends. No coroutines here: sim_stream.h makes a Stream of one side.
//
// SYN, its answer, octets, FIN and RST all travel in one line a direction, one latency each, so none
// overtakes another; RST drops what had arrived and was not read. A line that is held (a partition, a
// black hole) keeps everything that is on it until it is let go. Where a way has a bandwidth, or holds
// octets, they and FIN wait at the sender first, cut into packets, and are recorded as sent when they leave.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/env/wakeup.h"
#include "sim/recording/record.h"
#include "sim/world/core.h"
#include "sim/world/life.h"
#include "sim/world/way.h"

namespace postproof::sim {
enum class Cut : std::uint8_t;
struct Crossing;
}  // namespace postproof::sim

namespace postproof::sim::world {

class ListenerState;

// Octets that may be under way or unread in one direction; the reader opens the window as it reads.
inline constexpr std::size_t kWindow = 64 * 1024;

inline Side other(Side side) { return side == Side::opener ? Side::acceptor : Side::opener; }

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Core& core, ConnectionId id, Life& opener, Endpoint from, Host* to_host, Endpoint to);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Phase : std::uint8_t { dialing, established, refused, over };

  ConnectionId id() const { return id_; }
  Phase phase() const { return phase_; }
  Errc refusal() const { return refusal_; }  // of Phase::refused
  const Endpoint& endpoint(Side side) const { return end(side).local; }
  Host* host(Side side) const { return end(side).host; }
  Life* life(Side side) const { return end(side).life; }

  // The opener sends its SYN.
  void dial();
  // The opener no longer waits for an answer: "timed out", "closed".
  void abandon(std::string_view reason);
  // The acceptor's host looks at a SYN: at its arrival, and again when its listener has room.
  void syn_arrives();
  // Answers a SYN that waited for room at a listener that is closed now.
  void refuse(Errc why);

  // --- One side's calls (its life is not gone) ---

  // Why a read or write cannot go on now: closed or reset by us, reset by the peer.
  std::optional<Errc> read_error(Side side) const;
  std::optional<Errc> write_error(Side side) const;
  bool has_arrived(Side side) const { return !end(side).arrived.empty(); }
  bool at_end(Side side) const { return end(side).arrived.empty() && end(side).fin_arrived; }
  // At most one segment; opens the window by as much.
  std::size_t read(Side side, std::span<char> into);
  // As many of the octets as the window takes; the rest has to wait for window_opens().
  std::size_t write(Side side, std::string_view octets);
  void begin_write(Side side);
  // The next `octets` that this side sends carry what that Plain record tells: it arrives with the last of them.
  void carry_plain(Side side, std::size_t record, std::size_t octets);
  void end_write(Side side);
  void shutdown_send(Side side);
  void reset(Side side);
  void close(Side side);
  Wakeup& readable(Side side) { return *end(side).readable; }
  Wakeup& writable(Side side) { return *end(side).writable; }
  bool& reading(Side side) { return end(side).reading; }

  // --- The world's calls ---

  // The life that holds this side has ended: the peer gets an RST behind what is under way.
  void cut(Side side);
  // Both ends of a standing connection are cut at this moment, by the network itself.
  void cut_from_outside();
  // Something on the way between the hosts has changed.
  void way_changed();
  // One side is done with it, and the other cannot hear of that: something on the way holds it.
  bool adrift() const;
  // What something on the way sees of octets that this side sends.
  Crossing crossing(Side from, std::string_view octets) const;
  bool can_be_cut(Side from) const;
  // The network cuts it, behind all that this side has sent.
  void cut_behind(Side from, Cut cut);
  std::string describe() const;

 private:
  enum class Kind : std::uint8_t { syn, syn_ack, refusal, ack, octets, fin, rst, cut };
  struct Item {
    Kind kind = Kind::octets;
    Cut cut{};  // of cut
    Duration arrives{};
    std::string octets;
    std::size_t record = 0;  // of octets
    bool lost = false;       // octets behind a cut: they leave, and arrive nowhere
    std::size_t plain = 0;   // the record of what they carry; 0: none
  };
  struct Ack {
    Duration arrives{};
    std::size_t octets = 0;
  };
  // From one side to the other.
  struct Line {
    Way way;
    Ring<Item> outbox;        // waits at the sender
    EventId departure = 0;    // of the first of it
    Duration last_departure{};
    Ring<Item> items;
    bool held = false;
    EventId pump = 0;  // when the first item arrives
    Duration last_arrival{};
    std::size_t plain = 0;       // the record of what the next octets carry
    std::size_t plain_left = 0;  // so many of them
    std::size_t unread = 0;  // under way, arrived and not read, or read and not yet told to the sender
    Ring<Ack> acks;          // on their way back to the sender, by the other line
    std::size_t held_acks = 0;
    EventId ack_event = 0;  // only while the writer waits for one
  };
  struct Piece {
    std::string octets;
    std::size_t taken = 0;
  };
  enum class State : std::uint8_t { open, closed, reset };
  struct End {
    Host* host = nullptr;
    Life* life = nullptr;  // none: the host holds it, and no program ever sees it
    Endpoint local;
    State state = State::open;
    Ring<Piece> arrived;
    std::size_t segment = 0;  // the most that one read gives; 0: no limit
    bool fin_arrived = false;
    bool fin_sent = false;
    bool fin_wanted = false;  // when the write under way has ended
    bool rst_sent = false;
    bool severed = false;    // nothing that it sends arrives any more: the network has cut it
    bool answered = false;   // and answers by RST
    bool peer_gone = false;  // the peer answered our octets by RST because it had closed before
    bool reading = false, writing = false;
    std::optional<Wakeup> readable, writable;
  };

  End& end(Side side) { return ends_[static_cast<std::size_t>(side)]; }
  const End& end(Side side) const { return ends_[static_cast<std::size_t>(side)]; }
  // What this side sends.
  Line& line(Side side) { return lines_[static_cast<std::size_t>(side)]; }

  void hold_life(Side side, Host& host, Life& life);
  // In turn behind what waits at the sender.
  void send(Side from, Kind kind, std::string octets = {});
  void send(Side from, Item item);
  // Now.
  void transmit(Side from, Item item);
  void depart(Side from);
  void schedule_departure(Side from);
  void drop_outbox(Side from);
  void note_plain(Side from, Item& item);
  void repeat_syn();
  void send_fin(Side side);
  void octets_lost(Side from, std::string_view octets);
  void cut_arrives(Side to, Cut cut);
  void send_rst(Side side);
  void schedule_pump(Side from);
  void pump(Side from);
  void arrive(Side to, Item item);
  void octets_arrive(Side to, Item item);
  void rst_arrives(Side to);
  void ack_arrives();
  void tell_arrival(const Item& item, std::optional<Duration> arrives);
  // Nobody will read what is under way from this side any more.
  void lose(Side from);
  void drop_items(Side from);
  void acknowledge(Side reader, std::size_t octets);
  std::size_t room(Side writer);
  void watch_window(Side writer);
  void hold(Side from);
  void let_go(Side from);
  bool done(Side side) const;
  void end_if_done();
  void forget();

  Core& core_;
  const ConnectionId id_;
  Phase phase_ = Phase::dialing;
  Errc refusal_ = Errc::refused;
  std::array<End, 2> ends_;
  std::array<Line, 2> lines_;
  std::shared_ptr<ListenerState> listener_;  // that has this one half open
  EventId syn_repeat_ = 0;
  Duration syn_wait_{};
};

}  // namespace postproof::sim::world
