#include "mta/os/core.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postproof::os {

Task<void> through_executor() { return boost::asio::post(boost::asio::use_awaitable); }

}  // namespace postproof::os
