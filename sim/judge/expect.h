// The expectations of a scenario: each is held against the evidence, and gives a failure or nothing.
#pragma once

#include <optional>
#include <string_view>

#include "sim/judge/evidence.h"
#include "sim/judge/judge.h"

namespace postproof::sim {

// None: it holds. The failure's line is set by the caller.
std::optional<Failure> check(const Expect& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectDelivered& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectDsn& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectAttempts& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectReply& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectWire& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectHeader& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectQueue& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectLog& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectDns& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectResource& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectNever& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectTls& expect, const Evidence& evidence);
std::optional<Failure> check(const ExpectEnd& expect, const Evidence& evidence);

// Of `never`: connect, command, reply, data and dns-query are seen on the wire, all others are events of MTAs.
bool is_wire_event(std::string_view event);

// Looks at all runs of a group of seeds, and says nothing of one: see tally.h.
bool is_of_group(const Expect& expect);

// For the closed world: whether the expectation speaks of this arrival for this recipient. A delivery
// report that an MTA wrote itself is named by `dsn` alone, every other message by `delivered` alone.
bool names(const ExpectDelivered& expect, const Arrival& arrival, std::string_view recipient);
// Of one recipient group of the report, as it was sent to `recipient`; `start`: the wall time of virtual time 0.
bool names(const ExpectDsn& expect, const Arrival& arrival, std::string_view recipient, const ReportRecipient& group, WallTime start);

// What the MTAs told last of a recipient that was not delivered, for "nearest": "; deferred at 15m00.000s: 450
// greylisted  <- event 20"; empty: nothing. The record's index goes into `records`.
std::string last_word(const Evidence& evidence, std::string_view recipient_pattern, std::vector<std::size_t>& records);

}  // namespace postproof::sim
