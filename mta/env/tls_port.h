// How TLS (mta/tls) reaches the world: the OpenSSL library context that its randomness and algorithms come from, and
// an observer that is told what is sent and read within TLS. On the operating system nobody observes; a simulation
// records it, since no judge could read the wire otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

struct ossl_lib_ctx_st;

namespace postproof {

class Stream;

// What became of TLS on a connection, as one side tells it. Views, valid during the call.
struct TlsReport {
  enum class State : std::uint8_t { established, failed, closed, truncated };
  State state = State::established;
  std::string_view version;      // "TLSv1.3"; empty before it is agreed
  std::string_view cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string_view server_name;  // SNI; empty when there was none
  std::string_view verified;     // of the other side's certificate: "" not asked, "ok", or the reason why it is not
  std::string_view detail;       // of a failure
};

class TlsPort {
 public:
  virtual ~TlsPort() = default;

  // Made on first use and the same from then on; null is the process's own. What was made from it keeps it.
  virtual std::shared_ptr<ossl_lib_ctx_st> library() = 0;

  // False: none of what follows is of any use to anybody, and none of it is called.
  virtual bool observes() const = 0;
  // `under` is the connection that TLS runs over. The octets are about to be sent as the next `carried_by` octets
  // there.
  virtual void plain(const Stream& under, std::string_view octets, std::size_t carried_by) = 0;
  // What the other side has sent, as it is handed to this side's reader.
  virtual void heard(const Stream& under, std::string_view octets) = 0;
  virtual void report(const Stream& under, const TlsReport& report) = 0;
  // A line of the key log, in the format of NSS, without its line end. Both sides have the same keys, and tell them.
  virtual void key(const Stream& under, std::string_view line) = 0;
};

// Nobody observes. The process's own OpenSSL, unless it is given another.
class ProcessTls final : public TlsPort {
 public:
  explicit ProcessTls(std::shared_ptr<ossl_lib_ctx_st> library = nullptr) : library_(std::move(library)) {}

  std::shared_ptr<ossl_lib_ctx_st> library() override { return library_; }
  bool observes() const override { return false; }
  void plain(const Stream&, std::string_view, std::size_t) override {}
  void heard(const Stream&, std::string_view) override {}
  void report(const Stream&, const TlsReport&) override {}
  void key(const Stream&, std::string_view) override {}

 private:
  std::shared_ptr<ossl_lib_ctx_st> library_;
};

}  // namespace postproof
