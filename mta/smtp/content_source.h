// Where a client session takes a message's content from.
#pragma once

#include <string>

#include "mta/base/result.h"
#include "mta/env/task.h"

namespace postproof::smtp {

class ContentSource {
 public:
  virtual ~ContentSource() = default;
  // The next octets of the message as it is stored: CRLF lines, not dot-stuffed, at most limits::kChunk.
  // Empty: the end.
  virtual Task<Result<std::string>> next() = 0;
};

}  // namespace postproof::smtp
