#include "sim/view/pcap_view.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "mta/base/check.h"
#include "sim/view/packets.h"

namespace postproof::sim {
namespace {

constexpr int kSnapLength = 256 * 1024;
// Sooner than this nobody sends anything again (Linux's shortest; RFC 6298 section 2.4 would wait a second).
constexpr Duration kRetransmitAfter = std::chrono::milliseconds{200};
constexpr Duration kTimeMax = std::chrono::hours{24 * 366 * 50};

// Something that happens to a connection, or a datagram, at a moment. Records tell most of it; arrivals follow.
struct Happening {
  enum class What : std::uint8_t {
    arrival,  // of octets up to `end`, at the side that `from` sends to
    fin_arrival, syn, syn_again, syn_ack, established, refusal, unreachable, octets, octets_again, fin,
    network_fin,  // somebody on the way ends the direction where the other side has got to
    reset, datagram
  };
  Duration at{};
  What what = What::octets;
  ConnectionId connection = 0;
  Side from = Side::opener;
  std::uint64_t begin = 0, end = 0;  // offsets of octets in their direction
  std::string_view octets;
  const record::Datagram* datagram = nullptr;
  bool at_once = false;  // it arrives in the moment in which it is sent

  // What arrives in a moment is acknowledged by what is sent in it; but nothing arrives before it is sent.
  int rank() const { return (what == What::arrival || what == What::fin_arrival) && !at_once ? 0 : 1; }
};

// What the recording as a whole tells of a connection.
struct Route {
  Endpoint from, to;
  Duration dial{};
  Duration one_way = Duration::max();  // the shortest that was seen
  std::array<std::uint64_t, 2> sent{};
  std::array<Duration, 2> last_arrival{};
};

std::size_t index(Side side) { return static_cast<std::size_t>(side); }
Side other(Side side) { return side == Side::opener ? Side::acceptor : Side::opener; }

bool on_ip(const Endpoint& from, const Endpoint& to) {
  return from.kind() == Endpoint::Kind::ip && to.kind() == Endpoint::Kind::ip &&
         from.address().is_v4() == to.address().is_v4();
}

bool fits(Duration at) { return at >= Duration{0} && at <= kTimeMax; }

// A file may say anything; what follows counts on sums of times that exist.
bool all_times_fit(const Recording& recording) {
  return std::ranges::all_of(recording.records, [](const Record& record) {
    const auto* octets = std::get_if<record::Octets>(&record.what);
    return fits(record.at) &&
           (octets == nullptr || ((!octets->arrives || fits(*octets->arrives)) && std::ranges::all_of(octets->resent, fits)));
  });
}

class Planner {
 public:
  explicit Planner(const Recording& recording) : recording_(recording) {}

  std::vector<Happening> plan() {
    for (const Record& record : recording_.records) {
      at_ = record.at;
      std::visit([this](const auto& r) { survey(r); }, record.what);
    }
    for (auto& [id, route] : routes_) {
      if (route.one_way == Duration::max()) route.one_way = Duration{0};
    }
    for (const Record& record : recording_.records) {
      at_ = record.at;
      std::visit([this](const auto& r) { take(r); }, record.what);
    }
    std::ranges::stable_sort(happenings_, [](const Happening& a, const Happening& b) {
      return a.at != b.at ? a.at < b.at : a.rank() < b.rank();
    });
    return std::move(happenings_);
  }

  const std::map<ConnectionId, Route>& routes() const { return routes_; }

 private:
  template <class Other>
  void survey(const Other&) {}
  void survey(const record::Dial& r) {
    if (!on_ip(r.from, r.to)) return;
    Route& route = routes_[r.connection];
    route.from = r.from;
    route.to = r.to;
    route.dial = at_;
  }
  void survey(const record::Established& r) {
    if (Route* route = find(r.connection)) route->one_way = std::min(route->one_way, (at_ - route->dial) / 2);
  }
  void survey(const record::Refused& r) {
    if (r.reason != "refused" && r.reason != "unreachable") return;  // nobody answered
    if (Route* route = find(r.connection)) route->one_way = std::min(route->one_way, (at_ - route->dial) / 2);
  }
  void survey(const record::Octets& r) {
    Route* route = find(r.connection);
    if (route != nullptr && r.arrives) route->one_way = std::min(route->one_way, *r.arrives - at_);
  }

  template <class Other>
  void take(const Other&) {}
  void take(const record::Dial& r) { add(r.connection, Happening::What::syn, at_); }
  void take(const record::Established& r) {
    if (const Route* route = find(r.connection)) {
      answer(r.connection, *route, Happening::What::syn_ack);
      add(r.connection, Happening::What::established, at_);
    }
  }
  void take(const record::Refused& r) {
    const Route* route = find(r.connection);
    if (route == nullptr) return;
    if (r.reason == "refused") answer(r.connection, *route, Happening::What::refusal);
    if (r.reason == "unreachable") answer(r.connection, *route, Happening::What::unreachable);
  }
  // The answer to a SYN has come at this moment.
  void answer(ConnectionId id, const Route& route, Happening::What what) {
    const Duration one_way = std::min(route.one_way, (at_ - route.dial) / 2);
    if (at_ - route.dial > 2 * one_way + kRetransmitAfter) add(id, Happening::What::syn_again, at_ - 2 * one_way);
    add(id, what, at_ - one_way, Side::acceptor);
  }
  void take(const record::Octets& r) {
    Route* route = find(r.connection);
    if (route == nullptr || r.octets.empty()) return;
    std::uint64_t& sent = route->sent[index(r.from)];
    Happening happening;
    happening.connection = r.connection;
    happening.from = r.from;
    happening.at = at_;
    happening.begin = sent;
    sent += r.octets.size();
    happening.end = sent;
    happening.octets = r.octets;
    happenings_.push_back(happening);
    happening.what = Happening::What::octets_again;
    for (const Duration moment : r.resent) {
      happening.at = moment;
      happenings_.push_back(happening);
    }
    if (!r.arrives) return;
    if (r.resent.empty() && *r.arrives - at_ > route->one_way + kRetransmitAfter) {
      happening.at = *r.arrives - route->one_way;
      happenings_.push_back(happening);
    }
    happening.what = Happening::What::arrival;
    happening.at = *r.arrives;
    happening.at_once = happening.at == at_;
    happenings_.push_back(happening);
    route->last_arrival[index(r.from)] = std::max(route->last_arrival[index(r.from)], *r.arrives);
  }
  void take(const record::Fin& r) {
    const Route* route = find(r.connection);
    if (route == nullptr) return;
    if (r.network) return add(r.connection, Happening::What::network_fin, at_, r.from);
    add(r.connection, Happening::What::fin, at_, r.from);
    const Duration arrives = std::max(at_ + route->one_way, route->last_arrival[index(r.from)]);
    add(r.connection, Happening::What::fin_arrival, arrives, r.from);
    if (arrives == at_) happenings_.back().at_once = true;
  }
  void take(const record::Reset& r) { add(r.connection, Happening::What::reset, at_, r.from); }
  void take(const record::Datagram& r) {
    if (!on_ip(r.from, r.to)) return;
    Happening happening;
    happening.what = Happening::What::datagram;
    happening.at = at_;
    happening.datagram = &r;
    happenings_.push_back(happening);
  }

  void add(ConnectionId id, Happening::What what, Duration at, Side from = Side::opener) {
    if (find(id) == nullptr) return;
    Happening happening;
    happening.connection = id;
    happening.what = what;
    happening.at = at;
    happening.from = from;
    happenings_.push_back(happening);
  }
  Route* find(ConnectionId id) {
    const auto at = routes_.find(id);
    return at == routes_.end() ? nullptr : &at->second;
  }

  const Recording& recording_;
  std::map<ConnectionId, Route> routes_;
  std::vector<Happening> happenings_;
  Duration at_{};
};

// The file, as libpcap writes it, in memory.
class CaptureFile {
 public:
  explicit CaptureFile(WallTime start) : start_(start) {}

  Result<void> open() {
    pcap_.reset(pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_NANO));
    std::FILE* memory = open_memstream(&octets_, &size_);
    if (pcap_ == nullptr || memory == nullptr) return fail(Errc::io, "pcap: no memory");
    dump_.reset(pcap_dump_fopen(pcap_.get(), memory));
    if (dump_ == nullptr) return fail(Errc::io, fmt::format("pcap: {}", pcap_geterr(pcap_.get())));
    return {};
  }

  void add(Duration at, std::string_view frame) {
    // Apart, since a start in the last years that WallTime has leaves no room for a sum.
    const auto start = std::chrono::floor<std::chrono::seconds>(start_.time_since_epoch());
    const Duration since = start_.time_since_epoch() - start + at;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    pcap_pkthdr header{};
    header.ts.tv_sec = start.count() + seconds.count();
    header.ts.tv_usec = (since - seconds).count();  // nanoseconds, by the file's precision
    header.len = static_cast<bpf_u_int32>(frame.size());
    header.caplen = std::min<bpf_u_int32>(header.len, kSnapLength);
    pcap_dump(reinterpret_cast<u_char*>(dump_.get()), &header, reinterpret_cast<const u_char*>(frame.data()));
  }

  std::string take() {
    dump_.reset();  // closes the memory: now octets_ is whole
    std::string out(octets_, size_);
    return out;
  }

  ~CaptureFile() {
    dump_.reset();
    std::free(octets_);
  }
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

 private:
  struct Close {
    void operator()(pcap_t* pcap) const { pcap_close(pcap); }
    void operator()(pcap_dumper_t* dump) const { pcap_dump_close(dump); }
  };
  WallTime start_;
  char* octets_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<pcap_t, Close> pcap_;
  std::unique_ptr<pcap_dumper_t, Close> dump_;
};

// Makes segments of what happens to one connection.
class TcpWriter {
 public:
  TcpWriter(ConnectionId id, const Route& route, CaptureFile& file) : route_(route), file_(file) {
    // Any will do, as long as it is the same in each run; these do not begin at the same number on both sides.
    sides_[0].first = id * 2654435761u;
    sides_[1].first = sides_[0].first ^ 0x5bd1e995u;
  }

  void write(const Happening& what) {
    at_ = what.at;
    const Side from = what.from;
    if (side(from).gone_at && *side(from).gone_at <= at_ && what.what != Happening::What::arrival) return;
    switch (what.what) {
      case Happening::What::syn:
      case Happening::What::syn_again: return send(from, {.sequence = side(from).first, .syn = true});
      case Happening::What::syn_ack: {
        side(from).received = side(other(from)).first + 1;
        return send(from, {.sequence = side(from).first, .syn = true, .ack = true});
      }
      case Happening::What::established:
        side(from).received = side(other(from)).first + 1;
        return send(from, {.sequence = side(from).first + 1, .ack = true});
      case Happening::What::refusal:
        side(from).received = side(other(from)).first + 1;
        return send(from, {.sequence = 0, .ack = true, .rst = true});
      case Happening::What::unreachable: {
        const std::string syn = tcp_frame(route_.from, route_.to, {.sequence = side(Side::opener).first, .syn = true});
        return file_.add(at_, unreachable_frame(route_.from, syn));
      }
      case Happening::What::octets:
      case Happening::What::octets_again: return octets(what);
      case Happening::What::arrival: return arrival(other(from), sequence(from, what.begin), sequence(from, what.end));
      case Happening::What::fin:
        send(from, {.sequence = sequence(from, route_.sent[index(from)]), .ack = true, .fin = true});
        return;
      case Happening::What::network_fin: {
        const std::uint32_t next = side(other(from)).received;
        send(from, {.sequence = next, .ack = true, .fin = true});
        return arrival(other(from), next, next + 1);
      }
      case Happening::What::fin_arrival: {
        const std::uint32_t fin = sequence(from, route_.sent[index(from)]);
        return arrival(other(from), fin, fin + 1);
      }
      case Happening::What::reset: {
        const std::uint32_t next = side(from).sent_fin + sequence(from, side(from).sent);
        send(from, {.sequence = next, .ack = true, .rst = true});
        side(from).gone_at = at_;
        auto& theirs = side(other(from)).gone_at;
        theirs = std::min(theirs.value_or(Duration::max()), at_ + route_.one_way);
        return;
      }
      case Happening::What::datagram: break;
    }
  }

 private:
  struct State {
    std::uint32_t first = 0;     // its initial sequence number
    std::uint32_t received = 0;  // the next sequence number that it wants
    std::uint64_t sent = 0;      // octets
    std::uint32_t sent_fin = 0;
    std::optional<Duration> gone_at;  // it has cut the connection, or knows that the other has
  };

  State& side(Side which) { return sides_[index(which)]; }
  std::uint32_t sequence(Side from, std::uint64_t offset) {
    return side(from).first + 1 + static_cast<std::uint32_t>(offset);
  }

  void octets(const Happening& what) {
    const std::size_t most = segment_max(route_.from.address());
    for (std::size_t at = 0; at < what.octets.size(); at += most) {
      TcpSegment segment{.sequence = sequence(what.from, what.begin + at), .ack = true};
      segment.payload = what.octets.substr(at, most);
      segment.psh = at + most >= what.octets.size();
      send(what.from, segment);
    }
    side(what.from).sent = std::max(side(what.from).sent, what.end);
  }

  // What is not the next is not acknowledged: something before it was lost.
  void arrival(Side at, std::uint32_t begin, std::uint32_t end) {
    State& reader = side(at);
    if (reader.gone_at && *reader.gone_at <= at_) return;
    if (reader.received != begin) return;
    reader.received = end;
    send(at, {.sequence = sequence(at, reader.sent) + reader.sent_fin, .ack = true});
  }

  void send(Side from, TcpSegment segment) {
    segment.acknowledgment = side(from).received;
    if (segment.fin) side(from).sent_fin = 1;
    const bool opener = from == Side::opener;
    file_.add(at_, tcp_frame(opener ? route_.from : route_.to, opener ? route_.to : route_.from, segment));
  }

  const Route& route_;
  CaptureFile& file_;
  std::array<State, 2> sides_;
  Duration at_{};
};

}  // namespace

Result<std::string> pcap_view(const Recording& recording) {
  if (!all_times_fit(recording)) return fail(Errc::invalid, "its times are not those of a capture");
  Planner planner(recording);
  const std::vector<Happening> happenings = planner.plan();
  CaptureFile file(recording.start);
  if (auto opened = file.open(); !opened) return std::unexpected(opened.error());
  std::map<ConnectionId, TcpWriter> writers;
  for (const auto& [id, route] : planner.routes()) writers.try_emplace(id, id, route, file);
  for (const Happening& happening : happenings) {
    if (happening.datagram != nullptr) {
      file.add(happening.at,
               udp_frame(happening.datagram->from, happening.datagram->to, happening.datagram->octets));
    } else {
      writers.at(happening.connection).write(happening);
    }
  }
  return file.take();
}

std::string key_log(const Recording& recording) {
  std::string lines;
  for (const Record& record : recording.records) {
    if (const auto* key = std::get_if<record::TlsKey>(&record.what)) lines += key->line + '\n';
  }
  return lines;
}

}  // namespace postproof::sim
