// What the journal's records say: the meta of each type, as values and as octets. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/queue/message.h"

namespace postproof::queue::journal {

// A message as its commit stores it.
struct MessageMeta {
  StoredMessage message;
  bool body_in_file = false;   // bodies/ID; the record's content is then the header block alone
  std::uint32_t body_crc = 0;  // of that file
  bool content_lost = false;   // of a copy: its content could not be read any more
};

// One recipient's new state. The state stays encoded: memory keeps it so, and a copy writes it so.
struct Change {
  std::uint32_t recipient = 0;
  std::string progress;  // encode_progress
  bool operator==(const Change&) const = default;
};

// Each reader gives none for octets that are not exactly what its writer writes.

std::string encode_progress(const Progress& progress);
std::optional<Progress> decode_progress(std::string_view octets);

// What stands in a segment from an offset on is void.
struct Cut {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  bool operator==(const Cut&) const = default;
};

struct Bounds {
  std::uint64_t mark = 0;  // sequence numbers of ids below may have been given out
  std::vector<Cut> cuts;
  bool operator==(const Bounds&) const = default;
};
std::string encode_bounds(const Bounds& bounds);
std::optional<Bounds> decode_bounds(std::string_view meta);

std::string encode_commit(const MessageMeta& meta);
std::optional<MessageMeta> decode_commit(std::string_view octets);

std::string encode_changes(const std::vector<Change>& changes);
std::optional<std::vector<Change>> decode_changes(std::string_view octets);

// A message and changes: of another message (report), or its own (copy).
struct MessageAndChanges {
  MessageMeta meta;
  MessageId about;
  std::vector<Change> changes;
};
std::string encode_message_and_changes(const MessageAndChanges& record);
std::optional<MessageAndChanges> decode_message_and_changes(std::string_view octets);

}  // namespace postproof::queue::journal
