#include "sim/dns/responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/check.h"
#include "mta/dns/ldns_handle.h"
#include "sim/dns/zone_lookup.h"

namespace postproof::sim {

namespace {

using dns::LdnsPacket;

constexpr std::size_t kHeaderOctets = 12;
constexpr std::size_t kPlainUdpMax = 512;    // RFC 1035 section 4.2.1
constexpr std::size_t kServerUdpMax = 4096;  // that we send, whatever a client takes
constexpr std::uint16_t kServerPayload = 1232;
constexpr std::string_view kAdText = " [ad]";

std::string type_text(ldns_rr_type type) {
  const std::unique_ptr<char, dns::LdnsFree> text(ldns_rr_type2str(type));
  return text ? std::string(text.get()) : std::string();
}

std::string undotted(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// "MX 10 mx1.dest.example"
std::string record_text(const ldns_rr* record) {
  std::string text = type_text(ldns_rr_get_type(record));
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* data = ldns_rr_rdf(record, i);
    const bool name = ldns_rdf_get_type(data) == LDNS_RDF_TYPE_DNAME && ldns_rdf_size(data) > 1;
    const std::string field = dns::ldns_text(data);
    text += ' ' + (name ? undotted(field) : field);
  }
  return text;
}

// An answer that has no question in it: for what cannot be parsed, and for servers of before EDNS.
std::string bare_answer(std::string_view question, ldns_pkt_rcode rcode) {
  std::string octets(kHeaderOctets, '\0');
  octets[0] = question[0];
  octets[1] = question[1];
  octets[2] = static_cast<char>(0x80U | (static_cast<unsigned char>(question[2]) & 0x79U));  // QR; opcode and RD
  octets[3] = static_cast<char>(0x80U | static_cast<unsigned>(rcode));                       // RA
  return octets;
}

// One question under way: the packet that came, and the one that goes out.
class Reply {
 public:
  Reply(const ldns_pkt* query, DnsTransport transport) : query_(query), transport_(transport), packet_(ldns_pkt_new()) {
    ldns_pkt_set_id(packet_.get(), ldns_pkt_id(query));
    ldns_pkt_set_qr(packet_.get(), true);
    ldns_pkt_set_opcode(packet_.get(), ldns_pkt_get_opcode(query));
    ldns_pkt_set_rd(packet_.get(), ldns_pkt_rd(query));
    ldns_pkt_set_ra(packet_.get(), true);
    ldns_pkt_set_cd(packet_.get(), ldns_pkt_cd(query));
    ldns_rr_list* questions = ldns_pkt_question(query);
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(questions); ++i) {
      ldns_pkt_push_rr(packet_.get(), LDNS_SECTION_QUESTION, ldns_rr_clone(ldns_rr_list_rr(questions, i)));
    }
    if (ldns_pkt_edns(query)) {
      ldns_pkt_set_edns_udp_size(packet_.get(), kServerPayload);
      ldns_pkt_set_edns_do(packet_.get(), ldns_pkt_edns_do(query));
    }
  }

  void fail(ldns_pkt_rcode rcode, std::string text) {
    ldns_pkt_set_rcode(packet_.get(), rcode);
    text_ = std::move(text);
  }

  void fill(ZoneAnswer answer) {
    switch (answer.outcome) {
      case ZoneAnswer::Outcome::failed: fail(LDNS_RCODE_SERVFAIL, "servfail"); return;
      case ZoneAnswer::Outcome::no_such_name: fail(LDNS_RCODE_NXDOMAIN, "nxdomain"); break;
      case ZoneAnswer::Outcome::no_data: text_ = "nodata"; break;
      case ZoneAnswer::Outcome::found: text_ = "noerror"; break;
    }
    const char* separator = ": ";
    for (dns::LdnsRecord& record : answer.answer) {
      text_ += std::exchange(separator, ", ") + record_text(record.get());
      ldns_pkt_push_rr(packet_.get(), LDNS_SECTION_ANSWER, record.release());
    }
    if (answer.soa) ldns_pkt_push_rr(packet_.get(), LDNS_SECTION_AUTHORITY, answer.soa.release());
    // RFC 6840 section 5.8: AD for those who asked with AD or DO.
    const bool wanted = ldns_pkt_ad(query_) || (ldns_pkt_edns(query_) && ldns_pkt_edns_do(query_));
    if (answer.secure && wanted) {
      ldns_pkt_set_ad(packet_.get(), true);
      text_ += kAdText;
    }
  }

  // A server that has no answer and does not recurse points at the root (RFC 1034 section 4.3.1).
  void refer() {
    ldns_pkt_set_ra(packet_.get(), false);
    push(LDNS_SECTION_AUTHORITY, ". 518400 IN NS a.root-servers.example.");
    text_ = "lame: referral to the root";
  }

  void loop(const std::string& name) {
    const std::string other = "alias." + name;
    push(LDNS_SECTION_ANSWER, fmt::format("{}. 300 IN CNAME {}.", name, other));
    push(LDNS_SECTION_ANSWER, fmt::format("{}. 300 IN CNAME {}.", other, name));
    text_ = fmt::format("noerror: CNAME {}, CNAME {}", other, name);
  }

  void drop_ad() {
    if (!ldns_pkt_ad(packet_.get())) return;
    ldns_pkt_set_ad(packet_.get(), false);
    text_ = text_.substr(0, text_.rfind(kAdText)) + " [no ad]";
  }

  void add_extra(std::string_view records, DnsSection section) {
    auto read = read_records(records);
    if (!read) return;  // the scenario was checked
    for (dns::LdnsRecord& record : *read) {
      text_ += " + " + record_text(record.get());
      const ldns_pkt_section where = section == DnsSection::answer      ? LDNS_SECTION_ANSWER
                                     : section == DnsSection::authority ? LDNS_SECTION_AUTHORITY
                                                                        : LDNS_SECTION_ADDITIONAL;
      ldns_pkt_push_rr(packet_.get(), where, record.release());
    }
  }

  // Negative answers live as long as their SOA and its minimum say (RFC 2308 section 5).
  void set_ttls(std::uint32_t ttl) {
    for (const ldns_rr_list* section : {ldns_pkt_answer(packet_.get()), ldns_pkt_authority(packet_.get())}) {
      for (std::size_t i = 0; i < ldns_rr_list_rr_count(section); ++i) {
        ldns_rr* record = ldns_rr_list_rr(section, i);
        ldns_rr_set_ttl(record, ttl);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_SOA) continue;
        constexpr std::size_t kMinimum = 6;
        const dns::LdnsData before(
            ldns_rr_set_rdf(record, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, ttl), kMinimum));
      }
    }
    text_ += fmt::format(" [ttl {} s]", ttl);
  }

  void truncate() {
    for (ldns_rr_list* section : {ldns_pkt_answer(packet_.get()), ldns_pkt_authority(packet_.get())}) {
      while (ldns_rr* record = ldns_rr_list_pop_rr(section)) ldns_rr_free(record);
    }
    ldns_pkt_set_ancount(packet_.get(), 0);
    ldns_pkt_set_nscount(packet_.get(), 0);
    ldns_pkt_set_tc(packet_.get(), true);
    text_ = "truncated";
  }

  void falsify_id() {
    ldns_pkt_set_id(packet_.get(), static_cast<std::uint16_t>(ldns_pkt_id(query_) ^ 1U));
    text_ = "wrong id: " + text_;
  }

  // The octets, cut down to what the client takes over UDP.
  std::string write() {
    std::string octets = dns::ldns_octets(packet_.get());
    if (transport_ == DnsTransport::udp && octets.size() > udp_max()) {
      truncate();
      octets = dns::ldns_octets(packet_.get());
    }
    return octets;
  }

  const std::string& text() const { return text_; }

 private:
  void push(ldns_pkt_section section, const std::string& text) {
    ldns_rr* record = nullptr;
    const ldns_status status = ldns_rr_new_frm_str(&record, text.c_str(), 0, nullptr, nullptr);
    PP_CHECK(status == LDNS_STATUS_OK, "a record of our own does not parse");
    ldns_pkt_push_rr(packet_.get(), section, record);
  }

  std::size_t udp_max() const {
    if (!ldns_pkt_edns(query_)) return kPlainUdpMax;
    return std::clamp<std::size_t>(ldns_pkt_edns_udp_size(query_), kPlainUdpMax, kServerUdpMax);
  }

  const ldns_pkt* query_;
  DnsTransport transport_;
  LdnsPacket packet_;
  std::string text_;
};

DnsResponse without_answer(DnsResponse response, DnsResponse::Act act, std::string text) {
  response.act = act;
  response.text = std::move(text);
  return response;
}

}  // namespace

Responder::Responder(ZoneData zones, const std::vector<std::string>& secure) {
  for (const std::string& name : secure) secure_.insert(zone_name(name));
  set_zones(std::move(zones));
}

void Responder::set_zones(ZoneData zones) {
  zones_ = std::move(zones);
  for (const std::string& name : secure_) zones_.add_zone(name);
}

std::optional<DnsResponse> Responder::respond(std::string_view question, DnsTransport transport) const {
  if (question.size() < kHeaderOctets || (static_cast<unsigned char>(question[2]) & 0x80U) != 0) return std::nullopt;
  DnsResponse response;
  ldns_pkt* parsed = nullptr;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(question.data());
  if (ldns_wire2pkt(&parsed, octets, question.size()) != LDNS_STATUS_OK) {
    response.octets = bare_answer(question, LDNS_RCODE_FORMERR);
    response.text = "formerr";
    return response;
  }
  const LdnsPacket query(parsed);
  Reply reply(query.get(), transport);
  const auto finish = [&] {
    for (const DnsFault* change : faults_.find_changes(response.name.empty() ? "" : zone_name(response.name))) {
      switch (change->kind) {
        case DnsFaultKind::delay: response.delay = change->by; break;
        case DnsFaultKind::insecure: reply.drop_ad(); break;
        case DnsFaultKind::extra: reply.add_extra(change->records, change->section); break;
        case DnsFaultKind::ttl: reply.set_ttls(change->ttl); break;
        default: break;
      }
      response.struck.push_back(change);
    }
    response.octets = reply.write();
    response.text = reply.text();
    return response;
  };
  const ldns_rr_list* questions = ldns_pkt_question(query.get());
  if (ldns_pkt_get_opcode(query.get()) != LDNS_PACKET_QUERY) {
    reply.fail(LDNS_RCODE_NOTIMPL, "notimp");
    return finish();
  }
  if (ldns_rr_list_rr_count(questions) != 1) {
    response.octets = bare_answer(question, LDNS_RCODE_FORMERR);
    response.text = "formerr";
    return response;
  }
  const ldns_rr* asked = ldns_rr_list_rr(questions, 0);
  const std::string name = zone_name(ldns_rr_owner(asked));
  const ldns_rr_type type = ldns_rr_get_type(asked);
  response.name = undotted(dns::ldns_text(ldns_rr_owner(asked)));
  response.type = type_text(type);
  if (ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN) {
    reply.fail(LDNS_RCODE_REFUSED, "refused: class is not IN");
    return finish();
  }

  const bool edns = ldns_pkt_edns(query.get());
  const bool validate = !ldns_pkt_cd(query.get());
  const DnsFault* fault = faults_.find(name, transport, edns);
  if (fault != nullptr) {
    response.struck.push_back(fault);
    switch (fault->kind) {
      case DnsFaultKind::timeout:
      case DnsFaultKind::edns_drop: return without_answer(std::move(response), DnsResponse::Act::silence, "silence");
      case DnsFaultKind::tcp_refuse: return without_answer(std::move(response), DnsResponse::Act::reset, "reset");
      case DnsFaultKind::formerr:
        response.octets = bare_answer(question, LDNS_RCODE_FORMERR);
        response.text = "formerr";
        return response;
      case DnsFaultKind::servfail: reply.fail(LDNS_RCODE_SERVFAIL, "servfail"); return finish();
      case DnsFaultKind::refused: reply.fail(LDNS_RCODE_REFUSED, "refused"); return finish();
      case DnsFaultKind::lame: reply.refer(); return finish();
      case DnsFaultKind::cname_loop: reply.loop(name); return finish();
      case DnsFaultKind::nxdomain:
      case DnsFaultKind::nodata:
      case DnsFaultKind::truncate:
      case DnsFaultKind::wrong_id:
      case DnsFaultKind::bogus: break;  // zone_lookup's, or done to the whole answer below
      case DnsFaultKind::delay:
      case DnsFaultKind::insecure:
      case DnsFaultKind::ttl:
      case DnsFaultKind::extra: break;  // never found here
    }
  }
  ZoneAnswer answer = look_up(zones_.impl(), secure_, faults_, name, type, fault, validate);
  response.struck.insert(response.struck.end(), answer.struck.begin(), answer.struck.end());
  reply.fill(std::move(answer));
  if (fault != nullptr && fault->kind == DnsFaultKind::truncate) reply.truncate();
  if (fault != nullptr && fault->kind == DnsFaultKind::wrong_id) reply.falsify_id();
  return finish();
}

}  // namespace postproof::sim
