// Where a handshake is cut, OpenSSL itself tells: its message callback says which octets each message became. A stream
// between TLS and the connection lets those pass that come before.
#include "sim/peer/peer_tls.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "sim/peer/server.h"
#include "sim/peer/tls_limits.h"

namespace postproof::sim {

namespace {

struct MessageWord {
  std::string_view word;
  int number;
};
constexpr std::array kMessages = {
    MessageWord{"ClientHello", SSL3_MT_CLIENT_HELLO},
    MessageWord{"ServerHello", SSL3_MT_SERVER_HELLO},
    MessageWord{"EncryptedExtensions", SSL3_MT_ENCRYPTED_EXTENSIONS},
    MessageWord{"Certificate", SSL3_MT_CERTIFICATE},
    MessageWord{"ServerKeyExchange", SSL3_MT_SERVER_KEY_EXCHANGE},
    MessageWord{"CertificateVerify", SSL3_MT_CERTIFICATE_VERIFY},
    MessageWord{"ServerHelloDone", SSL3_MT_SERVER_DONE},
    MessageWord{"ClientKeyExchange", SSL3_MT_CLIENT_KEY_EXCHANGE},
    MessageWord{"Finished", SSL3_MT_FINISHED},
};

// RFC 8446 section 6: fatal, handshake_failure.
constexpr std::string_view kAlert{"\x15\x03\x03\x00\x02\x02\x28", 7};

// Passes everything on until a limit of what is sent; there it acts.
class CutStream final : public Stream {
 public:
  CutStream(std::unique_ptr<Stream> under, const ServerTls& terms) : under_(std::move(under)), act_(terms.act) {
    const auto at = std::ranges::find(kMessages, terms.message, &MessageWord::word);
    if (at != kMessages.end()) message_ = at->number;
  }

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    return under_->read_some(into, deadline);
  }
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    const std::uint64_t room = limit_ - std::min(limit_, sent_);
    sent_ += octets.size();
    if (octets.size() <= room) co_return co_await under_->write_all(octets, deadline);
    std::string part(octets.substr(0, room));
    if (act_ == ServerTls::Act::alert && !acted_) part += kAlert;
    if (!std::exchange(acted_, true) && on_cut) on_cut();
    auto written = co_await under_->write_all(part, deadline);
    if (act_ == ServerTls::Act::reset) under_->reset();
    if (act_ == ServerTls::Act::close || act_ == ServerTls::Act::alert) under_->close();
    co_return written;
  }
  void shutdown_send() override { under_->shutdown_send(); }
  void reset() override { under_->reset(); }
  void close() noexcept override { under_->close(); }
  const Endpoint& local() const override { return under_->local(); }
  const Endpoint& peer() const override { return under_->peer(); }

  // The connection ends so many octets from here on.
  void end_after(std::uint64_t octets) {
    act_ = ServerTls::Act::close;
    limit_ = sent_ + octets;
  }

  std::function<void()> on_cut;  // called once, when it acts

  static void on_message(int writes, int, int content, const void* octets, std::size_t size, SSL*, void* self) {
    static_cast<CutStream*>(self)->saw(writes != 0, content, static_cast<const unsigned char*>(octets), size);
  }

 private:
  // OpenSSL tells the header of each record that a message became, and then the message.
  void saw(bool writes, int content, const unsigned char* octets, std::size_t size) {
    if (writes && content == SSL3_RT_HEADER && size >= 5) produced_ += 5U + (octets[3] << 8U) + octets[4];
    if (content != SSL3_RT_HANDSHAKE || size == 0) return;
    if (octets[0] == message_ && !seen_) {
      seen_ = true;
      limit_ = writes ? message_begins_ : produced_;
    }
    if (writes) message_begins_ = produced_;
  }

  std::unique_ptr<Stream> under_;
  ServerTls::Act act_;
  int message_ = -1;
  bool seen_ = false;
  bool acted_ = false;
  std::uint64_t produced_ = 0;        // octets of records, made so far
  std::uint64_t message_begins_ = 0;  // of the message that is being made
  std::uint64_t sent_ = 0;
  std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
};

// With that fault in force.
ServerTls changed_by(ServerTls tls, const Fault& fault) {
  using Answer = ServerTls::Answer;
  const std::string_view kind = std::string_view(fault.kind).substr(std::string_view("tls.").size());
  for (const std::string_view cert : {"expired", "future", "wrong-name", "self-signed", "unknown-ca", "weak-key"}) {
    if (kind == cert) tls.cert = kind;
  }
  if (kind == "certificate") tls.cert = fault.cert;
  if (kind == "not-offered") tls.offered = false;
  if (kind == "refuse") tls.answer = Answer::refuse;
  if (kind == "plaintext") tls.answer = Answer::plain;
  if (kind == "inject") tls.answer = Answer::inject;
  if (kind == "hang" || kind == "close" || kind == "reset" || kind == "alert") {
    tls.message = fault.message;
    tls.act = tls_act(kind);
  }
  if (kind == "version") tls.version = fault.version;
  if (kind == "cipher") tls.cipher = fault.cipher;
  if (kind == "hello-retry") tls.hello_retry = true;
  if (kind == "record-size") tls.record_size = fault.record_size;
  if (kind == "no-close-notify") tls.close_notify = false;
  if (kind == "truncate") tls.truncate = fault.octet.value_or(0);
  return tls;
}

// OpenSSL stamps a session with the clock of the machine, and looks at it there when the ticket comes back. In a world it
// is this moment (2100-01-01), in every run: no ticket has run out.
constexpr long kTicketTime = 4'102'444'800;

int stamp_ticket(SSL* ssl, void*) {
  SSL_SESSION_set_time(SSL_get_session(ssl), kTicketTime);
  return 1;
}

// All connections seal tickets with the same keys, so that a ticket outlives the certificate that it was issued under.
void issue_tickets(SSL* ssl) {
  std::array<unsigned char, 80> keys{};
  SSL_CTX_set_tlsext_ticket_keys(SSL_get_SSL_CTX(ssl), keys.data(), keys.size());
  SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(ssl), stamp_ticket, nullptr, nullptr);
  SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_num_tickets(ssl, 1);
}

void apply(const ServerTls& terms, SSL* ssl) {
  limit_tls(ssl, terms.version, terms.cipher);
  // Clients send a share of X25519 first.
  if (terms.hello_retry) SSL_set1_groups_list(ssl, "P-384");
  if (terms.record_size > 0) SSL_set_max_send_fragment(ssl, static_cast<long>(terms.record_size));
  if (!terms.close_notify) SSL_set_quiet_shutdown(ssl, 1);
  if (terms.tickets) issue_tickets(ssl);
}

}  // namespace

PeerTls::PeerTls(Authority& authority, ServerTls terms, std::vector<std::string> names,
                 std::vector<IpAddress> addresses)
    : authority_(authority), terms_(std::move(terms)), names_(std::move(names)), addresses_(std::move(addresses)) {}

ServerTls PeerTls::terms() const {
  ServerTls terms = terms_;
  for (const Standing& one : faults_) terms = changed_by(std::move(terms), one.fault);
  return terms;
}

void PeerTls::add_fault(std::uint64_t id, Fault fault, std::uint32_t line) {
  faults_.push_back(Standing{id, std::move(fault), line});
}

void PeerTls::remove_fault(std::uint64_t id) {
  std::erase_if(faults_, [&](const Standing& one) { return one.id == id; });
}

void PeerTls::record_faults(Recorder& recorder, const std::string& node) const {
  for (const Standing& one : faults_) {
    if (!one.waits()) recorder.add(record::Fault{one.fault.kind, node, one.line, "strikes"});
  }
}

std::function<void()> PeerTls::cut_teller(bool behind, Recorder& recorder, std::string node) const {
  const Standing* newest = nullptr;
  for (const Standing& one : faults_) {
    if (behind ? one.fault.kind == "tls.truncate" : !one.fault.message.empty()) newest = &one;
  }
  if (newest == nullptr) return {};
  std::string detail = behind ? "strikes" : "strikes at " + newest->fault.message;
  return [&recorder, told = record::Fault{newest->fault.kind, std::move(node), newest->line, std::move(detail)}] { recorder.add(told); };
}

Task<Result<void>> PeerTls::secure(Served& served, std::string_view buffered, Deadline deadline, Recorder& recorder,
                                   std::string node) {
  const ServerTls terms = this->terms();
  const tls::Identity& identity = authority_.identity(served.env(), terms.cert, names_, addresses_);
  auto context = tls::Context::server(served.env(), identity);
  if (!context) co_return std::unexpected(std::move(context.error()));
  CutStream* cut = nullptr;
  tls::Stream* secured = nullptr;
  served.wrap([&](std::unique_ptr<Stream> bare) -> std::unique_ptr<Stream> {
    auto between = std::make_unique<CutStream>(std::move(bare), terms);
    cut = between.get();
    auto made = std::make_unique<tls::Stream>(served.env(), *context, std::move(between), buffered);
    secured = made.get();
    return made;
  });
  apply(terms, secured->native());
  SSL_set_msg_callback(secured->native(), &CutStream::on_message);
  SSL_set_msg_callback_arg(secured->native(), cut);
  cut->on_cut = cut_teller(false, recorder, node);
  std::function<void()> truncated = cut_teller(true, recorder, node);
  auto done = co_await secured->handshake(deadline);
  if (done && terms.truncate) {
    cut->end_after(*terms.truncate);
    cut->on_cut = std::move(truncated);
  }
  co_return done;
}

}  // namespace postproof::sim
