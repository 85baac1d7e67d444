#include "mta/admin/queue_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "mta/base/text.h"

namespace postproof::admin {

namespace {

constexpr std::array<std::string_view, 8> kColumns{"ID", "AGE", "SIZE", "SENDER", "RECIPIENT", "TRIES", "NEXT", "LAST RESULT"};

// Whole seconds: what a person wants to see of an age.
std::string coarse(Duration duration) {
  return format_duration(std::chrono::duration_cast<std::chrono::seconds>(std::max(duration, Duration{0})));
}

std::string next_text(const queue::QueueEntry& entry, const queue::Progress& progress, WallTime now) {
  if (entry.active) return "active";
  return progress.due <= now ? "now" : "in " + coarse(progress.due - now);
}

std::string last_text(const queue::Progress& progress) {
  if (!progress.last) return "-";
  const std::string host = host_text(*progress.last);
  return escape((host.empty() ? "" : host + ": ") + reason_text(*progress.last));
}

// JSON text must be UTF-8: octets of other kinds become escapes first.
std::string json_text(std::string_view octets) { return escape(octets); }

}  // namespace

std::string queue_table(const std::vector<queue::QueueEntry>& entries, WallTime now) {
  if (entries.empty()) return "the queue is empty\n";
  std::vector<std::array<std::string, kColumns.size()>> rows;
  std::size_t recipients = 0;
  for (const queue::QueueEntry& entry : entries) {
    const queue::StoredMessage& message = *entry.message.stored;
    const std::string sender = to_string(message.envelope.sender);
    for (std::size_t i = 0; i < entry.message.progress.size(); ++i) {
      const queue::Progress& progress = entry.message.progress[i];
      if (progress.status != queue::RecipientStatus::pending) continue;
      ++recipients;
      rows.push_back({message.id.to_string(), coarse(now - message.arrived), std::to_string(message.size()),
                      escape(sender.empty() ? "<>" : sender), escape(message.envelope.recipients[i].address.to_string()),
                      std::to_string(progress.attempts), next_text(entry, progress, now), last_text(progress)});
    }
  }
  std::array<std::size_t, kColumns.size()> widths{};
  for (std::size_t c = 0; c < kColumns.size(); ++c) {
    widths[c] = kColumns[c].size();
    for (const auto& row : rows) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  const auto line = [&](const auto& cells) {
    for (std::size_t c = 0; c + 1 < kColumns.size(); ++c) text += fmt::format("{:<{}}  ", cells[c], widths[c]);
    text += fmt::format("{}\n", cells.back());
  };
  line(kColumns);
  for (const auto& row : rows) line(row);
  text += fmt::format("{} message{}, {} recipient{}\n", entries.size(), entries.size() == 1 ? "" : "s", recipients,
                      recipients == 1 ? "" : "s");
  return text;
}

std::string queue_json(const std::vector<queue::QueueEntry>& entries) {
  std::string text;
  for (const queue::QueueEntry& entry : entries) {
    const queue::StoredMessage& message = *entry.message.stored;
    boost::json::array recipients;
    for (std::size_t i = 0; i < entry.message.progress.size(); ++i) {
      const queue::Progress& progress = entry.message.progress[i];
      boost::json::object recipient;
      recipient["address"] = json_text(message.envelope.recipients[i].address.to_string());
      recipient["status"] = to_string(progress.status);
      recipient["attempts"] = progress.attempts;
      if (progress.status == queue::RecipientStatus::pending) recipient["due"] = format_rfc3339(progress.due);
      if (progress.last) {
        recipient["host"] = json_text(host_text(*progress.last));
        recipient["stage"] = to_string(progress.last->stage);
        recipient["reason"] = json_text(reason_text(*progress.last));
      }
      recipients.push_back(std::move(recipient));
    }
    boost::json::object object;
    object["id"] = message.id.to_string();
    object["arrived"] = format_rfc3339(message.arrived);
    object["size"] = message.size();
    object["sender"] = json_text(to_string(message.envelope.sender));
    object["active"] = entry.active;
    object["recipients"] = std::move(recipients);
    text += boost::json::serialize(object) + "\n";
  }
  return text;
}

}  // namespace postproof::admin
