// What the journal keeps in memory of its messages and segments: never content.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/queue/journal_format.h"
#include "mta/queue/journal_records.h"

namespace postproof::queue::journal {

// Where a record stands.
struct Place {
  std::uint64_t segment = 0;
  std::uint32_t offset = 0;
  std::uint32_t meta_size = 0;
  std::uint32_t content_size = 0;
  std::uint32_t content_crc = 0;

  std::uint64_t content_offset() const { return offset + kRecordHeaderSize + std::uint64_t{meta_size}; }
  std::uint64_t size() const { return footprint(meta_size, content_size); }
  bool operator==(const Place&) const = default;
};

// A message that is ours and has recipients that wait.
struct Kept {
  std::shared_ptr<const StoredMessage> stored;
  Place place;  // of its commit, or of its newest copy
  bool body_in_file = false;
  bool content_lost = false;
  std::uint32_t body_crc = 0;
  std::uint32_t pending = 0;          // recipients
  std::uint32_t in_flight = 0;        // records about it that are on their way
  std::vector<std::string> progress;  // encoded, one a recipient; empty: as the commit left it

  // Of a message that has just been committed.
  static Kept of(const MessageMeta& meta, const Place& place) {
    Kept kept;
    kept.stored = std::make_shared<const StoredMessage>(meta.message);
    kept.place = place;
    kept.body_in_file = meta.body_in_file;
    kept.content_lost = meta.content_lost;
    kept.body_crc = meta.body_crc;
    kept.progress.resize(meta.message.envelope.recipients.size());
    kept.pending = static_cast<std::uint32_t>(kept.progress.size());
    return kept;
  }

  static bool is_pending(std::string_view progress) {
    return progress.empty() || progress[0] == static_cast<char>(RecipientStatus::pending);
  }
  // Changes of recipients that the message does not have are not for it.
  void apply(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (change.recipient < progress.size()) progress[change.recipient] = change.progress;
    }
    pending = static_cast<std::uint32_t>(std::count_if(progress.begin(), progress.end(), is_pending));
  }
  // What has changed since the commit.
  std::vector<Change> changes() const {
    std::vector<Change> all;
    for (std::size_t i = 0; i < progress.size(); ++i) {
      if (!progress[i].empty()) all.push_back(Change{static_cast<std::uint32_t>(i), progress[i]});
    }
    return all;
  }
  MessageMeta meta() const { return MessageMeta{*stored, body_in_file, body_crc, content_lost}; }
  QueuedMessage queued() const {
    QueuedMessage message{stored, {}};
    for (const std::string& encoded : progress) {
      Progress decoded = decode_progress(encoded).value_or(Progress{});
      if (encoded.empty()) decoded.due = stored->arrived;
      message.progress.push_back(std::move(decoded));
    }
    return message;
  }
};

// What a segment is still there for.
struct SegmentUse {
  std::uint64_t size = 0;      // of its file
  std::uint64_t messages = 0;  // alive, whose newest record stands here
  std::uint64_t octets = 0;    // of those records
  std::uint64_t unknown = 0;   // records of types that this program does not know

  void add(const Place& place) { ++messages, octets += place.size(); }
  void remove(const Place& place) { --messages, octets -= place.size(); }
  bool dead() const { return messages == 0 && unknown == 0; }
};

// By number: the journal's oldest first.
using SegmentTable = std::map<std::uint64_t, SegmentUse>;

}  // namespace postproof::queue::journal
