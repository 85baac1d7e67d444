// The log: an event a line, as text or as JSON, written by whoever owns standard error.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "mta/env/env.h"

namespace postproof::admin {

enum class LogForm : std::uint8_t { text, json };
// `mail`: what becomes of messages, and the service itself. `wire`: also every connection, command,
// reply, attempt and DNS question.
enum class LogDetail : std::uint8_t { mail, wire };

class LogSink final : public EventSink {
 public:
  // `write` gets whole lines with their newline, one at a time, from any thread; so is `now` called.
  LogSink(LogForm form, LogDetail detail, std::function<WallTime()> now, std::function<void(std::string_view)> write)
      : form_(form), detail_(detail), now_(std::move(now)), write_(std::move(write)) {}

  void emit(const Event& event) override;
  // The event as it stands in the log, with its newline.
  std::string line(const Event& event) const;

 private:
  LogForm form_;
  LogDetail detail_;
  std::function<WallTime()> now_;
  std::mutex mutex_;
  std::function<void(std::string_view)> write_;
};

}  // namespace postproof::admin
