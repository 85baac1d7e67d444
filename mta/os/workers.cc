#include "mta/os/workers.h"

#include "mta/os/signal_mask.h"

namespace postproof::os {

Workers::Workers(unsigned threads)
    : pool_([threads] {
        const SignalsBlocked blocked;
        return boost::asio::thread_pool(threads);
      }()) {}

Workers::~Workers() { pool_.join(); }

}  // namespace postproof::os
