#include "mta/deliver/outcome.h"

namespace postproof::deliver {

using queue::AttemptResult;
using queue::Stage;

namespace {

Verdict judge_reply(Stage stage, const smtp::Reply& reply) {
  if (stage == Stage::dot && reply.positive()) return Verdict::delivered;
  // RFC 5321 section 3.8: the server is about to close, whatever it was asked.
  if (reply.code == 421) return Verdict::next_host;
  switch (stage) {
    case Stage::resolve:
    case Stage::connect:
    case Stage::storage: break;
    case Stage::greeting:
    case Stage::ehlo:
    case Stage::starttls:
    case Stage::auth:
      // The host refuses the session, not the message: another may take it.
      return Verdict::next_host;
    case Stage::mail:
      if (reply.transient()) return Verdict::next_host;
      if (reply.permanent()) return Verdict::fail;
      break;
    case Stage::rcpt:
      // RFC 5321 section 4.5.3.1.10: 552 for too many recipients means 452.
      if (reply.transient() || too_many_recipients(AttemptResult{stage, {}, {}, reply, {}, {}})) return Verdict::defer;
      if (reply.permanent()) return Verdict::fail;
      break;
    case Stage::data:
    case Stage::dot:
      if (reply.transient()) return Verdict::defer;
      if (reply.permanent()) return Verdict::fail;
      break;
  }
  // A reply that has no place here: the session went wrong, and nothing is known of the message.
  return Verdict::next_host;
}

Verdict judge_error(Stage stage, Errc code) {
  if (stage == Stage::starttls || stage == Stage::auth) return code == Errc::closed ? Verdict::defer : Verdict::next_host;
  switch (code) {
    case Errc::dns_no_such_domain:
    case Errc::dns_no_data:
    case Errc::dns_null_mx:
    case Errc::dns_no_usable_mx:
    case Errc::dns_self_mx:
    case Errc::too_large:  // over the size that the host announces (RFC 1870 section 6.1)
    case Errc::invalid:    // needs an extension that the host does not offer
    case Errc::corrupt:    // what is stored of the message is damaged, and stays so
      return Verdict::fail;
    case Errc::closed:  // we are going down ourselves
    case Errc::dns_temporary:
    case Errc::io:
    case Errc::poisoned: return Verdict::defer;  // our own trouble, not the host's
    case Errc::not_found: return stage == Stage::storage ? Verdict::fail : Verdict::defer;
    default: break;
  }
  if (stage == Stage::resolve || stage == Stage::storage) return Verdict::defer;
  // RFC 5321 section 4.5.3.2.6: the message may have been taken. Another host now would make the copy
  // certain; a later attempt gives the peer time to answer, and is counted.
  if (stage == Stage::dot) return Verdict::defer;
  return Verdict::next_host;
}

EnhancedStatus status_of_error(Stage stage, Errc code) {
  // RFC 3463 section 3.8: 4.7.4, what security asks for is not supported; 4.7.5, it could not be had. RFC 3207 section 4.1
  // leaves it to us; a server's TLS can be mended, so the message waits.
  if (stage == Stage::starttls) return code == Errc::invalid ? EnhancedStatus{4, 7, 4} : EnhancedStatus{4, 7, 5};
  // That we cannot log in is for us to mend, or for the smarthost.
  if (stage == Stage::auth) return code == Errc::invalid ? EnhancedStatus{4, 7, 4} : EnhancedStatus{4, 7, 0};
  switch (code) {
    case Errc::dns_no_such_domain: return {5, 1, 2};
    case Errc::dns_no_data: return {5, 4, 4};
    case Errc::dns_no_usable_mx: return {5, 4, 4};
    case Errc::dns_null_mx: return {5, 1, 10};  // RFC 7505 section 4.1
    case Errc::dns_self_mx: return {5, 4, 6};
    case Errc::dns_temporary: return {4, 4, 3};
    case Errc::too_large: return {5, 3, 4};
    case Errc::invalid: return {5, 6, 3};  // RFC 6152: conversion would be needed
    case Errc::protocol: return {4, 5, 0};
    case Errc::corrupt: return {5, 3, 0};
    case Errc::not_found: return stage == Stage::storage ? EnhancedStatus{5, 3, 0} : EnhancedStatus{4, 3, 0};
    case Errc::no_space: return {4, 3, 1};  // our own disk is full
    case Errc::io:
    case Errc::poisoned: return {4, 3, 0};
    default: break;
  }
  if (stage == Stage::storage) return {4, 3, 0};
  // 4.4.1: no answer from host; 4.4.2: bad connection.
  return stage == Stage::connect ? EnhancedStatus{4, 4, 1} : EnhancedStatus{4, 4, 2};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::delivered: return "delivered";
    case Verdict::defer: return "defer";
    case Verdict::next_host: return "next host";
    case Verdict::fail: return "fail";
  }
  return "unknown";
}

Verdict judge(const AttemptResult& result) {
  if (const auto* reply = std::get_if<smtp::Reply>(&result.what)) return judge_reply(result.stage, *reply);
  return judge_error(result.stage, std::get<Error>(result.what).code);
}

bool fails_for_tls(const AttemptResult& result) {
  if (result.stage != Stage::starttls) return false;
  if (const auto* reply = std::get_if<smtp::Reply>(&result.what)) return reply->code != 421;
  return std::get<Error>(result.what).code != Errc::closed;
}

Verdict judge_last(const AttemptResult& result) {
  const Verdict verdict = judge(result);
  if (verdict != Verdict::next_host) return verdict;
  const auto* reply = std::get_if<smtp::Reply>(&result.what);
  const bool about_mail = result.stage != Stage::starttls && result.stage != Stage::auth;
  const bool no_mail_here = about_mail && reply != nullptr && (reply->code == 521 || reply->code == 556);
  return no_mail_here ? Verdict::fail : Verdict::defer;
}

const AttemptResult& summary(std::span<const AttemptResult> results) {
  for (std::size_t i = results.size(); i > 0; --i) {
    if (judge_last(results[i - 1]) == Verdict::defer) return results[i - 1];
  }
  return results.back();
}

bool too_many_recipients(const AttemptResult& result) {
  const auto* reply = std::get_if<smtp::Reply>(&result.what);
  if (reply == nullptr || result.stage != Stage::rcpt) return false;
  if (reply->code == 452) return !reply->status || *reply->status == EnhancedStatus{4, 5, 3};
  return reply->code == 552 && (!reply->status || *reply->status == EnhancedStatus{5, 5, 3});
}

EnhancedStatus status_of(const AttemptResult& result) {
  if (const auto* reply = std::get_if<smtp::Reply>(&result.what)) {
    // What a server says to STARTTLS or AUTH is about TLS or about us, whatever its class: we wait.
    const bool waits = reply->status && reply->status->klass == 4;
    if (result.stage == Stage::starttls && !waits) return EnhancedStatus{4, 7, 4};
    if (result.stage == Stage::auth && !waits) return EnhancedStatus{4, 7, 8};  // RFC 4954 section 6
    if (reply->status) return *reply->status;
    return EnhancedStatus{static_cast<std::uint8_t>(reply->code / 100), 0, 0};
  }
  if (result.status) return *result.status;
  return status_of_error(result.stage, std::get<Error>(result.what).code);
}

}  // namespace postproof::deliver
