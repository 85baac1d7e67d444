#include "mta/dns/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "mta/dns/ldns_handle.h"

namespace postproof::dns {

namespace {

constexpr std::size_t kHeaderOctets = 12;
// A message that announces more is not read: a compressed name may be long to follow, and no sane resolver
// sends as many.
constexpr unsigned kMessageRecordsMax = 2000;
constexpr unsigned kBadVersion = 16;  // RFC 6891 section 6.1.3, an extended RCODE

// The fixed header, RFC 1035 section 4.1.1 (AD: RFC 4035 section 3.2.3).
struct Header {
  std::uint16_t id;
  bool response, authoritative, truncated, recursion_available, authentic;
  unsigned opcode, rcode;
  unsigned questions, records;
};

Header read_header(const std::uint8_t* octets) {
  const auto number = [octets](std::size_t at) -> unsigned { return octets[at] << 8U | octets[at + 1]; };
  Header header{};
  header.id = static_cast<std::uint16_t>(number(0));
  header.response = (octets[2] & 0x80U) != 0;
  header.opcode = (octets[2] >> 3U) & 0x0fU;
  header.authoritative = (octets[2] & 0x04U) != 0;
  header.truncated = (octets[2] & 0x02U) != 0;
  header.recursion_available = (octets[3] & 0x80U) != 0;
  header.authentic = (octets[3] & 0x20U) != 0;
  header.rcode = octets[3] & 0x0fU;
  header.questions = number(4);
  header.records = number(6) + number(8) + number(10);
  return header;
}

std::string rcode_text(unsigned rcode) {
  static constexpr std::string_view kNames[] = {"noerror", "formerr", "servfail", "nxdomain", "notimp", "refused"};
  if (rcode < std::size(kNames)) return std::string(kNames[rcode]);
  return fmt::format("rcode {}", rcode);
}

Answer useless(std::string text) {
  Answer answer;
  answer.text = std::move(text);
  return answer;
}

// RFC 2181 section 8: a TTL with its highest bit set is taken as 0.
Duration ttl_of(std::uint32_t seconds) {
  return seconds > 0x7fffffffU ? Duration{} : Duration{std::chrono::seconds{seconds}};
}

std::string name_text(const ldns_rdf* name) {
  std::string text = ascii_lower(ldns_text(name));
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// A field of a record if it is there, is of the kind that its place asks for, and has the right size.
const ldns_rdf* field(const ldns_rr* record, std::size_t index, ldns_rdf_type kind, std::size_t size = 0) {
  if (index >= ldns_rr_rd_count(record)) return nullptr;
  const ldns_rdf* data = ldns_rr_rdf(record, index);
  if (data == nullptr || ldns_rdf_get_type(data) != kind) return nullptr;
  if (size != 0 && ldns_rdf_size(data) != size) return nullptr;
  return data;
}

template <std::size_t N>
std::array<std::uint8_t, N> octets_of(const ldns_rdf* data) {
  std::array<std::uint8_t, N> octets;
  std::memcpy(octets.data(), ldns_rdf_data(data), N);
  return octets;
}

// The record as a value; none if its data is not what its type asks for (empty RDATA, for one).
std::optional<Record> read_record(const ldns_rr* record, Type type) {
  switch (type) {
    case Type::a:
      if (const ldns_rdf* address = field(record, 0, LDNS_RDF_TYPE_A, 4)) return IpAddress::v4(octets_of<4>(address));
      return std::nullopt;
    case Type::aaaa:
      if (const ldns_rdf* address = field(record, 0, LDNS_RDF_TYPE_AAAA, 16)) {
        return IpAddress::v6(octets_of<16>(address));
      }
      return std::nullopt;
    case Type::mx: {
      const ldns_rdf* preference = field(record, 0, LDNS_RDF_TYPE_INT16, 2);
      const ldns_rdf* host = field(record, 1, LDNS_RDF_TYPE_DNAME);
      if (preference == nullptr || host == nullptr) return std::nullopt;
      return Mx{ldns_rdf2native_int16(preference), name_text(host)};
    }
    case Type::cname:
      if (const ldns_rdf* name = field(record, 0, LDNS_RDF_TYPE_DNAME)) return name_text(name);
      return std::nullopt;
    case Type::txt: {
      // Strings of up to 255 octets, each behind its length: they are one text (RFC 7208 section 3.3).
      std::string text;
      for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
        const ldns_rdf* part = field(record, i, LDNS_RDF_TYPE_STR);
        if (part == nullptr || ldns_rdf_size(part) == 0) return std::nullopt;
        text.append(reinterpret_cast<const char*>(ldns_rdf_data(part)) + 1, ldns_rdf_size(part) - 1);
      }
      return text;
    }
  }
  return std::nullopt;
}

// How long a negative answer holds: the lesser of the SOA's TTL and its MINIMUM; without an SOA of a zone
// that the name is in, not at all (RFC 2308 section 5).
std::optional<Duration> negative_ttl(const ldns_rr_list* authority, const std::string& name) {
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(authority); ++i) {
    const ldns_rr* record = ldns_rr_list_rr(authority, i);
    if (ldns_rr_get_type(record) != LDNS_RR_TYPE_SOA) continue;
    const std::string zone = name_text(ldns_rr_owner(record));
    if (!zone.empty() && name != zone && !name.ends_with("." + zone)) continue;
    if (ldns_rr_rd_count(record) != 7) continue;
    const ldns_rdf* minimum = ldns_rr_rdf(record, 6);
    if (minimum == nullptr || ldns_rdf_size(minimum) != 4) continue;
    return std::min(ttl_of(ldns_rdf2native_int32(minimum)), ttl_of(ldns_rr_ttl(record)));
  }
  return std::nullopt;
}

bool has_ns(const ldns_rr_list* authority) {
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(authority); ++i) {
    if (ldns_rr_get_type(ldns_rr_list_rr(authority, i)) == LDNS_RR_TYPE_NS) return true;
  }
  return false;
}

// The answer section from the name asked for, along its CNAMEs, to the records of the type.
class Reading {
 public:
  Reading(const ldns_pkt* packet, const Question& question, const ldns_rdf* asked)
      : answers_(ldns_pkt_answer(packet)), authority_(ldns_pkt_authority(packet)), question_(question), name_(asked) {}

  Answer run(const Header& header) {
    bool looped = false;
    while (!collect() && !looped) {
      const ldns_rr* cname = alias_of_name();
      if (cname == nullptr) break;
      looped = !follow(cname);
    }
    answer_.authentic = header.authentic;
    if (looped) {
      answer_.kind = Answer::Kind::endless;
      answer_.text = "cname loop, or chain of over " + std::to_string(kAliasesMax);
    } else if (!answer_.records.empty()) {
      finish_found(header);
    } else {
      finish_negative(header);
    }
    return std::move(answer_);
  }

 private:
  bool is_of(const ldns_rr* record, Type type) const {
    return ldns_rr_get_class(record) == LDNS_RR_CLASS_IN &&
           ldns_rr_get_type(record) == static_cast<ldns_rr_type>(static_cast<std::uint16_t>(type)) &&
           ldns_dname_compare(ldns_rr_owner(record), name_) == 0;
  }

  // The records of the wanted type at the present name.
  bool collect() {
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers_); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(answers_, i);
      if (!is_of(record, question_.type)) continue;
      std::optional<Record> value = read_record(record, question_.type);
      if (!value) continue;
      shorten(ttl_of(ldns_rr_ttl(record)));
      answer_.records.push_back(std::move(*value));
      if (answer_.records.size() == kRecordsMax) break;
    }
    return !answer_.records.empty();
  }

  const ldns_rr* alias_of_name() const {
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers_); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(answers_, i);
      if (is_of(record, Type::cname) && field(record, 0, LDNS_RDF_TYPE_DNAME) != nullptr) return record;
    }
    return nullptr;
  }

  // False: the name was there before, or there were too many.
  bool follow(const ldns_rr* cname) {
    name_ = ldns_rr_rdf(cname, 0);
    std::string alias = name_text(name_);
    if (answer_.aliases.size() == kAliasesMax || alias == question_.name ||
        std::find(answer_.aliases.begin(), answer_.aliases.end(), alias) != answer_.aliases.end()) {
      return false;
    }
    shorten(ttl_of(ldns_rr_ttl(cname)));
    answer_.aliases.push_back(std::move(alias));
    return true;
  }

  void finish_found(const Header& header) {
    answer_.text = fmt::format("noerror {} record{}", answer_.records.size(), answer_.records.size() == 1 ? "" : "s");
    if (header.rcode != LDNS_RCODE_NOERROR) {
      answer_ = useless(rcode_text(header.rcode) + " with an answer");
      return;
    }
    answer_.kind = Answer::Kind::found;
    answer_.ttl = ttl_.value_or(Duration{});
  }

  void finish_negative(const Header& header) {
    const std::optional<Duration> negative = negative_ttl(authority_, name_text(name_));
    const bool nxdomain = header.rcode == LDNS_RCODE_NXDOMAIN;
    // RFC 2308 section 2.2: an NS without an SOA is a referral: the server does not resolve for us. Nor does
    // one that neither recurses nor has the zone (lame).
    const bool resolves = header.recursion_available || header.authoritative;
    if (!resolves || (!nxdomain && !negative && answer_.aliases.empty() && has_ns(authority_))) {
      answer_ = useless(resolves ? "referral" : "lame");
      return;
    }
    if (!nxdomain && !negative && !answer_.aliases.empty()) {
      answer_.kind = Answer::Kind::alias;  // nothing is said of the name at its end
      answer_.text = "noerror alias";
      answer_.ttl = ttl_.value_or(Duration{});
      return;
    }
    // RFC 6604 section 3: with CNAMEs, the RCODE speaks of the last name.
    answer_.kind = nxdomain ? Answer::Kind::no_such_domain : Answer::Kind::no_data;
    answer_.text = nxdomain ? "nxdomain" : "noerror 0 records";
    if (negative) {
      shorten(*negative);
      answer_.ttl = *ttl_;
    }
  }

  void shorten(Duration ttl) { ttl_ = ttl_ ? std::min(*ttl_, ttl) : ttl; }

  const ldns_rr_list* answers_;
  const ldns_rr_list* authority_;
  const Question& question_;
  const ldns_rdf* name_;  // how far the chain has led
  std::optional<Duration> ttl_;
  Answer answer_;
};

}  // namespace

std::string write_question(const Question& question) {
  ldns_rdf* name = ldns_dname_new_frm_str(question.name.c_str());
  PP_CHECK(name != nullptr, "a question for a name that is none");
  // The packet takes the name over.
  const LdnsPacket packet(ldns_pkt_query_new(name, static_cast<ldns_rr_type>(static_cast<std::uint16_t>(question.type)),
                                             LDNS_RR_CLASS_IN, LDNS_RD));
  PP_CHECK(packet != nullptr, "out of memory");
  ldns_pkt_set_id(packet.get(), question.id);
  ldns_pkt_set_ad(packet.get(), true);
  if (question.edns) ldns_pkt_set_edns_udp_size(packet.get(), kUdpPayload);
  std::string octets = ldns_octets(packet.get());
  PP_CHECK(!octets.empty(), "a question that cannot be written");
  return octets;
}

std::optional<Answer> read_answer(std::string_view octets, const Question& question) {
  if (octets.size() < kHeaderOctets) return std::nullopt;
  const auto* data = reinterpret_cast<const std::uint8_t*>(octets.data());
  const Header header = read_header(data);
  if (header.id != question.id || !header.response || header.opcode != LDNS_PACKET_QUERY) return std::nullopt;

  // RFC 6891 section 7: who does not know EDNS answers FORMERR, at times with nothing but the header.
  const bool no_edns = header.rcode == LDNS_RCODE_FORMERR || header.rcode == LDNS_RCODE_NOTIMPL;
  if (header.questions != 1 && !(header.questions == 0 && no_edns)) return std::nullopt;

  const LdnsData asked(ldns_dname_new_frm_str(question.name.c_str()));
  PP_CHECK(asked != nullptr, "an answer for a name that is none");
  if (header.questions == 1) {
    std::size_t at = kHeaderOctets;
    ldns_rr* parsed = nullptr;
    if (ldns_wire2rr(&parsed, data, octets.size(), &at, LDNS_SECTION_QUESTION) != LDNS_STATUS_OK) return std::nullopt;
    const LdnsRecord echoed(parsed);
    if (ldns_rr_get_class(echoed.get()) != LDNS_RR_CLASS_IN ||
        ldns_rr_get_type(echoed.get()) != static_cast<ldns_rr_type>(static_cast<std::uint16_t>(question.type)) ||
        ldns_dname_compare(ldns_rr_owner(echoed.get()), asked.get()) != 0) {
      return std::nullopt;
    }
  }

  // From here on it is the server's answer to this question, or as good as one: what makes no sense is useless.
  if (no_edns) {
    Answer answer = useless(rcode_text(header.rcode));
    if (question.edns) answer.kind = Answer::Kind::no_edns;
    return answer;
  }
  if (header.rcode != LDNS_RCODE_NOERROR && header.rcode != LDNS_RCODE_NXDOMAIN) {
    return useless(rcode_text(header.rcode));
  }
  if (header.truncated) {
    // RFC 2181 section 9: what it holds all the same is not used. It need not even parse.
    Answer answer = useless("truncated");
    answer.kind = Answer::Kind::truncated;
    return answer;
  }
  if (header.records > kMessageRecordsMax) return useless("too many records");
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, data, octets.size()) != LDNS_STATUS_OK) return useless("malformed");
  const LdnsPacket packet(parsed);
  const unsigned rcode = unsigned{ldns_pkt_edns_extended_rcode(packet.get())} << 4U | header.rcode;
  if (rcode == kBadVersion && question.edns) {
    Answer answer = useless("badvers");
    answer.kind = Answer::Kind::no_edns;
    return answer;
  }
  if (rcode > 0x0fU) return useless(rcode_text(rcode));
  return Reading(packet.get(), question, asked.get()).run(header);
}

}  // namespace postproof::dns
