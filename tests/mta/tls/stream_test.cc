// What TLS adds to a stream; the contracts of every stream are tests/env's, which run over TLS too.
#include "mta/tls/stream.h"

#include <openssl/ssl.h>

#include "tests/env/place.h"
#include "tests/mta/tls/identity.h"

namespace postproof::test {

namespace {

using tls::Context;
using ServerHalf = std::function<Task<void>(Env&, std::unique_ptr<tls::Stream>)>;

Deadline soon(Env& env) { return env.clock.mono() + 10s; }

struct Client {
  const char* roots = kTestRoot;
  Context::Verify verify = Context::Verify::require;
  std::string name = kTestName;
  std::string buffered;
};

std::unique_ptr<tls::Stream> client_over(Env& env, std::unique_ptr<Stream> bare, const Client& how) {
  auto context = Context::client(env, how.roots, how.verify);
  if (!good(context)) return nullptr;
  return std::make_unique<tls::Stream>(env, *context, std::move(bare), how.buffered, how.name);
}

std::unique_ptr<tls::Stream> server_over(Env& env, std::unique_ptr<Stream> bare, const char* client_roots = "") {
  auto context = Context::server(env, test_identity(), client_roots);
  if (!good(context)) return nullptr;
  return std::make_unique<tls::Stream>(env, *context, std::move(bare), std::string_view());
}

// Both ends over one connection on loopback; each half does its own handshake.
void run_tls(const Half& near, const Half& far) {
  const auto place = make_place();
  run_pair(*place, Transport::ip4, near, far);
}

// A server that shakes hands, says "hello" and waits for the end.
Task<void> greet(Env& env, std::unique_ptr<Stream> bare) {
  auto stream = server_over(env, std::move(bare));
  const auto done = co_await stream->handshake(soon(env));
  if (!done) co_return;
  static_cast<void>(co_await stream->write_all("hello", soon(env)));
  std::string rest(100, '\0');
  static_cast<void>(co_await stream->read_some(rest, soon(env)));
}

// What a client's handshake with that server comes to.
void expect_handshake(const Client& how, const std::function<void(const Result<void>&, const tls::Agreed&)>& look) {
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), how);
        const auto done = co_await stream->handshake(soon(env));
        look(done, stream->agreed());
      },
      greet);
}

}  // namespace

TEST_CASE("tls: both ends agree on TLS 1.3, and tell the name that was asked for") {
  tls::Agreed near_agreed, far_agreed;
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), Client{});
        const auto done = co_await stream->handshake(soon(env));
        good(done);
        near_agreed = stream->agreed();
        char octet;
        const auto got = co_await stream->read_some(std::span(&octet, 1), soon(env));
        CHECK((got && *got == 0));
      },
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = server_over(env, std::move(bare));
        const auto done = co_await stream->handshake(soon(env));
        good(done);
        far_agreed = stream->agreed();
      });
  CHECK(near_agreed.version == "TLSv1.3");
  CHECK(near_agreed.cipher == far_agreed.cipher);
  CHECK(near_agreed.verified == "ok");
  CHECK(far_agreed.server_name == kTestName);
  CHECK(far_agreed.verified == "");
}

TEST_CASE("tls: a certificate is looked at, and ends the handshake only where that is asked for") {
  Client other_name;
  other_name.name = "other.example";
  Client nobody;
  nobody.roots = "";
  Client address;
  address.name = "192.0.2.2";
  Client other_address;
  other_address.name = "192.0.2.3";

  expect_handshake(address, [](const Result<void>& done, const tls::Agreed& agreed) {
    good(done);
    CHECK(agreed.server_name == "");  // RFC 6066 section 3: an address is none
    CHECK(agreed.verified == "ok");
  });
  for (Client how : {other_name, other_address, nobody}) {
    expect_handshake(how, [](const Result<void>& done, const tls::Agreed&) {
      failed_with(Errc::protocol, done);
      CHECK(done.error().what.find("certificate verify failed") != std::string::npos);
    });
    how.verify = Context::Verify::note;
    expect_handshake(how, [&](const Result<void>& done, const tls::Agreed& agreed) {
      good(done);
      CHECK(agreed.verified != "ok");
      CHECK(agreed.verified.empty() == std::string_view(how.roots).empty());
    });
  }
}

// RFC 6066 section 3: who asks for a name of another certificate gets that one; all others get the first.
TEST_CASE("tls: a server of several names shows the certificate of the one that is asked for") {
  const tls::Identity second = other_identity();
  struct Case {
    const char* name;
    const char* root;
    bool fits;
  };
  for (const Case& c : {Case{"other.example", second.chain.c_str(), true}, Case{"mail.other.example", second.chain.c_str(), true},
                        Case{kTestName, kTestRoot, true}, Case{"192.0.2.2", kTestRoot, true},
                        Case{"unknown.example", second.chain.c_str(), false}, Case{"other.example", kTestRoot, false}}) {
    CAPTURE(c.name);
    std::string name;
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          Client how;
          how.name = c.name, how.roots = c.root;
          auto stream = client_over(env, std::move(bare), how);
          const auto done = co_await stream->handshake(soon(env));
          CHECK(done.has_value() == c.fits);
        },
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          const std::vector<tls::Identity> others = {second};
          auto context = Context::server(env, test_identity(), {}, others);
          if (!good(context)) co_return;
          tls::Stream stream(env, *context, std::move(bare), std::string_view());
          static_cast<void>(co_await stream.handshake(soon(env)));
          name = stream.agreed().server_name;
        });
    CHECK(name == (std::string_view(c.name) == "192.0.2.2" ? "" : c.name));
  }
}

TEST_CASE("tls: who wants TLS 1.3 alone speaks no 1.2") {
  for (const bool old_client : {false, true}) {
    CAPTURE(old_client);
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = client_over(env, std::move(bare), Client{});
          if (old_client) SSL_set_max_proto_version(stream->native(), TLS1_2_VERSION);
          const auto done = co_await stream->handshake(soon(env));
          CHECK(done.has_value() == !old_client);
        },
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          tls::Terms terms;
          terms.tls12 = false;
          auto context = Context::server(env, test_identity(), {}, {}, terms);
          if (!good(context)) co_return;
          tls::Stream stream(env, *context, std::move(bare), std::string_view());
          const auto done = co_await stream.handshake(soon(env));
          CHECK(done.has_value() == !old_client);
        });
  }
}

// RFC 9266 and RFC 5929 section 4: both ends come to the same octets, each on its own.
TEST_CASE("tls: what binds a login to the connection is the same at both ends, and another's on another connection") {
  std::vector<std::string> exporters, end_points;
  for (int connection = 0; connection < 2; ++connection) {
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = client_over(env, std::move(bare), Client{});
          good(co_await stream->handshake(soon(env)));
          SSL* ssl = stream->native();
          std::string exporter(32, '\0'), digest(32, '\0');
          CHECK(SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(exporter.data()), exporter.size(),
                                           "EXPORTER-Channel-Binding", 24, reinterpret_cast<const unsigned char*>(""), 0, 1) == 1);
          CHECK(X509_digest(SSL_get0_peer_certificate(ssl), EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
          exporters.push_back(exporter);
          end_points.push_back(digest);
        },
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = server_over(env, std::move(bare));
          good(co_await stream->handshake(soon(env)));
          exporters.push_back(stream->agreed().exporter);
          end_points.push_back(stream->agreed().server_end_point);
        });
  }
  REQUIRE(exporters.size() == 4);
  CHECK(exporters[0] == exporters[1]);
  CHECK(exporters[2] == exporters[3]);
  CHECK(exporters[0] != exporters[2]);
  for (const std::string& end_point : end_points) CHECK(end_point == end_points[0]);
}

TEST_CASE("tls: a client's certificate is asked for, looked at, and ends no handshake") {
  struct Case {
    const char* roots;
    bool shows;
    std::string verified;
    std::vector<std::string> names;
  };
  const std::string other_root = test_identity().chain;  // a certificate, and nobody's root
  for (const Case& one : {Case{kTestRoot, true, "ok", {kTestName}}, Case{kTestRoot, false, "", {}},
                          Case{"", true, "", {}}, Case{other_root.c_str(), true, "self-signed certificate in certificate chain", {}}}) {
    tls::Agreed agreed;
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = client_over(env, std::move(bare), Client{});
          if (one.shows) {
            const auto own = Context::server(env, test_identity());
            SSL_use_certificate(stream->native(), SSL_CTX_get0_certificate((*own)->native()));
            SSL_use_PrivateKey(stream->native(), SSL_CTX_get0_privatekey((*own)->native()));
          }
          good(co_await stream->handshake(soon(env)));
          char octet;
          static_cast<void>(co_await stream->read_some(std::span(&octet, 1), soon(env)));
        },
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = server_over(env, std::move(bare), one.roots);
          good(co_await stream->handshake(soon(env)));
          agreed = stream->agreed();
        });
    CHECK(agreed.verified == one.verified);
    CHECK(agreed.client_names == one.names);
  }
}

// RFC 3207 section 6.
TEST_CASE("tls: octets that were read in the clear before the handshake make it fail") {
  Client injected;
  injected.buffered = "250 ok\r\n";
  expect_handshake(injected, [](const Result<void>& done, const tls::Agreed&) {
    failed_with(Errc::protocol, done);
    CHECK(done.error().what.find("in the clear") != std::string::npos);
  });
}

// RFC 8446 section 6.1.
TEST_CASE("tls: an end of the connection without close_notify is an error, as often as one reads") {
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), Client{});
        const auto done = co_await stream->handshake(soon(env));
        good(done);
        const auto text = co_await read_up_to(*stream, 5, soon(env));
        CHECK((text && *text == "hello"));
        char octet;
        const auto end = co_await stream->read_some(std::span(&octet, 1), soon(env));
        failed_with(Errc::unexpected_eof, end);
        const auto again = co_await stream->read_some(std::span(&octet, 1), soon(env));
        CHECK_FALSE(again);
      },
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = server_over(env, std::move(bare));
        // What OpenSSL believes to have been sent already is not sent again.
        SSL_set_quiet_shutdown(stream->native(), 1);
        const auto done = co_await stream->handshake(soon(env));
        good(done);
        static_cast<void>(co_await stream->write_all("hello", soon(env)));
      });
}

// Cuts in between: passes everything on, and lets a test add octets of its own.
class Tap final : public Stream {
 public:
  explicit Tap(std::unique_ptr<Stream> under) : under_(std::move(under)) {}
  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    return under_->read_some(into, deadline);
  }
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    text_ = std::string(octets) + add;
    return under_->write_all(text_, deadline);
  }
  void shutdown_send() override { under_->shutdown_send(); }
  void reset() override { under_->reset(); }
  void close() noexcept override { under_->close(); }
  const Endpoint& local() const override { return under_->local(); }
  const Endpoint& peer() const override { return under_->peer(); }

  std::string add;

 private:
  std::unique_ptr<Stream> under_;
  std::string text_;
};

TEST_CASE("tls: octets in the clear are never read, neither within TLS nor behind its end") {
  for (const bool behind_the_end : {false, true}) {
    INFO("behind the end: ", behind_the_end);
    std::string got;
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = client_over(env, std::move(bare), Client{});
          const auto done = co_await stream->handshake(soon(env));
          good(done);
          std::string buffer(4096, '\0');
          for (;;) {
            const auto read = co_await stream->read_some(buffer, soon(env));
            if (!read) {
              CHECK(read.error().code == Errc::protocol);
              break;
            }
            if (*read == 0) {
              CHECK_FALSE("the end was taken for one in order");
              break;
            }
            got.append(buffer, 0, *read);
          }
          const auto again = co_await stream->read_some(buffer, soon(env));
          CHECK_FALSE(again);
        },
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto tap = std::make_unique<Tap>(std::move(bare));
          Tap& wire = *tap;
          auto stream = server_over(env, std::move(tap));
          const auto done = co_await stream->handshake(soon(env));
          good(done);
          if (!behind_the_end) wire.add = "250 injected\r\n";
          static_cast<void>(co_await stream->write_all("hello", soon(env)));
          wire.add = "250 injected\r\n";
          stream->shutdown_send();
          co_await sleep_for(env, 50ms);
        });
    CHECK(got == "hello");
  }
}

TEST_CASE("tls: a server that says nothing is waited for until the deadline; one that speaks SMTP is no TLS") {
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), Client{});
        const auto done = co_await stream->handshake(env.clock.mono() + 20ms);
        failed_with(Errc::timed_out, done);
      },
      [&](Env& env, std::unique_ptr<Stream>) -> Task<void> { co_await sleep_for(env, 50ms); });
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), Client{});
        const auto done = co_await stream->handshake(soon(env));
        failed_with(Errc::protocol, done);
      },
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        static_cast<void>(co_await bare->write_all("454 4.7.0 not now\r\n", soon(env)));
        co_await sleep_for(env, 20ms);
      });
}

TEST_CASE("tls: closing ends a handshake that waits") {
  run_tls(
      [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
        auto stream = client_over(env, std::move(bare), Client{});
        std::optional<Result<void>> done;
        TaskGroup group(env.executor);
        group.spawn(keep(stream->handshake(kNever), done));
        co_await sleep_for(env, 10ms);
        CHECK(!done.has_value());
        stream->close();
        co_await group.join();
        failed_with(Errc::closed, *done);
      },
      [&](Env& env, std::unique_ptr<Stream>) -> Task<void> { co_await sleep_for(env, 30ms); });
}

// RFC 9325 section 3.1.1.
TEST_CASE("tls: nothing older than TLS 1.2 is spoken") {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    expect_handshake(Client{}, [](const Result<void>&, const tls::Agreed&) {});
    run_tls(
        [&](Env& env, std::unique_ptr<Stream> bare) -> Task<void> {
          auto stream = client_over(env, std::move(bare), Client{});
          SSL_set_security_level(stream->native(), 0);
          SSL_set_min_proto_version(stream->native(), version);
          SSL_set_max_proto_version(stream->native(), version);
          SSL_set_cipher_list(stream->native(), "ALL:@SECLEVEL=0");
          const auto done = co_await stream->handshake(soon(env));
          if (version == TLS1_2_VERSION) {
            good(done);
          } else {
            failed_with(Errc::protocol, done);
          }
        },
        greet);
  }
}

}  // namespace postproof::test
