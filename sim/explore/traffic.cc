#include "sim/explore/traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/base/limits.h"
#include "sim/scenario/server_tls.h"

namespace postproof::sim {

namespace {

using document::Array;
using document::Document;
using document::Section;
using document::Table;
using document::Value;
using namespace std::chrono_literals;

constexpr std::uint64_t kServersMax = 4, kDomainsMax = 3, kSubmitsMax = 6, kRecipientsMax = 5;
constexpr std::uint64_t kLargeMin = 1000, kLargeMax = 400'000;  // octets: bodies in the journal and in files of their own
constexpr unsigned kTlsPercent = 30;  // of the worlds
// MTAs that try each half a minute: days of that would be all that a run is about.
constexpr unsigned kHastyPercent = 13;
constexpr Duration kHastyLifeMax = 2h;
constexpr std::uint64_t kSegmentsMax = 2000;  // of one message: each is an event

constexpr std::array<std::string_view, 6> kBodies = {
    "\nIts text.\n",
    "\n.\n..\n.x\n\n.",                     // dots at the begin of lines, no line end at the end
    "",                                     // a header alone
    "\n\n\n",
    "Received: from a by b; Thu, 1 Jan 2026 00:00:00 +0000\n\nwith a trace\n",
    "\nFrom the mill\n\xc3\xa9t\xc3\xa9\n"};

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Section& add(Document& document, std::string kind, std::string name) {
  return document.sections.emplace_back(Section{std::move(kind), std::move(name), false, {}});
}

std::string domain(std::uint64_t i) { return fmt::format("d{}.example", i); }
std::string server(std::uint64_t i) { return fmt::format("mx{}", i); }

void draw_zone(Document& document, std::uint64_t domains, std::uint64_t servers, Draw& draw) {
  std::string zone;
  for (std::uint64_t i = 1; i <= domains; ++i) {
    for (std::uint64_t n = draw.between(1, 3); n > 0; --n) {
      const std::uint64_t preference = 10 * draw.between(1, 3);
      const std::uint64_t host = draw.between(1, servers);
      zone += fmt::format("{}. MX {} {}.example.\n", domain(i), preference, server(host));
    }
  }
  add(document, "dns", "").body.set("zone", std::move(zone));
}

// Settings near their limits show what their defaults hide.
void draw_settings(Table& mta, Draw& draw) {
  Table retry;
  const bool hasty = draw.chance(kHastyPercent);
  const auto schedules = hasty ? std::vector<Array>{{"30s"}} : std::vector<Array>{{"15m"}, {"1m", "5m", "1h"}};
  if (hasty || draw.chance(30)) retry.set("schedule", draw.pick(schedules));
  if (draw.chance(50)) retry.set("jitter", std::int64_t{0});
  if (hasty || draw.chance(40)) retry.set("lifetime", format_duration(draw.time(10min, hasty ? kHastyLifeMax : 24h)));
  if (hasty) retry.set("bounce_lifetime", format_duration(kHastyLifeMax));
  if (!retry.entries.empty()) mta.set("retry", std::move(retry));
  Table delivery;
  if (draw.chance(20)) delivery.set("recipients_per_transaction_max", number(draw.between(1, 3)));
  if (draw.chance(20)) delivery.set("messages_per_connection_max", number(draw.between(1, 3)));
  if (draw.chance(20)) delivery.set("lanes_per_site_max", number(draw.between(1, 2)));
  if (draw.chance(20)) delivery.set("hosts_per_attempt_max", number(draw.between(1, 2)));
  if (draw.chance(20)) delivery.set("pipelining", false);
  if (!delivery.entries.empty()) mta.set("delivery", std::move(delivery));
  Table spool;
  if (draw.chance(30)) spool.set("segment_size", "1MiB");
  if (!spool.entries.empty()) mta.set("spool", std::move(spool));
}

// Where there is TLS at all, most offer it, not all as they should, and few of those who want it insist on it.
void draw_client_tls(Table& mta, Draw& draw) {
  if (draw.chance(70)) return;
  Table tls;
  tls.set("client", std::string(draw.pick(std::vector<std::string_view>{"none", "require", "verify"})));
  mta.set("tls", std::move(tls));
}
void draw_server_tls(Table& peer, Draw& draw) {
  if (draw.chance(30)) return;
  peer.set("cert", std::string(draw.chance(80) ? "valid" : draw.pick(certificate_words())));
  if (draw.chance(75)) return;
  Table tls;
  if (draw.chance(50)) {
    tls.set("version", std::string(draw.pick(std::vector<std::string_view>{"1.2", "1.3"})));
  } else {
    tls.set("record_size", number(draw.log_between(512, 16'384)));
  }
  peer.set("tls", std::move(tls));
}

void draw_mtas(Document& document, bool tls, Draw& draw) {
  const bool chain = draw.chance(20);
  Table& first = add(document, "mta", "sut").body;
  draw_settings(first, draw);
  if (tls) draw_client_tls(first, draw);
  if (!chain) return;
  Table route;
  route.set("smarthost", "[relay.example]");
  first.set("route", std::move(route));
  Table& second = add(document, "mta", "relay").body;
  draw_settings(second, draw);
  if (tls) second.set("cert", "valid");
}

void draw_server(Document& document, std::uint64_t i, bool tls, Draw& draw) {
  Table& peer = add(document, "peer", server(i)).body;
  if (tls) draw_server_tls(peer, draw);
  if (draw.chance(20)) peer.set("addresses", Array{"v4", "v6"});
  if (draw.chance(60)) return;
  Array keywords;
  for (const char* keyword : {"PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES", "X-OTHER a b"}) {
    if (draw.chance(50)) keywords.push_back(keyword);
  }
  peer.set("keywords", std::move(keywords));
}

void draw_submit(Document& document, std::uint64_t n, std::uint64_t domains, std::uint64_t large_max,
                 Draw& draw) {
  Table submit;
  submit.set("to", "sut");
  const std::string_view body = kBodies[draw.below(kBodies.size())];
  const bool eight_bit = body.find('\xc3') != std::string_view::npos;
  const std::string sender = draw.chance(70)   ? fmt::format("alice{}@src.example", n)
                             : draw.chance(50) ? std::string("nobody@nowhere.example")
                                               : std::string();
  submit.set("from", sender + (eight_bit && !sender.empty() ? " BODY=8BITMIME" : ""));
  Array recipients;
  for (std::uint64_t i = draw.log_between(1, kRecipientsMax); i > 0; --i) {
    recipients.push_back(fmt::format("r{}@{}", i, domain(draw.between(1, domains))));
  }
  submit.set("rcpt", std::move(recipients));
  submit.set("data", fmt::format("Subject: {}\n{}", n, body));
  const std::uint64_t kind = draw.below(100);
  const std::uint64_t large_min = kind < 6 && large_max > limits::kInlineBody ? limits::kInlineBody + 1 : kLargeMin;
  if (kind < 20) submit.set("size", number(draw.log_between(large_min, large_max)));
  if (kind >= 90) submit.set("count", number(draw.between(2, 12)));
  Section at{"at", "", true, {}};
  at.body.set("t", draw.chance(50) ? std::string("0s") : format_duration(draw.time(1ms, 1h)));
  at.body.set("submit", std::move(submit));
  document.sections.push_back(std::move(at));
}

// A client that ends content, or its lines, as RFC 5321 section 4.1.1.4 forbids, with another message behind it: who takes
// that for the end takes a message that nobody has sent.
void draw_smuggler(Document& document, Draw& draw) {
  const std::vector<std::string_view> ends = {"\\n.\\n", "\\r\\n.\\n", "\\n.\\r\\n", "\\r.\\r", "\\r\\n.\\r", "\\r\\n\\0.\\r\\n"};
  Table& client = add(document, "client", "smuggler").body;
  client.set("to", "sut");
  client.set("start", format_duration(draw.time(1ms, 1min)));
  client.set("script", fmt::format("< 220\n> EHLO smuggler.example\n< 250\n> MAIL FROM:<smuggler@src.example>\n< 250\n"
                                   "> RCPT TO:<r1@d1.example>\n< 250\n> DATA\n< 354\n"
                                   ">> \"Subject: outer\\r\\n\\r\\none{}MAIL FROM:<inner@src.example>\\r\\n"
                                   "RCPT TO:<r2@d1.example>\\r\\nDATA\\r\\nSubject: inner\\r\\n\\r\\ntwo\\r\\n.\\r\\n\"\n"
                                   "< 5\n> QUIT\n! eof within 5m\n",
                                   draw.pick(ends)));
}

}  // namespace

Document draw_traffic(Draw& draw) {
  Document document;
  document.head.set("title", "drawn mail");
  const std::uint64_t servers = draw.between(1, kServersMax);
  const std::uint64_t domains = draw.between(1, kDomainsMax);
  draw_zone(document, domains, servers, draw);
  const bool tls = draw.chance(kTlsPercent);
  draw_mtas(document, tls, draw);
  for (std::uint64_t i = 1; i <= servers; ++i) draw_server(document, i, tls, draw);
  Table& home = add(document, "peer", "home").body;  // takes the reports
  home.set("names", Array{"src.example"});
  std::uint64_t large_max = kLargeMax;
  if (draw.chance(20)) {
    Table& link = add(document, "link", "default").body;
    link.set("latency", format_duration(draw.time(1ms, 2s)));
    if (draw.chance(50)) {
      const std::uint64_t segment = draw.log_between(1, 1500);
      link.set("segment", number(segment));
      large_max = std::min(kLargeMax, std::max(kLargeMin, segment * kSegmentsMax));
    }
  }
  for (std::uint64_t n = draw.log_between(1, kSubmitsMax); n > 0; --n) draw_submit(document, n, domains, large_max, draw);
  if (draw.chance(20)) draw_smuggler(document, draw);
  return document;
}

}  // namespace postproof::sim
