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
  switch (core_.network->impl().fault_of_dial(*this)) {
    case HostFault::unreachable: return refuse(Errc::unreachable);
    case HostFault::refuse: return refuse(Errc::refused);
    case HostFault::silent: return send(Side::acceptor, Kind::syn_ack);
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
  if (size > 0) {
    line(side).unread += size;
    send(side, Kind::octets, std::string(octets.substr(0, size)));
  }
  if (size < octets.size()) watch_window(side);
  return size;
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

// --- The lines ---

void Connection::send(Side from, Kind kind, std::string octets) {
  Line& out = line(from);
  Item item;
  item.kind = kind;
  const Duration latency = core_.network->impl().latency(*end(Side::opener).host, end(Side::acceptor).host);
  item.arrives = std::max(core_.loop.now() + latency, out.last_arrival);
  if (!out.held) out.last_arrival = item.arrives;
  if (kind == Kind::octets) {
    const bool readable = !out.held && end(other(from)).state == State::open;
    core_.add(record::Octets{id_, from, octets, std::nullopt});
    item.record = core_.last_record();
    if (out.plain_left > 0) {
      item.plain = out.plain;
      out.plain_left -= std::min(out.plain_left, octets.size());
    }
    if (readable) tell_arrival(item, item.arrives);
    item.octets = std::move(octets);
  }
  out.items.push(std::move(item));
  if (!out.held && out.items.size() == 1) schedule_pump(from);
}

void Connection::send_fin(Side side) {
  end(side).fin_sent = true;
  end(side).fin_wanted = false;
  core_.add(record::Fin{id_, side});
  send(side, Kind::fin);
}

void Connection::send_rst(Side side) {
  if (end(side).rst_sent) return;
  end(side).rst_sent = true;
  core_.add(record::Reset{id_, side});
  send(side, Kind::rst);
}

void Connection::schedule_pump(Side from) {
  line(from).pump =
      core_.loop.at(line(from).items.front().arrives, [self = shared_from_this(), from] { self->pump(from); });
}

// Everything that is there by now. RST gets an event of its own, so that a reader who waits sees what
// came before it.
void Connection::pump(Side from) {
  Line& in = line(from);
  in.pump = 0;
  for (bool first = true; !in.held && !in.items.empty() && in.items.front().arrives <= core_.loop.now();
       first = false) {
    if (!first && in.items.front().kind == Kind::rst) break;
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
  }
}

void Connection::octets_arrive(Side to, Item item) {
  End& it = end(to);
  if (it.state == State::open) {
    if (it.arrived.empty()) it.segment = core_.network->impl().segment(*end(other(to)).host);
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
  lose(from);
  out.items.clear();
  if (out.pump != 0) core_.loop.cancel(std::exchange(out.pump, 0));
}

// --- The window ---

void Connection::acknowledge(Side reader, std::size_t octets) {
  const Side writer = other(reader);
  Line& in = line(writer);
  if (in.held) {
    in.held_acks += octets;
    return;
  }
  const Duration arrives =
      core_.loop.now() + core_.network->impl().latency(*end(Side::opener).host, end(Side::acceptor).host);
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
  return kWindow - out.unread;
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
  const bool held = core_.network->impl().is_held(*this);
  for (const Side from : {Side::opener, Side::acceptor}) {
    if (held == line(from).held) continue;
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
  if (out.pump != 0) core_.loop.cancel(std::exchange(out.pump, 0));
  if (out.ack_event != 0) core_.loop.cancel(std::exchange(out.ack_event, 0));
  while (!out.acks.empty()) out.held_acks += out.acks.pop().octets;
  lose(from);
}

void Connection::let_go(Side from) {
  Line& out = line(from);
  out.held = false;
  const Duration arrives =
      core_.loop.now() + core_.network->impl().latency(*end(Side::opener).host, end(Side::acceptor).host);
  out.last_arrival = std::max(out.last_arrival, arrives);
  for (std::size_t i = 0; i < out.items.size(); ++i) {
    Item& item = out.items[i];
    item.arrives = out.last_arrival;
    if (item.kind == Kind::octets && end(other(from)).state == State::open) {
      tell_arrival(item, item.arrives);
    }
  }
  if (!out.items.empty()) schedule_pump(from);
  if (out.held_acks > 0) acknowledge(other(from), std::exchange(out.held_acks, 0));
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
  if (const auto listener = std::exchange(listener_, nullptr)) listener->half_open_ended();
  core_.network->impl().open.erase(id_);  // may be the last that holds this
}

bool Connection::adrift() const {
  const bool held = lines_[0].held || lines_[1].held;
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
