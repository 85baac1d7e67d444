// A correct receiver of mail without its wire: what it answers to each command in each state (RFC 5321 sections 3 and 4;
// RFC 2033 for who says LHLO; RFC 3030 for BDAT), and the state that its answers bring about. An answer may be another one
// than it would have given; the state follows what was said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/peer/peer.h"
#include "sim/wire/command.h"

namespace postproof::sim {

class Receiver {
 public:
  using Lines = std::vector<std::string>;

  // The settings must outlive it.
  explicit Receiver(const PeerSettings& settings) : settings_(settings) {}

  // STARTTLS is a keyword from now on, or is none any more.
  void offer_tls(bool offered) { tls_offered_ = offered; }
  // TLS stands: everything begins anew (RFC 3207 section 4.2).
  void start_over();
  // The client has shown who it is (RFC 4954).
  void let_in() { logged_in_ = true; }
  bool demands_login() const { return !settings_.logins.mechanisms.empty() && !logged_in_; }

  Lines greeting() const;
  Lines reply(const WireCommand& command) const;
  // One line; the enhanced code stands in it only if such codes are offered (RFC 2034).
  Lines line(std::string_view code, std::string_view enhanced, std::string_view text) const;

  // What went out: the reply's code, empty for none.
  void greeted(std::string_view code);
  void answered(const WireCommand& command, std::string_view code);
  // True once after a 354: what follows is content.
  bool take_content_follows();
  bool speaks_lmtp() const { return lmtp_; }
  // A chunk may be content: recipients wait for it. Otherwise its octets are read all the same (RFC 3030 section 2).
  bool takes_chunks() const { return offers("CHUNKING") && !recipients_.empty() && !chunk_refused_; }
  void chunk_answered(std::string_view code);
  // The final dot has been dealt with.
  void forget_transaction();

  const std::string& helo() const { return helo_; }
  const std::string& sender() const { return sender_; }
  const std::string& mail_parameters() const { return mail_parameters_; }
  const std::vector<std::string>& recipients() const { return recipients_; }

 private:
  struct Parameter;

  Lines hello(const WireCommand& command) const;
  Lines mail(const WireCommand& command) const;
  Lines rcpt(const WireCommand& command) const;
  Lines data(const WireCommand& command) const;
  // The first parameter of the command that was not offered; empty: none.
  template <class Table>
  std::string unknown_parameter(std::string_view parameters, const Table& known) const;
  bool offers(std::string_view keyword) const;

  const PeerSettings& settings_;
  bool greeting_refused_ = false;
  bool tls_offered_ = false;
  std::string helo_;       // empty: neither HELO nor EHLO yet
  bool extended_ = false;  // EHLO or LHLO
  bool lmtp_ = false;      // LHLO
  bool chunk_refused_ = false;
  bool logged_in_ = false;
  bool in_transaction_ = false;
  bool content_follows_ = false;
  std::string sender_;
  std::string mail_parameters_;
  std::vector<std::string> recipients_;
};

}  // namespace postproof::sim
