// One SMTP session of a simulated server: reads commands, asks the Behaviour, answers. Pipelined commands
// (RFC 2920) are answered in their order; their replies go out together where nothing comes between. Content comes by DATA
// or in chunks (RFC 3030), and has one answer, or to who says LHLO one for each recipient (RFC 2033).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/peer/behaviour.h"
#include "sim/peer/peer.h"
#include "sim/peer/receiver.h"
#include "sim/peer/sasl.h"
#include "sim/peer/server.h"
#include "sim/recording/recorder.h"
#include "sim/wire/line_buffer.h"

namespace postproof::sim {

inline constexpr std::size_t kPeerContentMax = 256 * 1024 * 1024;  // longer content is cut and answered by 552

// What the sessions of one peer share. It outlives them.
struct PeerShared {
  const PeerSettings& settings;
  Behaviour* behaviour;  // null: none
  Recorder& recorder;
  std::map<std::string, std::uint64_t> seen = {};  // how often the peer has come to each PeerEvent::on
  std::uint64_t taken = 0;                         // messages
};

class PeerSession {
 public:
  PeerSession(PeerShared& shared, Served& served);
  // Ends when the connection is to be closed.
  Task<void> run();

 private:
  // The Behaviour's action, filled up by the normal answer.
  struct Answer {
    Action action;
    std::string code;  // of the reply that goes out: "250"; empty: none goes out, or it has none
    bool positive() const { return code.starts_with('2'); }
  };

  // Each false: the session is over.
  Task<bool> next_command();
  Task<bool> obey(std::string line);
  Task<bool> start_tls();
  Receiver::Lines begin_login(const WireCommand& command);
  Receiver::Lines login_line(SaslServer::Said said);
  Task<bool> log_in();
  Task<bool> take_content();
  Task<bool> take_chunk(WireChunk chunk, PeerEvent asked, Receiver::Lines normal);
  Task<bool> take_message(std::string content, std::string_view on);
  Task<bool> answer_message(std::string content, PeerEvent asked, std::vector<std::string> recipients);
  Task<bool> read_content(std::string& content);
  Task<bool> carry_out(Action action);
  Task<bool> send_in_pieces(std::string octets, std::uint64_t pieces, Duration every);
  Task<bool> hesitate(Duration delay);
  Task<bool> flush();
  Task<void> give_up(Error error);

  PeerEvent event(std::string on);
  void bend_tls_answer(Answer& answer);
  Answer decide(const PeerEvent& event, Receiver::Lines normal);
  void record_fault(const PeerEvent& event, const Action& action);
  // Its index in the recording.
  std::size_t record_message(std::string content, std::vector<std::string> recipients, const Answer& answer);
  Deadline idle_deadline() const;

  PeerShared& shared_;
  Served& served_;
  LineBuffer buffer_;
  Receiver receiver_;
  std::string client_;  // its address as text
  ConnectionId connection_;
  std::string chunks_;    // of the message that comes by BDAT
  std::optional<SaslServer> sasl_;  // an exchange that is under way
  std::unique_ptr<Random> random_;
  std::string out_;       // replies that were not written yet
  std::optional<std::string> answered_early_;  // the code that the next answer had before it was asked for
  bool cut_off_ = false;  // a write has failed: nothing more goes out
};

}  // namespace postproof::sim
