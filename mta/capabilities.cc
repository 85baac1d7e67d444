#include "mta/capabilities.h"

#include <algorithm>

namespace postproof {

namespace {

struct Capability {
  std::string_view word;
  bool here;
};

constexpr Capability kCapabilities[] = {
    // SMTP extensions, as EHLO names them
    {"pipelining", true},
    {"size", true},
    {"8bitmime", true},
    {"enhancedstatuscodes", true},
    {"starttls", true},
    {"auth", true},
    {"dsn", true},
    {"chunking", true},
    {"binarymime", false},
    {"smtputf8", true},
    {"requiretls", false},
    {"deliverby", true},
    {"mt-priority", true},
    // what the relay does
    {"relay", true},
    {"smarthost", true},
    {"ipv6", true},
    {"bounces", true},
    {"delay-warnings", false},
    {"dane", false},
    {"mta-sts", false},
    {"tls-rpt", false},
    {"submission", true},
    {"local-delivery", false},
    {"lmtp", true},
    {"pipe", false},
    {"spf", false},
    {"dkim", false},
    {"dmarc", false},
    {"arc", false},
    {"srs", false},
    {"queue-commands", false},
    {"metrics", false},
    {"reload", false},
};

const Capability* find(std::string_view word) {
  const auto* at = std::ranges::find(kCapabilities, word, &Capability::word);
  return at == std::end(kCapabilities) ? nullptr : at;
}

}  // namespace

const std::vector<std::string_view>& all_capabilities() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> list;
    for (const Capability& one : kCapabilities) list.push_back(one.word);
    return list;
  }();
  return words;
}

bool is_capability(std::string_view word) { return find(word) != nullptr; }

bool has_capability(std::string_view word) {
  const Capability* one = find(word);
  return one != nullptr && one->here;
}

}  // namespace postproof
