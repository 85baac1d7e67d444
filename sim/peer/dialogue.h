// Follows the steps of a script over one connection, from either side of it. A dialogue owns its wire:
// nothing answers for it, and what it sends goes out octet for octet.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/peer/script.h"
#include "sim/peer/server.h"
#include "sim/wire/line_buffer.h"
#include "sim/wire/reply.h"

namespace postproof::sim {

struct DialogueFailure {
  std::uint32_t line = 0;  // of the step
  std::string wanted, got;
};

class Dialogue {
 public:
  enum class Role : std::uint8_t { client, server };  // a client's `<` reads whole replies
  // Sees the octets of both directions, sent ones just before they are written.
  struct Observer {
    std::function<void(std::string_view)> sent, received;
  };

  // Puts TLS over the connection, as `! tls` wants it.
  using Secure = std::function<Task<Result<void>>(Served&, std::string_view buffered, Deadline)>;

  Dialogue(Served& connection, Role role, const std::vector<ScriptStep>& steps, Observer observer, Secure secure);

  // None: all steps were done, or the world went away.
  Task<std::optional<DialogueFailure>> run();

 private:
  enum class Outcome : std::uint8_t { done, failed, over };  // over: the world went away

  Task<Outcome> follow(const ScriptStep& step);
  Task<Outcome> send(const ScriptStep& step);
  Task<Outcome> expect(const ScriptStep& step);
  Task<Outcome> wait_for_eof(const ScriptStep& step);
  Task<Outcome> keep_silence(const ScriptStep& step);
  Task<Outcome> drain(const ScriptStep& step);
  Task<Outcome> wait(const ScriptStep& step);
  Task<Outcome> start_tls(const ScriptStep& step);
  Task<Outcome> log_in(const ScriptStep& step);
  Task<Result<WireReply>> next_reply();
  Outcome failed(const ScriptStep& step, std::string wanted, std::string got);
  Outcome failed(const ScriptStep& step, std::string wanted, const Error& error);
  Deadline after(Duration duration) const;

  Served& connection_;
  Role role_;
  const std::vector<ScriptStep>& steps_;
  Observer observer_;
  Secure secure_;
  LineBuffer buffer_;
  std::optional<WireReply> outcome_;  // of a login, which no step has read yet
  Duration drip_{};  // time of one octet; 0: as fast as it goes
  DialogueFailure failure_;
};

}  // namespace postproof::sim
