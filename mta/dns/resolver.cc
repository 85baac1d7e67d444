#include "mta/dns/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/base/text.h"
#include "mta/dns/cache.h"
#include "mta/dns/name.h"
#include "mta/dns/transport.h"
#include "mta/dns/wire.h"
#include "mta/env/hop.h"
#include "mta/env/wakeup.h"

namespace postproof::dns {

namespace {

Lookup not_found(Outcome outcome, std::string detail) {
  Lookup lookup;
  lookup.outcome = outcome;
  lookup.detail = std::move(detail);
  return lookup;
}

// A lookup, and for how long it may be kept.
struct Resolved {
  Lookup lookup;
  Duration ttl{};
};

// An exchange that others wait for, too.
struct Flight {
  bool landed = false;
  Lookup lookup;
  std::vector<Wakeup*> waiting;
};

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::a: return "A";
    case Type::cname: return "CNAME";
    case Type::mx: return "MX";
    case Type::txt: return "TXT";
    case Type::aaaa: return "AAAA";
  }
  return "unknown";
}

struct Resolver::Impl {
  Impl(Env& e, ResolverSettings s)
      : env(e), settings(std::move(s)), transport(e), cache(settings.cache_entries_max), ended(e) {}

  // A call under way: close() waits for all of them.
  class Presence {
   public:
    explicit Presence(Impl& impl) : impl_(impl) { ++impl_.lookups; }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    ~Presence() {
      if (--impl_.lookups == 0) impl_.ended.notify();
    }

   private:
    Impl& impl_;
  };

  Task<Lookup> look_up(std::string name, Type type) {
    const Presence presence(*this);
    if (closing) co_return not_found(Outcome::temporary, "the resolver is closed");
    const CacheKey key{name, type};
    if (const Lookup* kept = cache.find(key, env.clock.mono())) co_return *kept;
    if (const std::shared_ptr<Flight>* flying = flights.find(key)) {
      const std::shared_ptr<Flight> flight = *flying;
      co_return co_await wait_for(flight);
    }

    const auto flight = std::make_shared<Flight>();
    flights[key] = flight;
    Resolved resolved = co_await resolve(name, type);
    flights.erase(key);
    const Duration ttl = std::min(resolved.ttl, settings.ttl_max);
    if (ttl > Duration::zero()) cache.put(key, resolved.lookup, env.clock.mono() + ttl);
    flight->landed = true;
    flight->lookup = resolved.lookup;
    for (Wakeup* waiting : flight->waiting) waiting->notify();
    co_return std::move(resolved.lookup);
  }

  Task<Lookup> wait_for(std::shared_ptr<Flight> flight) {
    Wakeup landed(env);
    flight->waiting.push_back(&landed);
    Woken woken = Woken::notified;
    while (!flight->landed && woken != Woken::closed) woken = co_await landed.wait();
    std::erase(flight->waiting, &landed);
    if (!flight->landed) co_return not_found(Outcome::temporary, "the resolver is closed");
    co_return flight->lookup;
  }

  // Along a chain of CNAMEs, as far as answers do not lead along it themselves.
  Task<Resolved> resolve(std::string name, Type type) {
    Resolved resolved;
    Duration ttl = Duration::max();
    bool authentic = true;
    std::vector<std::string> names{name};
    for (;;) {
      const Answer answer = co_await ask_servers(names.back(), type);
      ttl = std::min(ttl, answer.ttl);
      authentic = authentic && answer.authentic;
      for (const std::string& alias : answer.aliases) {
        if (names.size() > kAliasesMax || std::find(names.begin(), names.end(), alias) != names.end()) {
          resolved.lookup = not_found(Outcome::temporary,
                                      fmt::format("CNAME loop or chain of over {} at {}", kAliasesMax, alias));
          co_return resolved;
        }
        names.push_back(alias);
      }
      if (answer.kind != Answer::Kind::alias) {
        resolved.lookup = conclude(answer, type, names.back());
        resolved.lookup.authentic = authentic && resolved.lookup.outcome != Outcome::temporary;
        if (resolved.lookup.outcome != Outcome::temporary) resolved.ttl = ttl;
        co_return resolved;
      }
      if (!normal_name(names.back())) {
        resolved.lookup =
            not_found(Outcome::temporary, fmt::format("CNAME to \"{}\", no domain", names.back()));
        co_return resolved;
      }
    }
  }

  // `answer` as ask_servers gives it: its text names the server.
  static Lookup conclude(const Answer& answer, Type type, const std::string& name) {
    switch (answer.kind) {
      case Answer::Kind::found: {
        Lookup lookup;
        lookup.outcome = Outcome::found;
        lookup.records = answer.records;
        return lookup;
      }
      case Answer::Kind::no_data:
        return not_found(Outcome::no_data, fmt::format("{} has no {} record: {}", name, to_string(type), answer.text));
      case Answer::Kind::no_such_domain:
        return not_found(Outcome::no_such_domain, fmt::format("{}: {}", name, answer.text));
      default: return not_found(Outcome::temporary, answer.text);
    }
  }

  static bool settles(Answer::Kind kind) {
    switch (kind) {
      case Answer::Kind::found:
      case Answer::Kind::no_data:
      case Answer::Kind::no_such_domain:
      case Answer::Kind::alias:
      case Answer::Kind::endless: return true;
      default: return false;
    }
  }

  // The servers in turn, from the one that answered last, until one says something. Who said something
  // useless (SERVFAIL) is not asked again in the next round; who was silent is, without EDNS: there are
  // still servers and firewalls that drop what they do not know (RFC 6891 section 6.2.6).
  Task<Answer> ask_servers(std::string name, Type type) {
    const std::size_t count = settings.servers.size();
    const std::size_t start = count == 0 ? 0 : preferred % count;
    std::vector<bool> asked_enough(count, false);
    std::vector<std::string> trouble(count);
    for (unsigned round = 0; round < settings.rounds; ++round) {
      for (std::size_t i = 0; i < count && !closing; ++i) {
        const std::size_t index = (start + i) % count;
        if (asked_enough[index]) continue;
        const Endpoint server = settings.servers[index];
        const Deadline deadline = env.clock.mono() + settings.timeout;
        Answer answer = co_await transport.ask(name, type, server, round == 0, deadline);
        const bool silent = answer.kind == Answer::Kind::silent;
        answer.text = fmt::format("{} {} {}", silent ? answer.text : ascii_upper(answer.text), silent ? "at" : "from",
                                  server.to_string());
        if (settles(answer.kind)) {
          preferred = index;
          co_return answer;
        }
        trouble[index] = std::move(answer.text);
        asked_enough[index] = !silent;
      }
    }
    Answer answer;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& text = trouble[(start + i) % count];
      if (text.empty()) continue;
      if (!answer.text.empty()) answer.text += "; ";
      answer.text += text;
    }
    if (answer.text.empty()) answer.text = closing ? "the resolver is closed" : "no DNS server is configured";
    co_return answer;
  }

  Task<void> close() {
    closing = true;
    transport.close();
    // Should the world go away first, calls under way end by themselves; they refer to us until then.
    while (lookups > 0) co_await ended.wait();
  }

  Env& env;
  const ResolverSettings settings;
  Transport transport;
  Cache cache;
  HashMap<CacheKey, std::shared_ptr<Flight>, CacheKeyHash> flights;
  std::size_t preferred = 0;  // the server that answered last
  std::size_t lookups = 0;    // calls under way
  Wakeup ended;               // the last of them
  bool closing = false;
};

Resolver::Resolver(Env& env, ResolverSettings settings) : impl_(std::make_unique<Impl>(env, std::move(settings))) {}
Resolver::~Resolver() = default;

Task<Lookup> Resolver::query(std::string name, Type type) {
  std::expected<std::string, std::string> normal = normal_name(name);
  if (!normal) co_return not_found(Outcome::no_such_domain, std::move(normal.error()));
  Task<Lookup> task = impl_->look_up(std::move(*normal), type);
  co_return co_await hop(impl_->env.executor, std::move(task));
}

Task<void> Resolver::close() {
  Task<void> task = impl_->close();
  co_await hop(impl_->env.executor, std::move(task));
}

}  // namespace postproof::dns
