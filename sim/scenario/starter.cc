#include "sim/scenario/starter.h"

namespace postproof::sim {

std::string_view starter_scenario() {
  return R"(# Run it:  postproof run THIS-FILE        Every word that may stand here: docs/scenarios.md

# What the scenario shows, in one line.
title = "greylisted at first: delivered at the second attempt, and nobody else's mail is touched"
# covers = ["RFC5321#4.5.4.1"]     # the clauses that it shows
# seed   = 7                       # of all randomness; the same seed gives the same run, octet for octet

# ---- Given: the hosts of a small internet. Each has its addresses, and its A and AAAA records, without being given any.

[dns]
zone = '''
dest.example.   MX 10 mx1.dest.example.
dest.example.   MX 20 mx2.dest.example.
'''

# The MTA under test, with the keys of its own configuration file.
[mta.sut]
retry.schedule = ["15m", "1h"]     # from the start of one attempt to the start of the next
retry.jitter   = 0                 # so that times are exact

# A peer without rules takes everything that a correct receiver takes. The first rule that matches decides.
[peer.mx1]
names = ["mx1.dest.example"]
rules = [
  { on = "RCPT", match = "bob@*", first_seen = "10m", reply = "450 4.2.0 greylisted" },
]

[peer.mx2]
names = ["mx2.dest.example"]

# ---- When: what happens, in virtual time.

[[at]]
t      = "0s"
submit = { to = "sut", from = "alice@src.example", rcpt = ["bob@dest.example", "carol@dest.example"], data = "Subject: hi\n\nbody\n" }

[[at]]
t     = "1h"
fault = { kind = "tcp.refuse", host = "mx1", for = "2h" }

[[at]]
t      = "1h1m"
submit = { to = "sut", from = "alice@src.example", rcpt = "bob@dest.example" }

# ---- Then: what must have come of it. A message at a peer that nothing here names fails the run, too.

[[expect]]
delivered = { rcpt = "carol@dest.example", at = "mx1", when = "0s" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx1", when = "15m" }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx2", when = "1h1m" }
[[expect]]
attempts = { rcpt = "carol@dest.example", count = 1 }
[[expect]]
end = { queue = 0, connections = 0 }
)";
}

}  // namespace postproof::sim
