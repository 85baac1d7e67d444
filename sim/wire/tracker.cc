#include "sim/wire/tracker.h"

#include <utility>

namespace postproof::sim {
namespace {

// The next command, without its end; none: it is not whole yet. RFC 5321 section 2.3.8: nothing but CRLF ends it.
std::optional<std::string> take_command(std::string& octets) {
  const std::size_t end = octets.find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string line = octets.substr(0, end);
  octets.erase(0, end + 2);
  return line;
}

// The next line of a reply: an LF ends it, with or without a CR in front of it.
std::optional<std::string> take_reply_line(std::string& octets) {
  const std::size_t lf = octets.find('\n');
  if (lf == std::string::npos) return std::nullopt;
  std::string line = octets.substr(0, lf > 0 && octets[lf - 1] == '\r' ? lf - 1 : lf);
  octets.erase(0, lf + 1);
  return line;
}

}  // namespace

void TransactionTracker::from_client(std::string_view octets) {
  client_ += octets;
  settle();
}

void TransactionTracker::from_server(std::string_view octets) {
  server_ += octets;
  while (auto line = take_reply_line(server_)) {
    // A line that is no reply is nobody's answer; neither is what was begun before it.
    const auto state = collector_.add(std::move(*line));
    if (state == ReplyCollector::State::more) continue;
    WireReply reply = collector_.take();
    if (state == ReplyCollector::State::complete) replies_.push_back(std::move(reply));
  }
  settle();
}

void TransactionTracker::settle() {
  for (;;) {
    if (!asked_.empty() && !replies_.empty()) {
      const Asked asked = std::move(asked_.front());
      asked_.pop_front();
      const WireReply reply = std::move(replies_.front());
      replies_.pop_front();
      answered(asked, reply);
    } else if (!parse_client()) {
      return;
    }
  }
}

bool TransactionTracker::parse_client() {
  if (chunk_left_) return take_chunk(*chunk_left_);
  if (data_unanswered_ || client_.empty()) return false;
  if (!started_) return parse_start();
  if (in_content_) {
    client_.erase(0, decoder_.feed(client_, message_.content));
    if (!decoder_.done()) return false;
    in_content_ = false;
    asked_.push_back(Asked{Asked::What::dot, {}});
    return true;
  }
  const auto line = take_command(client_);
  if (!line) return false;
  WireCommand command = parse_command(*line);
  if (const auto chunk = parse_chunk(command)) {
    bdat_ = std::move(command);
    chunk_left_ = chunk->size;
    return true;
  }
  data_unanswered_ = command.verb == "DATA";
  asked_.push_back(Asked{Asked::What::command, std::move(command)});
  return true;
}

bool TransactionTracker::parse_start() {
  const bool greeted = asked_.empty() || asked_.front().what != Asked::What::greeting;
  const auto header = greeted ? 0 : proxy_header_size(client_);
  if (!header) return false;
  client_.erase(0, *header);
  started_ = true;
  return true;
}

// A chunk's reply may be there before its last octet is: it waits.
bool TransactionTracker::take_chunk(std::size_t size) {
  if (client_.size() < size) return false;
  asked_.push_back(Asked{Asked::What::command, std::move(bdat_), client_.substr(0, size)});
  client_.erase(0, size);
  chunk_left_.reset();
  return true;
}

void TransactionTracker::answered(const Asked& asked, const WireReply& reply) {
  if (asked.what == Asked::What::greeting) return;
  if (asked.what == Asked::What::dot) {
    message_.reply = reply.text();
    message_.positive = reply.positive();
    on_message_(message_);
    forget_transaction();
    return;
  }
  if (parse_chunk(asked.command)) return answered_chunk(asked, reply);
  const WireCommand& command = asked.command;
  if (command.verb == "DATA") {
    data_unanswered_ = false;
    if (reply.code != 354) return;
    in_content_ = true;
    decoder_ = DotDecoder();
    message_.content.clear();
    return;
  }
  if (!reply.positive()) return;
  if (command.verb == "XCLIENT") forget_transaction();
  if (command.verb == "EHLO" || command.verb == "HELO" || command.verb == "LHLO") {
    message_.helo = command.argument;
    forget_transaction();
  } else if (command.verb == "RSET") {
    forget_transaction();
  } else if (command.verb == "MAIL") {
    message_.sender = command.address;
    message_.mail_parameters = command.parameters;
    in_transaction_ = true;
  } else if (command.verb == "RCPT" && in_transaction_) {
    message_.recipients.push_back(command.address);
  }
}

// A message is what its last chunk makes of it. One that was refused on the way is handed over to nobody.
void TransactionTracker::answered_chunk(const Asked& asked, const WireReply& reply) {
  message_.content += asked.chunk;
  if (!parse_chunk(asked.command)->last) return;
  message_.reply = reply.text();
  message_.positive = reply.positive();
  if (in_transaction_) on_message_(message_);
  forget_transaction();
}

void TransactionTracker::forget_transaction() {
  std::string helo = std::move(message_.helo);
  message_ = SeenMessage();
  message_.helo = std::move(helo);
  in_transaction_ = false;
}

void TransactionTracker::end() {
  for (const Asked& asked : asked_) {
    const auto chunk = parse_chunk(asked.command);
    if (chunk) message_.content += asked.chunk;
    if (asked.what != Asked::What::dot && !(chunk && chunk->last && in_transaction_)) continue;
    message_.reply.clear();
    message_.positive = false;
    on_message_(message_);
    break;  // behind a dot that has no answer nothing can be told
  }
  asked_.clear();
  client_.clear();
}

}  // namespace postproof::sim
