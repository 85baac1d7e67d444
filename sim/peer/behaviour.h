// How a simulated mail server behaves: a synchronous function from what happened to what to do. Rules of
// a scenario are one Behaviour; faults are decorators around another; values only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/time.h"
#include "sim/scenario/peer_fault.h"

namespace postproof::sim {

struct PeerEvent {
  // What the peer is about to answer: "connect" (the greeting), a verb in upper case ("EHLO", "MAIL",
  // "RCPT", "DATA", "RSET", "QUIT", ...), or "dot" (the end of content). "content" asks, before content is read, what
  // is to happen in the middle of it.
  std::string on;
  std::string line;       // the command as received, without CRLF; empty for connect and dot
  std::string argument;   // MAIL, RCPT: the address without brackets; others: what follows the verb; dot: in LMTP the
                          // recipient whose answer it is, else empty
  std::string sender;     // of the transaction, when there is one
  std::vector<std::string> recipients;  // accepted so far
  std::string client;     // address of the peer's client, as text
  std::uint64_t nth = 1;  // how often this peer has come to `on`, this time included, over all connections
  std::size_t size = 0;   // dot: octets of content
  std::vector<std::string> normal;  // EHLO: what a correct receiver answers
  MonoTime now{};         // the peer's clock
};

struct Action {
  // What to write: whole reply lines without CRLF ("250-a", "250 b"); empty: the peer's normal answer.
  std::vector<std::string> reply;
  std::string raw;          // written as it is instead of `reply`
  ReplyForm form = ReplyForm::normal;  // of the reply that goes out, whichever it is
  std::uint64_t split = 0;  // 2 or more: the answer goes out in so many pieces,
  Duration every{};         // one each so often
  std::vector<std::string> extra;  // one more reply behind the answer
  std::vector<std::string> early;  // the answer to what comes next, given now: none is given then
  std::uint64_t octets = 0; // "content": strikes when so many octets of it have come
  bool silent = false;      // no answer at all, the connection stays
  Duration delay{};         // before answering
  bool keep_message = true; // dot with `close` or `reset`: the peer has taken the message although no reply goes out
  enum class Then : std::uint8_t { go_on, close, reset } then = Then::go_on;  // after the answer (if any)
  bool no_answer = false;   // with close or reset: cut without answering first
  std::uint32_t line = 0;   // of the rule in the scenario, for the recording; 0: normal
  std::string fault;        // its kind as recorded: "smtp.reply"; empty: normal
};

class Behaviour {
 public:
  virtual ~Behaviour() = default;
  // None: nothing special; the peer answers as a correct receiver.
  virtual std::optional<Action> on(const PeerEvent& event) = 0;
};

}  // namespace postproof::sim
