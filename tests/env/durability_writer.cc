// What durability_test.py watches under strace: makes files durable as env/disk.h says, and says so on
// standard output, so that the trace shows what had been done by then.
//   durability_writer FOLDER
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

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  NoEvents events;
  os::Workers workers;
  os::Loop loop(events, workers);
  const Result<void> done = loop.run(write_durably(loop.env(), arguments[1]));
  if (!done) std::fprintf(stderr, "%s\n", done.error().what.c_str());
  return done ? 0 : 1;
}
