// What durability_test.py watches under strace: makes files durable as env/disk.h says, and says so on
// standard output, so that the trace shows what had been done by then.
//   durability_writer FOLDER
// With a second argument the first fdatasync is expected to fail (strace can see to that), and what the
// calls behind it yield is told.
//   durability_writer FOLDER failing
#include <unistd.h>

#include <cstdio>
#include <string>

#include "mta/os/loop.h"

namespace {

using namespace postproof;

class NoEvents final : public EventSink {
 public:
  void emit(const Event&) override {}
};

void say(std::string_view line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

Task<Result<void>> write_durably(Env& env, std::string folder) {
  auto file = co_await env.disk.open(folder + "/new", OpenMode::create_new);
  if (!file) co_return std::unexpected(file.error());
  if (auto done = co_await (*file)->allocate(0, 600'000); !done) co_return done;
  if (auto done = co_await (*file)->write_at(0, "content"); !done) co_return done;
  if (auto done = co_await (*file)->sync(); !done) co_return done;
  if (auto done = co_await env.disk.sync_dir(folder); !done) co_return done;
  say("created\n");
  if (auto done = co_await (*file)->write_at(7, " and more"); !done) co_return done;
  if (auto done = co_await (*file)->sync(); !done) co_return done;
  say("overwritten\n");
  if (auto done = co_await env.disk.rename(folder + "/new", folder + "/renamed"); !done) co_return done;
  if (auto done = co_await env.disk.sync_dir(folder); !done) co_return done;
  say("renamed\n");
  co_return Result<void>();
}

template <class T>
void tell(std::string_view name, const Result<T>& result) {
  say(std::string(name) + ": " + (result ? "ok" : std::string(to_string(result.error().code))) + "\n");
}

Task<Result<void>> fail_to_sync(Env& env, std::string folder) {
  auto file = co_await env.disk.open(folder + "/f", OpenMode::create_new);
  if (!file) co_return std::unexpected(file.error());
  tell("write", co_await (*file)->write_at(0, "text"));
  tell("sync", co_await (*file)->sync());
  tell("sync", co_await (*file)->sync());
  tell("write", co_await (*file)->write_at(0, "more"));
  tell("allocate", co_await (*file)->allocate(0, 10));
  tell("truncate", co_await (*file)->truncate(0));
  tell("size", co_await (*file)->size());
  char octet;
  tell("read", co_await (*file)->read_at(0, std::span(&octet, 1)));
  co_return Result<void>();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 && count != 3) return 2;
  NoEvents events;
  os::Workers workers;
  os::Loop loop(events, workers);
  const Result<void> done =
      count == 2 ? loop.run(write_durably(loop.env(), arguments[1])) : loop.run(fail_to_sync(loop.env(), arguments[1]));
  if (!done) std::fprintf(stderr, "%s\n", done.error().what.c_str());
  return done ? 0 : 1;
}
