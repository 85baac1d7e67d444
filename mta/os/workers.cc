#include "mta/os/workers.h"

#include "mta/os/signal_mask.h"

namespace postproof::os {

Workers::Workers(unsigned threads, unsigned heavy_threads)
    : pool_([threads] {
        const SignalsBlocked blocked;
        return boost::asio::thread_pool(threads);
      }()),
      heavy_pool_([heavy_threads] {
        const SignalsBlocked blocked;
        return boost::asio::thread_pool(heavy_threads);
      }()) {}

Workers::~Workers() {
  heavy_pool_.join();
  pool_.join();
}

}  // namespace postproof::os
