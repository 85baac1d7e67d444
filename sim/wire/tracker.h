// Follows the mail transactions of a connection from its octets alone, as an observer: what a scripted
// dialogue has handed over is known without asking the script. It believes neither side.
//
// Replies answer commands in their order (RFC 2920), the greeting first. What the client sends behind DATA
// waits until DATA is answered: content behind 354, commands behind anything else. Only CRLF.CRLF ends content. Behind
// BDAT come as many octets as it says, whatever the answer (RFC 3030 section 2). A PROXY header in front of the greeting is
// no command.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/wire/command.h"
#include "sim/wire/dot.h"
#include "sim/wire/reply.h"

namespace postproof::sim {

// A message whose final dot has crossed the wire.
struct SeenMessage {
  std::string helo;
  std::string sender;
  std::string mail_parameters;
  std::vector<std::string> recipients;  // those that were answered positively
  std::string content;
  std::string reply;      // to the final dot, without the last line's end; empty: none came
  bool positive = false;  // it was 2yz
};

class TransactionTracker {
 public:
  explicit TransactionTracker(std::function<void(SeenMessage)> on_message) : on_message_(std::move(on_message)) {}

  void from_client(std::string_view octets);
  void from_server(std::string_view octets);
  // The connection is over: a message whose final dot has no answer will get none.
  void end();

 private:
  struct Asked {
    enum class What : unsigned char { greeting, command, dot } what = What::command;
    WireCommand command;
    std::string chunk = {};  // of BDAT
  };

  void settle();        // as far as commands and replies go
  bool parse_start();   // the same, of what stands in front of the commands
  bool take_chunk(std::size_t size);
  void answered_chunk(const Asked& asked, const WireReply& reply);
  bool parse_client();  // takes one command, or content, off the client's octets; false: must wait
  void answered(const Asked& asked, const WireReply& reply);
  void forget_transaction();

  std::function<void(SeenMessage)> on_message_;
  std::string client_;  // octets that were not looked at
  std::string server_;
  ReplyCollector collector_;
  std::deque<Asked> asked_{Asked{Asked::What::greeting, {}}};  // what waits for an answer
  std::deque<WireReply> replies_;                              // what came before its command
  bool started_ = false;                                       // a PROXY header can come no more
  std::optional<std::size_t> chunk_left_;                      // the last command is a BDAT whose octets are not there yet
  WireCommand bdat_;                                           // that command
  bool data_unanswered_ = false;                               // what follows cannot be told yet
  bool in_content_ = false;
  DotDecoder decoder_;
  bool in_transaction_ = false;
  SeenMessage message_;  // in the making
};

}  // namespace postproof::sim
