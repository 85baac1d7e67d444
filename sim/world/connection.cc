#include "sim/world/connection.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "mta/base/check.h"
#include "sim/world/host.h"
#include "sim/world/network_impl.h"
#include "sim/world/sim_listener.h"

namespace postproof::sim::world {

Connection::Connection(Core& core, ConnectionId id, Life& opener, Endpoint from, Host* to_host, Endpoint to)
    : core_(core), id_(id) {
  end(Side::opener).local = std::move(from);
  end(Side::acceptor).local = std::move(to);
  end(Side::acceptor).host = to_host;
  hold_life(Side::opener, opener.host(), opener);
}

void Connection::hold_life(Side side, Host& host, Life& life) {
  End& it = end(side);
  it.host = &host;
  it.life = &life;
  it.readable.emplace(life.env());
  it.writable.emplace(life.env());
}

// --- How it begins ---

void Connection::dial() {
  way_changed();
  send(Side::opener, Kind::syn);
}

void Connection::abandon(std::string_view reason) {
  core_.add(record::Refused{id_, std::string(reason)});
  phase_ = Phase::over;
  forget();
}

void Connection::refuse(Errc why) {
  refusal_ = why;
  send(Side::acceptor, Kind::refusal);
}

void Connection::syn_arrives() {
  if (phase_ != Phase::dialing) return;  // given up while it waited for room
  Host* host = end(Side::acceptor).host;
  if (host == nullptr) return refuse(Errc::unreachable);
  core_.network->impl().tell_passage(Passage::What::dial, *this, Side::opener);
  switch (core_.network->impl().fault_of_dial(*this)) {
    case HostFault::unreachable: return refuse(Errc::unreachable);
    case HostFault::refuse: return refuse(Errc::refused);
    case HostFault::silent: return send(Side::acceptor, Kind::syn_ack);
    case HostFault::backlog: return repeat_syn();
    case HostFault::none:
    case HostFault::blackhole: break;  // a black hole holds the line
  }
  const Life* life = host->lives.empty() ? nullptr : host->lives.back().get();
  const auto listener = life == nullptr ? nullptr : host->lives.back()->network().listener(endpoint(Side::acceptor));
  if (!listener) return refuse(Errc::refused);
  if (!listener->has_room()) return listener->wait_for_room(shared_from_this());
  listener->half_open();
  listener_ = listener;
  hold_life(Side::acceptor, *host, listener->life());
  send(Side::acceptor, Kind::syn_ack);
}

// RFC 6298 section 5.5: dropped, it is sent again, each time after twice as long.
void Connection::repeat_syn() {
  syn_wait_ = std::min(std::max(syn_wait_ * 2, Duration(std::chrono::seconds{1})), Duration(std::chrono::seconds{60}));
  syn_repeat_ = core_.loop.at(core_.loop.now() + syn_wait_, [self = shared_from_this()] {
    self->syn_repeat_ = 0;
    if (self->phase_ == Phase::dialing) self->send(Side::opener, Kind::syn);
  });
}

// The last of the three that open a connection: now the acceptor's program may have it.
void Connection::ack_arrives() {
  const auto listener = std::exchange(listener_, nullptr);
  if (!listener) return;  // held by the host alone, or cut meanwhile
  if (!listener->opened(shared_from_this())) reset(Side::acceptor);
}

// --- What one side does ---

std::optional<Errc> Connection::read_error(Side side) const {
  switch (end(side).state) {
    case State::open: return std::nullopt;
    case State::closed: return Errc::closed;
    case State::reset: break;
  }
  return Errc::reset;
}

std::optional<Errc> Connection::write_error(Side side) const {
  const End& it = end(side);
  if (it.state == State::open && it.peer_gone) return Errc::reset;
  if (it.state == State::open && (it.fin_sent || it.fin_wanted)) return Errc::closed;
  return read_error(side);
}

std::size_t Connection::read(Side side, std::span<char> into) {
  End& it = end(side);
  Piece& piece = it.arrived.front();
  std::size_t size = std::min(into.size(), piece.octets.size() - piece.taken);
  if (it.segment != 0) size = std::min(size, it.segment - piece.taken % it.segment);
  std::memcpy(into.data(), piece.octets.data() + piece.taken, size);
  piece.taken += size;
  if (piece.taken == piece.octets.size()) it.arrived.pop();
  acknowledge(side, size);
  return size;
}

std::size_t Connection::write(Side side, std::string_view octets) {
  const std::size_t size = std::min(octets.size(), room(side));
  if (line(side).way.window_closed && !octets.empty()) {
    core_.network->impl().tell_passage(Passage::What::shut_window, *this, side);
  }
  if (size > 0) {
    const std::string_view sent = octets.substr(0, size);
    std::optional<CutBehind> cut;
    if (end(side).severed) {
      cut = CutBehind{};
    } else if (const auto& network = core_.network->impl(); !network.taps.empty() && can_be_cut(side)) {
      cut = network.ask_taps(crossing(side, sent));
    }
    const std::size_t passes = cut ? std::min(cut->octets, size) : size;
    if (passes > 0) {
      line(side).unread += passes;
      send(side, Kind::octets, std::string(sent.substr(0, passes)));
    }
    if (cut) {
      if (!end(side).severed) cut_behind(side, cut->cut);
      octets_lost(side, sent.substr(passes));
    }
  }
  if (size < octets.size()) watch_window(side);
  return size;
}

// Behind the place where the network has cut the connection. They take no room: nobody will read them.
void Connection::octets_lost(Side from, std::string_view octets) {
  if (octets.empty()) return;
  Line& out = line(from);
  if (out.outbox.empty()) {
    core_.add(record::Octets{id_, from, std::string(octets), std::nullopt, {}});
  } else {  // behind what has not left yet
    Item item;
    item.octets = std::string(octets);
    item.lost = true;
    out.outbox.push(std::move(item));
  }
  out.plain_left -= std::min(out.plain_left, octets.size());
  if (end(from).answered && end(from).state == State::open) send_rst(other(from));
}

void Connection::begin_write(Side side) {
  PP_CHECK(!end(side).writing, "two writers wait on one stream");
  end(side).writing = true;
}

void Connection::carry_plain(Side side, std::size_t record, std::size_t octets) {
  line(side).plain = record;
  line(side).plain_left = octets;
}

void Connection::end_write(Side side) {
  End& it = end(side);
  it.writing = false;
  if (it.fin_wanted && it.state == State::open) send_fin(side);
}

void Connection::shutdown_send(Side side) {
  End& it = end(side);
  if (it.state != State::open || it.fin_sent || it.fin_wanted) return;
  if (it.writing) {
    it.fin_wanted = true;
  } else {
    send_fin(side);
  }
}

void Connection::reset(Side side) {
  End& it = end(side);
  if (it.state != State::open) return;
  it.state = State::reset;
  it.arrived.clear();
  lose(other(side));
  send_rst(side);
  it.readable->notify();
  it.writable->notify();
  end_if_done();
}

void Connection::close(Side side) {
  End& it = end(side);
  if (it.state != State::open) return;
  it.state = State::closed;
  if (!it.life->gone() && !it.fin_sent) send_fin(side);
  // A writer that waits for the window shall go on, and meet the RST.
  std::size_t unread = 0;
  while (!it.arrived.empty()) {
    const Piece piece = it.arrived.pop();
    unread += piece.octets.size() - piece.taken;
  }
  if (unread > 0) acknowledge(side, unread);
  lose(other(side));
  it.readable->notify();
  it.writable->notify();
  end_if_done();
}

void Connection::cut(Side side) {
  if (phase_ == Phase::dialing && side == Side::opener) return abandon("closed");
  End& it = end(side);
  const bool ended_in_order = it.state == State::closed && it.fin_sent;
  if (!ended_in_order && it.state != State::reset) send_rst(side);
  it.state = State::closed;
  it.arrived.clear();
  lose(other(side));
  if (it.life != nullptr) {
    it.readable->notify();
    it.writable->notify();
  }
  end_if_done();
}

void Connection::cut_from_outside() {
  if (phase_ != Phase::established) return;
  for (const Side side : {Side::opener, Side::acceptor}) {
    End& it = end(side);
    if (!std::exchange(it.rst_sent, true)) core_.add(record::Reset{id_, side});
    if (it.state == State::open) it.state = State::reset;
    it.arrived.clear();
    if (it.life == nullptr) continue;
    it.readable->notify();
    it.writable->notify();
  }
  phase_ = Phase::over;
  forget();
}

// --- Cuts by the network ---

Crossing Connection::crossing(Side from, std::string_view octets) const {
  const Host* to = host(Side::acceptor);
  Crossing crossing;
  crossing.connection = id_;
  crossing.from = from;
  crossing.opener = host(Side::opener)->name;
  if (to != nullptr) crossing.acceptor = to->name;
  if (endpoint(Side::acceptor).kind() == Endpoint::Kind::ip) crossing.port = endpoint(Side::acceptor).port();
  crossing.octets = octets;
  return crossing;
}

bool Connection::can_be_cut(Side from) const {
  return phase_ == Phase::established && !end(from).severed && host(Side::opener) != host(Side::acceptor);
}

void Connection::cut_behind(Side from, Cut cut) {
  end(from).severed = true;
  Item item;
  item.kind = Kind::cut;
  item.cut = cut;
  send(from, std::move(item));
}

void Connection::cut_arrives(Side to, Cut cut) {
  if (cut == Cut::reset) return cut_from_outside();
  if (cut == Cut::fin) drop_items(to);
  for (const Side side : {to, other(to)}) {
    if (cut == Cut::half_close && side != to) continue;
    End& sender = end(other(side));
    if (!sender.fin_sent) core_.add(record::Fin{id_, other(side), true});
    sender.severed = true;
    sender.answered = cut == Cut::fin;
    end(side).fin_arrived = true;
    if (end(side).life != nullptr) end(side).readable->notify();
  }
  end_if_done();
}

// --- The lines ---

void Connection::send(Side from, Kind kind, std::string octets) {
  Item item;
  item.kind = kind;
  item.octets = std::move(octets);
  send(from, std::move(item));
}

void Connection::send(Side from, Item item) {
  Line& out = line(from);
  const bool of_stream = item.kind == Kind::octets || item.kind == Kind::fin || item.kind == Kind::cut;
  if (item.kind == Kind::octets || item.kind == Kind::fin) {
    core_.network->impl().tell_passage(Passage::What::octets, *this, from);
  }
  const bool waits = of_stream && (out.way.bandwidth != 0 || out.way.held || !out.outbox.empty());
  const std::size_t packet = waits || out.way.loss > 0 ? out.way.packet : item.octets.size();
  if (item.kind == Kind::octets && packet < item.octets.size()) {
    for (std::size_t at = 0; at < item.octets.size(); at += packet) {
      Item piece;
      piece.octets = item.octets.substr(at, packet);
      note_plain(from, piece);
      if (waits) {
        out.outbox.push(std::move(piece));
      } else {
        transmit(from, std::move(piece));
      }
    }
  } else {
    if (item.kind == Kind::octets) note_plain(from, item);
    if (waits) {
      out.outbox.push(std::move(item));
    } else {
      transmit(from, std::move(item));
    }
  }
  if (waits) schedule_departure(from);
}

// What they carry is told now: it is in the order of what is sent, whenever that leaves.
void Connection::note_plain(Side from, Item& item) {
  Line& out = line(from);
  if (out.plain_left == 0) return;
  item.plain = out.plain;
  out.plain_left -= std::min(out.plain_left, item.octets.size());
}

void Connection::transmit(Side from, Item item) {
  if (item.lost) return core_.add(record::Octets{id_, from, std::move(item.octets), std::nullopt, {}});
  Line& out = line(from);
  auto& network = core_.network->impl();
  Duration latency = out.way.latency;
  std::vector<Duration> resent;
  if (out.way.jitter > Duration{0}) latency += network.draw_jitter(out.way);
  if (out.way.loss > 0 && item.kind != Kind::rst && item.kind != Kind::cut) {
    resent = network.resendings(out.way);
    if (!resent.empty()) latency += resent.back();
  }
  item.arrives = std::max(core_.loop.now() + latency, out.last_arrival);
  if (!out.held) out.last_arrival = item.arrives;
  if (item.kind == Kind::fin) core_.add(record::Fin{id_, from, false});
  if (item.kind == Kind::octets) {
    const bool readable = !out.held && end(other(from)).state == State::open;
    for (Duration& moment : resent) moment += core_.loop.now();
    core_.add(record::Octets{id_, from, item.octets, std::nullopt, std::move(resent)});
    item.record = core_.last_record();
    if (readable) tell_arrival(item, item.arrives);
  }
  out.items.push(std::move(item));
  if (!out.held && out.items.size() == 1) schedule_pump(from);
}

void Connection::schedule_departure(Side from) {
  Line& out = line(from);
  if (out.departure != 0 || out.outbox.empty() || out.way.held) return;
  Duration leaves = core_.loop.now();
  if (out.way.bandwidth != 0 && !out.outbox.front().lost) {
    const double seconds =
        static_cast<double>(out.outbox.front().octets.size()) / static_cast<double>(out.way.bandwidth);
    leaves = std::max(leaves, out.last_departure) + Duration(static_cast<Duration::rep>(seconds * 1e9));
  }
  out.departure = core_.loop.at(leaves, [self = shared_from_this(), from] { self->depart(from); });
}

void Connection::depart(Side from) {
  Line& out = line(from);
  out.departure = 0;
  out.last_departure = core_.loop.now();
  core_.network->impl().tell_passage(Passage::What::octets, *this, from);
  transmit(from, out.outbox.pop());
  schedule_departure(from);
}

void Connection::drop_outbox(Side from) {
  Line& out = line(from);
  if (out.departure != 0) core_.loop.cancel(std::exchange(out.departure, 0));
  while (!out.outbox.empty()) {
    if (out.outbox.pop().kind == Kind::fin) core_.add(record::Fin{id_, from, false});  // nobody waits for it
  }
}

void Connection::send_fin(Side side) {
  end(side).fin_sent = true;
  end(side).fin_wanted = false;
  if (end(side).severed) {
    core_.add(record::Fin{id_, side, false});  // which does not get far
  } else {
    send(side, Kind::fin);
  }
}

void Connection::send_rst(Side side) {
  if (end(side).rst_sent) return;
  end(side).rst_sent = true;
  drop_outbox(side);
  core_.add(record::Reset{id_, side});
  send(side, Kind::rst);
}

void Connection::schedule_pump(Side from) {
  line(from).pump =
      core_.loop.at(line(from).items.front().arrives, [self = shared_from_this(), from] { self->pump(from); });
}

// Everything that is there by now. RST, and a cut, gets an event of its own, so that a reader who waits sees what
// came before it.
void Connection::pump(Side from) {
  Line& in = line(from);
  in.pump = 0;
  for (bool first = true; !in.held && !in.items.empty() && in.items.front().arrives <= core_.loop.now();
       first = false) {
    const Kind kind = in.items.front().kind;
    if (!first && (kind == Kind::rst || kind == Kind::cut)) break;
    arrive(other(from), in.items.pop());
  }
  if (!in.items.empty() && !in.held && in.pump == 0) schedule_pump(from);
}

void Connection::arrive(Side to, Item item) {
  End& it = end(to);
  switch (item.kind) {
    case Kind::syn: return syn_arrives();
    case Kind::syn_ack:
      phase_ = Phase::established;
      core_.add(record::Established{id_});
      way_changed();  // what holds a standing connection may not hold a dial
      send(to, Kind::ack);
      it.readable->notify();
      return;
    case Kind::refusal:
      core_.add(record::Refused{id_, std::string(refusal_ == Errc::refused ? "refused" : "unreachable")});
      phase_ = Phase::refused;
      it.readable->notify();
      return forget();
    case Kind::ack: return ack_arrives();
    case Kind::octets: return octets_arrive(to, std::move(item));
    case Kind::fin:
      it.fin_arrived = true;
      if (it.life != nullptr) it.readable->notify();
      return end_if_done();
    case Kind::rst: return rst_arrives(to);
    case Kind::cut: return cut_arrives(to, item.cut);
  }
}

void Connection::octets_arrive(Side to, Item item) {
  End& it = end(to);
  if (it.state == State::open) {
    if (it.arrived.empty()) it.segment = line(other(to)).way.segment;
    it.arrived.push(Piece{std::move(item.octets), 0});
    if (it.life != nullptr) it.readable->notify();
  } else if (it.state == State::closed) {
    send_rst(to);  // as a kernel answers octets for a socket that was closed
  }
}

void Connection::rst_arrives(Side to) {
  End& it = end(to);
  if (it.state == State::open && end(other(to)).state == State::closed && it.fin_arrived) {
    // The peer had closed in order, and only what we sent since is refused: what it wrote before is ours
    // to read.
    it.peer_gone = true;
    if (it.life != nullptr) it.writable->notify();
    if (it.life == nullptr) it.state = State::reset;
    return end_if_done();
  }
  it.arrived.clear();
  if (it.state == State::open) it.state = State::reset;
  drop_items(to);
  if (it.life != nullptr) {
    it.readable->notify();
    it.writable->notify();
  }
  end_if_done();
}

void Connection::tell_arrival(const Item& item, std::optional<Duration> arrives) {
  core_.set_arrival(item.record, arrives);
  if (item.plain != 0) core_.set_arrival(item.plain, arrives);
}

void Connection::lose(Side from) {
  const Ring<Item>& items = line(from).items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind == Kind::octets) tell_arrival(items[i], std::nullopt);
  }
}

void Connection::drop_items(Side from) {
  Line& out = line(from);
  drop_outbox(from);
  lose(from);
  out.items.clear();
  if (out.pump != 0) core_.loop.cancel(std::exchange(out.pump, 0));
}

// --- The window ---

void Connection::acknowledge(Side reader, std::size_t octets) {
  const Side writer = other(reader);
  Line& in = line(writer);
  if (line(reader).held) {
    in.held_acks += octets;
    return;
  }
  const Duration arrives = core_.loop.now() + line(reader).way.latency;
  if (!in.acks.empty() && in.acks.back().arrives >= arrives) {
    in.acks.back().octets += octets;
  } else {
    in.acks.push(Ack{arrives, octets});
  }
  if (end(writer).writing) watch_window(writer);
}

std::size_t Connection::room(Side writer) {
  Line& out = line(writer);
  while (!out.acks.empty() && out.acks.front().arrives <= core_.loop.now()) out.unread -= out.acks.pop().octets;
  return out.way.window_closed ? 0 : kWindow - out.unread;
}

void Connection::watch_window(Side writer) {
  Line& out = line(writer);
  if (out.ack_event != 0 || out.acks.empty()) return;
  out.ack_event = core_.loop.at(out.acks.front().arrives, [self = shared_from_this(), writer] {
    self->line(writer).ack_event = 0;
    self->end(writer).writable->notify();
  });
}

// --- Holding and letting go ---

void Connection::way_changed() {
  auto& network = core_.network->impl();
  for (const Side from : {Side::opener, Side::acceptor}) {
    Line& out = line(from);
    const bool was_closed = out.way.window_closed;
    out.way = network.way(host(from), host(other(from)));
    if (out.way.window_closed && end(from).writing) network.tell_passage(Passage::What::shut_window, *this, from);
    if (was_closed && !out.way.window_closed && end(from).writing) end(from).writable->notify();
    if (!out.outbox.empty()) {
      if (out.departure != 0) core_.loop.cancel(std::exchange(out.departure, 0));
      schedule_departure(from);
    }
    const bool held = network.is_held(*this, from);
    if (held == out.held) continue;
    if (held) {
      hold(from);
    } else {
      let_go(from);
    }
  }
}

void Connection::hold(Side from) {
  Line& out = line(from);
  out.held = true;
  if (!out.items.empty()) core_.network->impl().tell_passage(Passage::What::octets, *this, from);
  if (out.pump != 0) core_.loop.cancel(std::exchange(out.pump, 0));
  Line& back = line(other(from));  // whose acknowledgements travel here
  if (back.ack_event != 0) core_.loop.cancel(std::exchange(back.ack_event, 0));
  while (!back.acks.empty()) back.held_acks += back.acks.pop().octets;
  lose(from);
}

void Connection::let_go(Side from) {
  Line& out = line(from);
  out.held = false;
  out.last_arrival = std::max(out.last_arrival, core_.loop.now() + out.way.latency);
  for (std::size_t i = 0; i < out.items.size(); ++i) {
    Item& item = out.items[i];
    item.arrives = out.last_arrival;
    if (item.kind == Kind::octets && end(other(from)).state == State::open) {
      tell_arrival(item, item.arrives);
    }
  }
  if (!out.items.empty()) schedule_pump(from);
  Line& back = line(other(from));
  if (back.held_acks > 0) acknowledge(from, std::exchange(back.held_acks, 0));
}

// --- How it ends ---

bool Connection::done(Side side) const {
  const End& it = end(side);
  return it.state != State::open || (it.life == nullptr && phase_ == Phase::established && it.fin_arrived);
}

void Connection::end_if_done() {
  if (phase_ == Phase::dialing || !done(Side::opener) || !done(Side::acceptor)) return;
  phase_ = Phase::over;
  forget();
}

// Nobody waits for anything on it any more. The streams that still point here find it over.
void Connection::forget() {
  for (const Side side : {Side::opener, Side::acceptor}) {
    Line& out = line(side);
    drop_items(side);
    if (out.ack_event != 0) core_.loop.cancel(std::exchange(out.ack_event, 0));
  }
  if (syn_repeat_ != 0) core_.loop.cancel(std::exchange(syn_repeat_, 0));
  if (const auto listener = std::exchange(listener_, nullptr)) listener->half_open_ended();
  core_.network->impl().open.erase(id_);  // may be the last that holds this
}

bool Connection::adrift() const {
  const bool held = std::ranges::any_of(
      lines_, [](const Line& line) { return line.held || (line.way.held && !line.outbox.empty()); });
  return held && (end(Side::opener).state != State::open || end(Side::acceptor).state != State::open);
}

std::string Connection::describe() const {
  const auto name = [](const Host* host) { return host == nullptr ? std::string("nobody") : host->name; };
  std::string text =
      fmt::format("connection {}: {} {} -> {} {}: {}", id_, name(host(Side::opener)),
                  endpoint(Side::opener).to_string(), name(host(Side::acceptor)), endpoint(Side::acceptor).to_string(),
                  phase_ == Phase::dialing ? "being dialed" : "open");
  for (const Side side : {Side::opener, Side::acceptor}) {
    if (lines_[static_cast<std::size_t>(side)].held) {
      text += ", held";
      break;
    }
  }
  for (const Side side : {Side::opener, Side::acceptor}) {
    std::size_t unread = 0;
    for (std::size_t i = 0; i < end(side).arrived.size(); ++i) {
      unread += end(side).arrived[i].octets.size() - end(side).arrived[i].taken;
    }
    if (unread > 0) text += fmt::format(", {} octets not read by {}", unread, name(host(side)));
    if (end(side).state == State::closed) text += fmt::format(", closed by {}", name(host(side)));
  }
  return text;
}

}  // namespace postproof::sim::world
