#include "mta/auth/scram_message.h"

#include <algorithm>

#include "mta/base/base64.h"
#include "mta/base/text.h"

namespace postproof::auth {

namespace {

// "x=VALUE" for the attribute; none for any other.
std::optional<std::string_view> attribute(std::string_view part, char name) {
  if (part.size() < 2 || part[0] != name || part[1] != '=') return std::nullopt;
  return part.substr(2);
}

// Takes the text before the next comma off, and the comma.
std::optional<std::string_view> take_part(std::string_view& rest) {
  const auto comma = rest.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, comma);
  rest.remove_prefix(comma + 1);
  return part;
}

// saslname: no NUL, no ",", and "=" only where it stands for one of the two.
std::optional<std::string> read_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') return std::nullopt;
    if (text[i] != '=') {
      name += text[i];
      continue;
    }
    const std::string_view code = text.substr(i, 3);
    if (code != "=2C" && code != "=3D") return std::nullopt;
    name += code == "=2C" ? ',' : '=';
    i += 2;
  }
  if (name.empty()) return std::nullopt;
  return name;
}

// printable: %x21-2B / %x2D-7E.
bool good_nonce(std::string_view nonce) {
  return !nonce.empty() && std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
}

bool good_binding_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '-';
  });
}

}  // namespace

std::optional<ScramClientFirst> parse_client_first(std::string_view message) {
  ScramClientFirst first;
  std::string_view rest = message;
  const auto flag = take_part(rest);
  if (!flag) return std::nullopt;
  if (*flag == "n" || *flag == "y") {
    first.binding = (*flag)[0];
  } else {
    const auto name = attribute(*flag, 'p');
    if (!name || !good_binding_name(*name)) return std::nullopt;
    first.binding = 'p';
    first.binding_name = *name;
  }
  const auto who = take_part(rest);
  if (!who) return std::nullopt;
  if (!who->empty()) {
    const auto text = attribute(*who, 'a');
    auto name = text ? read_name(*text) : std::nullopt;
    if (!name) return std::nullopt;
    first.authzid = std::move(*name);
  }
  first.gs2_header = message.substr(0, message.size() - rest.size());
  first.bare = rest;
  // "m=" in front: an extension that must be understood, and is not.
  const auto user = take_part(rest);
  const auto user_text = user ? attribute(*user, 'n') : std::nullopt;
  auto name = user_text ? read_name(*user_text) : std::nullopt;
  if (!name) return std::nullopt;
  first.user = std::move(*name);
  const auto nonce = attribute(rest.substr(0, rest.find(',')), 'r');  // extensions may stand behind it
  if (!nonce || !good_nonce(*nonce)) return std::nullopt;
  first.nonce = *nonce;
  return first;
}

std::optional<ScramServerFirst> parse_server_first(std::string_view message) {
  const auto parts = split(message, ',');
  if (parts.size() < 3) return std::nullopt;
  const auto nonce = attribute(parts[0], 'r');
  const auto salt = attribute(parts[1], 's');
  const auto iterations = attribute(parts[2], 'i');
  if (!nonce || !good_nonce(*nonce) || !salt || !iterations) return std::nullopt;
  auto octets = base64_decode(*salt);
  const auto count = parse_decimal(*iterations);
  if (!octets || octets->empty() || !count) return std::nullopt;
  return ScramServerFirst{std::string(*nonce), std::move(*octets), *count};
}

std::optional<ScramClientFinal> parse_client_final(std::string_view message) {
  const auto parts = split(message, ',');
  if (parts.size() < 3) return std::nullopt;
  const auto binding = attribute(parts[0], 'c');
  const auto nonce = attribute(parts[1], 'r');
  const auto proof = attribute(parts.back(), 'p');
  if (!binding || !nonce || !proof) return std::nullopt;
  auto binding_octets = base64_decode(*binding);
  auto proof_octets = base64_decode(*proof);
  if (!binding_octets || !proof_octets) return std::nullopt;
  const std::size_t without = message.size() - parts.back().size() - 1;
  return ScramClientFinal{std::move(*binding_octets), std::string(*nonce), std::move(*proof_octets),
                          std::string(message.substr(0, without))};
}

std::optional<std::string> parse_server_final(std::string_view message) {
  const auto signature = attribute(message.substr(0, message.find(',')), 'v');
  return signature ? base64_decode(*signature) : std::nullopt;
}

std::string scram_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == ',') {
      text += "=2C";
    } else if (c == '=') {
      text += "=3D";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace postproof::auth
