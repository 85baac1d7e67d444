#include "mta/admin/log_sink.h"

#include "mta/base/event_text.h"

namespace postproof::admin {

namespace {

bool about_mail(const Event& event) {
  return std::holds_alternative<event::Accepted>(event) || std::holds_alternative<event::Delivered>(event) ||
         std::holds_alternative<event::Deferred>(event) || std::holds_alternative<event::Bounced>(event) ||
         std::holds_alternative<event::Expired>(event) || std::holds_alternative<event::Auth>(event) ||
         std::holds_alternative<event::Service>(event);
}

}  // namespace

void LogSink::emit(const Event& event) {
  if (detail_ == LogDetail::mail && !about_mail(event)) return;
  const std::string text = line(event);
  const std::lock_guard lock(mutex_);
  write_(text);
}

std::string LogSink::line(const Event& event) const {
  const WallTime now = now_();
  std::string text = form_ == LogForm::json ? event_to_json(event, now) : format_rfc3339(now) + " " + event_to_text(event);
  text += '\n';
  return text;
}

}  // namespace postproof::admin
