// One question to one server: over UDP, again without EDNS for a server that does not know it (RFC 6891
// section 7), again over TCP after truncation (RFC 7766). Each exchange made is told as event::DnsQuery.
//
// What keeps a stranger's answer out (RFC 5452): a socket with a random port of its own and a random id for
// every question, and an answer that must come from the server asked and repeat the question.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "mta/dns/wire.h"
#include "mta/env/env.h"

namespace postproof::dns {

class Transport {
 public:
  explicit Transport(Env& env) : env_(env), ids_(env.entropy.stream("dns.query-id")) {}

  // Never `truncated` nor `no_edns`; trouble of the network is `silent`, with its reason as text.
  Task<Answer> ask(std::string name, Type type, Endpoint server, bool edns, Deadline deadline);

  // Ends what is under way, and what comes later: it is `silent`.
  void close();

 private:
  class Open;

  Question draw_question(const std::string& name, Type type, bool edns);
  Task<Answer> over_udp(Question question, Endpoint server, Deadline deadline);
  Task<Answer> over_tcp(Question question, Endpoint server, Deadline deadline);
  void tell(const Question& question, const Endpoint& server, const Answer& answer, std::string_view how);

  Env& env_;
  std::unique_ptr<Random> ids_;
  bool closed_ = false;
  std::uint64_t next_open_ = 1;
  std::map<std::uint64_t, std::function<void()>> open_;  // how to close each socket in use
};

}  // namespace postproof::dns
