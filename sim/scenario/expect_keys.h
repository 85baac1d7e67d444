// The kinds of expectations, one reader each, and what several of them share. Readers leave finish() to their caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/toml_reader.h"
#include "sim/scenario/expectation.h"
#include "sim/scenario/host_names.h"

namespace postproof::sim {

ExpectDelivered read_delivered(TomlReader& table, const HostNames& hosts);
ExpectDsn read_dsn(TomlReader& table, const HostNames& hosts);
ExpectHeader read_header(TomlReader& table, const HostNames& hosts);

ExpectReply read_reply_expectation(TomlReader& table, const HostNames& hosts);
ExpectWire read_wire(TomlReader& table, const HostNames& hosts);
ExpectDns read_dns_expectation(TomlReader& table, const HostNames& hosts);
ExpectResource read_resource(TomlReader& table, const HostNames& hosts);
ExpectNever read_never(TomlReader& table, const HostNames& hosts);
ExpectTls read_tls(TomlReader& table, const HostNames& hosts);

ExpectAttempts read_attempts(TomlReader& table, const HostNames& hosts);
ExpectQueue read_queue(TomlReader& table, const HostNames& hosts);
ExpectLog read_log(TomlReader& table, const HostNames& hosts);
ExpectEnd read_end(TomlReader& table);

// A pattern; "" if the key is absent.
std::string read_pattern(TomlReader& table, std::string_view key);
// Texts of which none is empty.
std::vector<std::string> read_texts(TomlReader& table, std::string_view key);
// `count` and the number of moments say the same, or one of them says nothing.
void check_count(TomlReader& table, const std::optional<std::uint64_t>& count, const std::vector<When>& when);
// One moment, kept within the table's `slack`.
std::optional<When> read_moment(TomlReader& table, std::string_view key);
// The moments `from` and `until`.
Window read_window(TomlReader& table, std::string_view from_key);

}  // namespace postproof::sim
