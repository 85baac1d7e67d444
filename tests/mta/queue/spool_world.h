// A node with a spool on its disk, for tests: each run() is one life of the program over the same disk.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/crc32c.h"
#include "mta/queue/journal_format.h"
#include "mta/queue/journal_octets.h"
#include "mta/queue/journal_spool.h"
#include "sim/world/node.h"
#include "sim/world/world.h"

namespace postproof::queue::test {

inline Address address(std::string_view text) { return Address::parse(text).value(); }

inline Envelope envelope(std::vector<std::string> recipients) {
  Envelope envelope;
  envelope.sender = address("alice@src.example");
  for (const std::string& recipient : recipients) envelope.recipients.push_back(Recipient{address(recipient)});
  return envelope;
}

inline Envelope envelope() { return envelope({"bob@dest.example"}); }

inline AttemptResult result(Stage stage, int code, std::string text) {
  AttemptResult result;
  result.stage = stage;
  result.host = "mx1.dest.example";
  result.endpoint = "192.0.2.1:25";
  result.what = smtp::Reply{code, EnhancedStatus{static_cast<std::uint8_t>(code / 100), 2, 0}, {std::move(text)}};
  result.started = WallTime{1s};
  result.ended = WallTime{2s};
  return result;
}

inline Progress progress(RecipientStatus status, std::uint32_t attempts = 1) {
  Progress progress;
  progress.status = status;
  progress.attempts = attempts;
  progress.due = WallTime{1000s};
  progress.last = result(Stage::rcpt, status == RecipientStatus::delivered ? 250 : 450, "so be it");
  return progress;
}

inline std::vector<ProgressUpdate> update(RecipientStatus status, std::uint32_t attempts = 1,
                                          std::size_t recipient = 0) {
  std::vector<ProgressUpdate> updates;
  updates.push_back(ProgressUpdate{recipient, progress(status, attempts)});
  return updates;
}

// Octets that differ from place to place.
inline std::string body_of(std::size_t size, unsigned salt = 0) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>((i * 131 + i / 251 + salt) & 0xff);
  return body;
}

inline constexpr std::string_view kHeader = "Received: from a by b\r\n";

// A whole message: begin, write in chunks, commit.
inline Task<Result<MessageId>> store(Spool& spool, std::string body, Envelope to) {
  auto writer = co_await spool.begin();
  if (!writer) co_return std::unexpected(writer.error());
  constexpr std::size_t kPiece = 65536;
  for (std::size_t at = 0; at < body.size(); at += kPiece) {
    const auto written = co_await (*writer)->write(body.substr(at, kPiece));
    if (!written) co_return std::unexpected(written.error());
  }
  const auto stored = co_await (*writer)->commit(std::move(to), std::string(kHeader), WallTime{100s});
  if (!stored) co_return std::unexpected(stored.error());
  co_return (*stored)->id;
}

inline Task<Result<MessageId>> store(Spool& spool, std::string body) {
  return store(spool, std::move(body), envelope());
}

inline Task<Result<void>> finish(Spool& spool, MessageId id, RecipientStatus status, Durability durability) {
  std::vector<ProgressUpdate> updates = update(status);
  const auto recorded = co_await spool.record(id, std::move(updates), std::nullopt, durability);
  if (!recorded) co_return std::unexpected(recorded.error());
  co_return Result<void>{};
}

// The whole content in pieces.
inline Task<Result<std::string>> content(Spool& spool, MessageId id, std::size_t piece = 65536) {
  std::string all;
  for (;;) {
    const auto octets = co_await spool.read(id, all.size(), piece);
    if (!octets) co_return std::unexpected(octets.error());
    if (octets->empty()) co_return all;
    all += *octets;
  }
}

// A segment's header as a program of another version writes it.
inline std::string of_version(std::string header, char version) {
  header.resize(journal::kSegmentHeaderSize - sizeof(std::uint32_t));
  header[8] = version;
  const std::uint32_t crc = crc32c(header);
  journal::OctetWriter(header).u32(crc);
  return header;
}

class SpoolWorld {
 public:
  explicit SpoolWorld(std::uint64_t seed = 1)
      : world(settings_of(seed), recording), node(world.add_node("mta", {*IpAddress::parse("192.0.2.25")})) {
    settings.directory = "/spool";
    settings.segment_size = 1024 * 1024;
    node.on_event([this](const Event& event) {
      if (const auto* service = std::get_if<event::Service>(&event)) {
        services.push_back(std::string(service->state) + ": " + std::string(service->detail));
      }
    });
  }

  using Body = std::function<Task<void>(Env&)>;
  // One life, to its end; false: it was cut short by a crash.
  bool run(Body body) {
    bool ended = false;
    node.start([body = std::move(body), &ended](Env& env) -> Task<void> {
      co_await body(env);
      ended = true;
    });
    const auto stopped = world.run(world.now() + 24h, [this] { return !node.running(); });
    CHECK(stopped == sim::World::Stopped::finished);
    return ended && !crashed;
  }

  // One life over an open spool, which is closed at the end.
  bool with_spool(std::function<Task<void>(Env&, JournalSpool&)> body) {
    return run([this, body = std::move(body)](Env& env) -> Task<void> {
      auto opened = co_await JournalSpool::open(env, settings);
      if (!opened) {
        open_error = opened.error();
        if (!crashed) FAIL_CHECK("open: " << opened.error().what);
        co_return;
      }
      co_await body(env, **opened);
      co_await (*opened)->close();
    });
  }

  // The messages that an opening spool finds, with whole contents; a content that cannot be read is its error.
  struct Found {
    QueuedMessage message;
    std::string content;
  };
  std::map<MessageId, Found> recover() {
    std::map<MessageId, Found> found;
    with_spool([&](Env&, JournalSpool& spool) -> Task<void> {
      for (;;) {
        auto message = co_await spool.adopt();
        if (!message || !*message) co_return;
        const MessageId id = (*message)->stored->id;
        auto octets = co_await content(spool, id);
        Found one;
        one.message = std::move(**message);
        one.content = octets ? std::move(*octets) : "error: " + octets.error().what;
        found.emplace(id, std::move(one));
      }
    });
    return found;
  }

  void crash_at_operation(std::uint64_t number) {
    node.disk().on_operation([this, number](std::uint64_t n, std::string_view, std::string_view) {
      if (n != number) return;
      crashed = true;
      node.crash_soon();
    });
  }
  void no_more_crashes() {
    node.disk().on_operation(nullptr);
    crashed = false;
  }

  bool told(std::string_view what) const {
    for (const std::string& service : services) {
      if (service.find(what) != std::string::npos) return true;
    }
    return false;
  }
  std::size_t times_told(std::string_view what) const {
    return static_cast<std::size_t>(std::count_if(services.begin(), services.end(), [&](const std::string& service) {
      return service.find(what) != std::string::npos;
    }));
  }
  // As an administrator while nothing runs.
  void remove(std::string path) {
    run([path](Env& env) -> Task<void> {
      CHECK((co_await env.disk.unlink(path)).has_value());
      CHECK((co_await env.disk.sync_dir(path.substr(0, path.rfind('/')))).has_value());
    });
  }
  std::vector<std::string> files_under(std::string_view directory) const {
    std::vector<std::string> files;
    for (std::string& path : node.disk().files()) {
      if (path.starts_with(directory)) files.push_back(std::move(path));
    }
    return files;
  }

  static sim::WorldSettings settings_of(std::uint64_t seed) {
    sim::WorldSettings settings;
    settings.seed = seed;
    return settings;
  }

  sim::Recording recording;
  sim::World world;
  sim::Node& node;
  SpoolSettings settings;
  std::vector<std::string> services;
  std::optional<Error> open_error;
  bool crashed = false;
};

}  // namespace postproof::queue::test
