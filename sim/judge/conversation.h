// The SMTP of one connection as anybody could have read it on the wire: commands, replies, messages.
//
// Made from the recorded octets alone, and where TLS hid them from what the sides had put into it: commands and replies
// are paired by their order, which is all that RFC 5321 gives a client; a 354 to DATA makes what follows content, up to
// CRLF.CRLF, and behind BDAT follows as much as it says. A PROXY header in front of the greeting is no command. Nothing here
// knows what either end believed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/recording/record.h"
#include "sim/wire/command.h"
#include "sim/wire/reply.h"

namespace postproof::sim {

struct HeardReply : WireReply {  // code 0: it broke the rules of replies
  std::size_t record = 0;        // of the octets that ended it
  Duration sent{};
  std::optional<Duration> arrived;  // at the opener's host; none: lost on the way

  std::string on_one_line() const;  // the lines joined by " | "
};

struct HeardCommand : WireCommand {
  std::string line;                  // without its line end
  std::size_t record = 0;            // of the octets that ended it
  Duration begun{};                  // when its first octet was sent
  Duration sent{};                   // when its last one was
  std::optional<std::size_t> reply;  // index in replies
  bool secured = false;              // sent within TLS
};

// A message as it was handed over, final dot or last chunk included; in LMTP one for each of its recipients.
struct HeardMessage {
  std::string sender;                   // without brackets
  std::vector<std::string> recipients;  // with a positive reply to RCPT
  std::string content;                  // without dot-stuffing
  std::size_t record = 0;               // of the octets that ended it
  Duration begun{};                     // when its first octet was sent
  Duration sent{};                      // when its last one was
  std::optional<std::size_t> reply;     // to the final dot, or the last chunk
  std::size_t command = 0;              // index in commands of its DATA or last BDAT
};

// What a side told of TLS.
struct HeardTls {
  std::size_t record = 0;
  Duration at{};
  const record::Tls* told = nullptr;
};

// Where what the opener said does not go on from the octet before it: a chunk goes on from the chunk before it.
struct Seam {
  std::size_t record = 0;
  std::size_t offset = 0;  // within the record's octets
  char before = 0;         // what it goes on from; 0: nothing
};

struct Conversation {
  ConnectionId connection = 0;
  std::string opener, acceptor;  // nodes; acceptor is empty when nobody has that address
  Endpoint to;
  std::size_t dial = 0;  // record
  bool established = false;
  bool smtp = true;                 // false for DNS over TCP
  std::vector<HeardReply> replies;  // the greeting first
  std::vector<HeardCommand> commands;
  std::vector<HeardMessage> messages;
  std::vector<HeardTls> tls;
  std::vector<Seam> seams;  // in their order
  // When each end was done with it (FIN or RST sent; a crash is the node's story and not told here).
  std::optional<Duration> opener_ended, acceptor_ended;
  std::optional<Duration> acceptor_reset;
  bool open = false;  // established, and not ended by both ends or cut

  // How what the opener said there was protected: "none", "encrypted", or "verified", when it also found the acceptor's
  // certificate to be good.
  std::string_view protection(const HeardCommand& command) const;
  std::string_view protection(const HeardMessage& message) const { return protection(commands[message.command]); }
  // The first message that this command has brought; null: none.
  const HeardMessage* content_of(std::size_t command) const;
  bool by_data(const HeardMessage& message) const { return commands[message.command].verb == "DATA"; }
};

// All connections of a run, by their numbers.
std::vector<Conversation> read_conversations(const Recording& recording);

}  // namespace postproof::sim
