// A message's content on its way in, whether DATA or BDAT brings it: decoded, held to the limits, given to the Intake.
//
// The first thing that is wrong refuses the message: 550 5.6.11 a bare CR or LF (RFC 5321 section 2.3.8), 552 5.3.4 more
// octets than are allowed. What comes behind it is read and dropped, so that the reply stands where the client waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "mta/env/task.h"
#include "mta/smtp/data_decoder.h"
#include "mta/smtp/intake.h"
#include "mta/smtp/reply.h"
#include "mta/smtp/settings.h"

namespace postproof::smtp {

class ContentReceiver {
 public:
  // `settings` outlives it. What is not finished when it goes is abandoned.
  ContentReceiver(const ServerSettings& settings, std::unique_ptr<Incoming> incoming, DataDecoder::Framing framing);

  // Takes octets: all, or those up to the end of data. Returns how many.
  Task<std::size_t> take(std::string_view octets);
  // So many octets will come: too many are refused at once.
  void expect(std::uint64_t octets);

  bool ended() const { return decoder_.done(); }  // the final dot has come
  const std::optional<Reply>& refusal() const { return refusal_; }

  // Behind the final dot, or when all chunks have come: the reply to the message. Once.
  Task<Reply> finish();

 private:
  void judge();
  void refuse(Reply reply);
  bool over_limit(std::uint64_t size) const;
  Reply too_large() const;

  const ServerSettings* settings_;
  std::unique_ptr<Incoming> incoming_;
  DataDecoder decoder_;
  std::optional<Reply> refusal_;
};

}  // namespace postproof::smtp
