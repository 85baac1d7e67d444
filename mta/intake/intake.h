// What may come in: senders that could take no bounce, relay policy for recipients, room on the disk, loops; then the trace header, and the
// commit before the 250. Implements what SMTP sessions ask (smtp/intake.h).
#pragma once

#include <memory>

#include "mta/dns/resolver.h"
#include "mta/env/env.h"
#include "mta/intake/policy.h"
#include "mta/queue/scheduler.h"
#include "mta/queue/spool.h"
#include "mta/smtp/intake.h"

namespace postproof::intake {

// Makes the Intakes of one session Env. The resolver, the scheduler and the spool may live on another.
class SpoolIntakeFactory final : public smtp::IntakeFactory {
 public:
  SpoolIntakeFactory(Env& env, const Policy& policy, dns::Resolver& resolver, queue::Spool& spool,
                     queue::Scheduler& scheduler, std::uint64_t free_min);
  ~SpoolIntakeFactory() override;
  std::unique_ptr<smtp::Intake> open() override;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace postproof::intake
