// What must hold in every run, whatever the scenario: one checker a file (invariant_*.cc). Each adds a
// failure for every breach that it finds, up to kToldMax of them.
#pragma once

#include <vector>

#include "sim/judge/evidence.h"
#include "sim/judge/judge.h"

namespace postproof::sim {

inline constexpr std::size_t kToldMax = 5;  // breaches of one invariant that are told one by one

// Collects the breaches of one invariant, and counts those that are too many to tell.
class Breaches {
 public:
  Breaches(std::string invariant, std::string wanted, std::vector<Failure>& failures)
      : invariant_(std::move(invariant)), wanted_(std::move(wanted)), failures_(failures) {}
  ~Breaches();
  Breaches(const Breaches&) = delete;
  Breaches& operator=(const Breaches&) = delete;

  void add(std::string found, std::vector<std::size_t> records);

 private:
  std::string invariant_, wanted_;
  std::vector<Failure>& failures_;
  std::size_t found_ = 0;
  std::size_t last_ = 0;  // index of the last failure that was told
};

// The run came to its end, every part of its world came up, every script was followed.
void check_run(const Evidence& evidence, std::vector<Failure>& failures);
// Nothing acknowledged is lost; each recipient ends in one way; duplicates only after ambiguous
// acknowledgements; nothing arrives that nobody has sent; what is stored can be read again.
void check_fate(Evidence& evidence, std::vector<Failure>& failures);
// No bounce to or about the null sender (RFC 5321 section 4.5.5), and none from another.
void check_null_sender(const Evidence& evidence, std::vector<Failure>& failures);
// An MTA sends no bare CR and no bare LF (RFC 5321 section 2.3.8).
void check_newlines(const Evidence& evidence, std::vector<Failure>& failures);
// An MTA uses no extension that the server has not offered (RFC 5321 section 2.2.1).
void check_extensions(const Evidence& evidence, std::vector<Failure>& failures);
// What a server has refused for good is not tried again, and what may pass is not given up early (RFC 5321 section 4.2.1).
void check_finality(const Evidence& evidence, std::vector<Failure>& failures);
// What MTAs tell of accepting and delivering is what crossed the wire.
void check_events(const Evidence& evidence, std::vector<Failure>& failures);
// No mail in the clear where an MTA's configuration forbids it, and its "tls" events are true.
void check_tls(const Evidence& evidence, std::vector<Failure>& failures);
// Every message and report that arrives is named by an expectation.
void check_closed_world(const Evidence& evidence, std::vector<Failure>& failures);

}  // namespace postproof::sim
