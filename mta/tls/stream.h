// TLS over a connection (RFC 8446, RFC 5246): an env::Stream of what is sent and read through it. It owns the
// connection from the moment it is made. Octets pass through memory; nothing here reads or writes but by the inner
// stream.
//
// The contracts of Stream hold, and these besides:
//  - An end of the connection without close_notify is an error, Errc::unexpected_eof: what came may have been cut short
//    (RFC 8446 section 6.1). close_notify is the end of the peer's direction: reads give 0.
//  - Octets that are no TLS are an error, Errc::protocol, and are never given to the reader; so are octets that came
//    along with the close_notify.
//  - close() and shutdown_send() send close_notify, which takes a moment: the inner stream is closed behind it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/env/env.h"
#include "mta/tls/context.h"

struct ssl_st;

namespace postproof::tls {

// What a handshake came to.
struct Agreed {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI
  std::string verified;     // of the other side's certificate: "" not asked, "ok", or the reason why it is not
  // Of a server's end, what binds a login to this connection: tls-exporter (RFC 9266; of TLS 1.3) and
  // tls-server-end-point (RFC 5929 section 4), as octets; empty: not to be had.
  std::string exporter{};
  std::string server_end_point{};
  // Of a server's end, whom the client's certificate names if it checked out: mail addresses, the subject's common
  // name, host names.
  std::vector<std::string> client_names{};

  // For people: "TLSv1.3 TLS_AES_256_GCM_SHA384", then "verified" or "not verified: REASON" if it was asked.
  std::string to_string() const;
};

class Stream final : public postproof::Stream {
 public:
  // `under` has been read up to and without `buffered`, what its reader still holds: any octet there is an injection,
  // or a peer that is out of step, and makes the handshake fail (RFC 3207 section 6). `server_name` is whom a client
  // wants to speak to: it is sent as SNI and looked for in the certificate, a name or an address in text; empty for a
  // server.
  Stream(Env& env, std::shared_ptr<const Context> context, std::unique_ptr<postproof::Stream> under,
         std::string_view buffered, std::string server_name = {});
  ~Stream() override;

  // Once, before anything is read or written; close() and reset() may come while it waits. After an error the stream is
  // useless. Errors: Errc::protocol with the alert or the certificate's fault, and those of the inner stream.
  Task<Result<void>> handshake(Deadline deadline);
  const Agreed& agreed() const;

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override;
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override;
  void shutdown_send() override;
  void reset() override;
  void close() noexcept override;
  const Endpoint& local() const override;
  const Endpoint& peer() const override;

  // OpenSSL's object, for what only a simulated peer does to it before the handshake.
  ssl_st* native() const;

 private:
  class Engine;
  std::shared_ptr<Engine> engine_;  // calls that wait keep it
};

}  // namespace postproof::tls
