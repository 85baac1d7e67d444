#include "sim/view/hosts.h"

#include <algorithm>
#include <map>

namespace postproof::sim {

namespace {

struct Seen {
  std::size_t order = 0;  // of its first word
  bool opens = false, accepts = false, tells = false, answers_dns = false, spoken_of = false;
};

class Collector {
 public:
  void take(const Record& record) {
    std::visit([this](const auto& r) { look(r); }, record.what);
  }

  std::vector<ViewHost> hosts() const {
    std::vector<std::pair<std::size_t, ViewHost>> found;
    for (const auto& [name, seen] : seen_) {
      if (!name.empty() && seen.spoken_of) found.emplace_back(seen.order, ViewHost{name, role(seen)});
    }
    std::ranges::sort(found, [](const auto& a, const auto& b) {
      if (a.second.role != b.second.role) return a.second.role < b.second.role;
      return a.first < b.first;
    });
    std::vector<ViewHost> hosts;
    for (auto& [order, host] : found) hosts.push_back(std::move(host));
    return hosts;
  }

 private:
  static ViewHost::Role role(const Seen& seen) {
    if (seen.answers_dns) return ViewHost::Role::dns;
    if (seen.tells) return ViewHost::Role::mta;
    return seen.opens && !seen.accepts ? ViewHost::Role::client : ViewHost::Role::peer;
  }

  Seen& word(const std::string& name) {
    Seen& seen = seen_[name];
    if (!seen.spoken_of) seen.order = ++words_;
    seen.spoken_of = true;
    return seen;
  }

  template <class Other>
  void look(const Other&) {}
  void look(const record::NodeState& r) {
    if (r.state != "start") word(r.node);
  }
  void look(const record::Dial& r) {
    word(r.from_node).opens = true;
    if (!r.to_node.empty()) word(r.to_node).accepts = true;
  }
  void look(const record::Datagram& r) {
    word(r.from_node);
    word(r.to_node);
  }
  void look(const record::Dns& r) {
    word(r.client);
    word(r.server).answers_dns = true;
  }
  void look(const record::PeerMessage& r) { word(r.peer); }
  void look(const record::ClientMessage& r) { word(r.client); }
  void look(const record::ScriptFailure& r) { word(r.node); }
  void look(const record::MtaEvent& r) { word(r.node).tells = true; }

  std::map<std::string, Seen> seen_;
  std::size_t words_ = 0;
};

}  // namespace

std::vector<ViewHost> hosts_of(const Recording& recording) {
  Collector collector;
  for (const Record& record : recording.records) collector.take(record);
  return collector.hosts();
}

std::optional<std::size_t> host_of_fault(const std::vector<ViewHost>& hosts, std::string_view where) {
  const std::string_view name = where.substr(0, where.find_first_of(":| "));
  const auto at = std::ranges::find(hosts, name, &ViewHost::name);
  if (at == hosts.end()) return std::nullopt;
  return static_cast<std::size_t>(at - hosts.begin());
}

}  // namespace postproof::sim
