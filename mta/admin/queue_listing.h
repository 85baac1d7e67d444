// The queue as people and scripts read it: a table, or JSON lines.
#pragma once

#include <string>
#include <vector>

#include "mta/queue/scheduler.h"

namespace postproof::admin {

// One line a recipient that still waits: id, age, size, sender, recipient, attempts, next attempt, last
// reason; then a line with the count. Widths fit the content.
std::string queue_table(const std::vector<queue::QueueEntry>& entries, WallTime now);

// One JSON object a message: {"id":"...","arrived":"...","size":1234,"sender":"...","active":false,
// "recipients":[{"address":"...","status":"pending","attempts":1,"due":"...","host":"...","reason":"..."}]}
std::string queue_json(const std::vector<queue::QueueEntry>& entries);

}  // namespace postproof::admin
