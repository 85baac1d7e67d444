#include "sim/judge/sight.h"

#include <fmt/format.h>

#include "sim/judge/expect.h"

namespace postproof::sim {

namespace {

// What the dialing side finds of a certificate, and what it says of a failure, crosses no wire.
constexpr const char* kVerified = "whether a certificate is good is found by the MTA itself";

std::string why(const ExpectDelivered& delivered) { return delivered.tls == "verified" ? kVerified : ""; }
std::string why(const ExpectAttempts&) { return "attempts are told by the MTA itself"; }
std::string why(const ExpectQueue&) { return "what stands in a queue is told by the MTA itself"; }
std::string why(const ExpectLog&) { return "the log is the MTA's own"; }
std::string why(const ExpectResource& resource) {
  const bool of_disk = resource.of == "disk_operations" || resource.of == "syncs";
  return of_disk ? "nobody sees the MTA's disk" : "";
}
std::string why(const ExpectEnd& end) {
  if (end.queue) return "what is left in queues is told by the MTA itself";
  if (end.when) return "when it ends depends on how long somebody watches";
  return "";
}
std::string why(const ExpectNever& never) {
  if (never.tls == "verified") return kVerified;
  return is_wire_event(never.event) ? "" : fmt::format("\"{}\" is an event of the MTA's own", never.event);
}
std::string why(const ExpectTls& tls) {
  if (!tls.verified.empty()) return kVerified;
  return tls.detail.empty() ? "" : "half of what is told of a failure is told by the MTA itself";
}
template <class Other>
std::string why(const Other&) {
  return "";
}

std::string name(const ExpectDelivered&) { return "delivered"; }
std::string name(const ExpectDsn&) { return "dsn"; }
std::string name(const ExpectAttempts&) { return "attempts"; }
std::string name(const ExpectQueue&) { return "queue"; }
std::string name(const ExpectReply&) { return "reply"; }
std::string name(const ExpectWire&) { return "wire"; }
std::string name(const ExpectHeader&) { return "header"; }
std::string name(const ExpectLog&) { return "log"; }
std::string name(const ExpectDns&) { return "dns"; }
std::string name(const ExpectResource&) { return "resource"; }
std::string name(const ExpectRate&) { return "rate"; }
std::string name(const ExpectDistribution&) { return "distribution"; }
std::string name(const ExpectNever&) { return "never"; }
std::string name(const ExpectTls&) { return "tls"; }
std::string name(const ExpectEnd&) { return "end"; }

}  // namespace

std::string beyond_the_wire(const Expect& expect) {
  return std::visit([](const auto& what) { return why(what); }, expect.what);
}

std::string expectation_name(const Expect& expect) {
  return "expect " + std::visit([](const auto& what) { return name(what); }, expect.what);
}

}  // namespace postproof::sim
