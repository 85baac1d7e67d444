#include "mta/os/work.h"

#include <utility>

namespace postproof::os {

Task<Result<void>> OsWork::run(Job job) {
  co_return co_await core_.workers.run_heavy(core_.context, [&job] {
    job();
    return Result<void>{};
  });
}

}  // namespace postproof::os
