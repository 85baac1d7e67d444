#include "mta/os/log_output.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>

using namespace postproof;

namespace {

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  std::string drain() {
    std::string all;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::array<char, 65536> piece;
    for (ssize_t size; (size = read(ends[0], piece.data(), piece.size())) > 0;) all.append(piece.data(), static_cast<std::size_t>(size));
    return all;
  }
  std::array<int, 2> ends{};
};

std::string told(std::uint64_t lost) { return "lost " + std::to_string(lost) + "\n"; }

}  // namespace

TEST_CASE("log output: a reader that stalls holds nobody up, and gets whole lines in their order afterwards") {
  Pipe pipe;
  os::LogOutput output(pipe.ends[1], told);
  std::string written;
  for (int i = 0; i < 50'000; ++i) {  // several times what a pipe holds
    const std::string line = "line " + std::to_string(i) + "\n";
    output.write(line);
    written += line;
  }
  std::string read;
  for (int i = 0; i < 100 && read.size() < written.size(); ++i) {
    read += pipe.drain();
    output.write("x\n");
    written += "x\n";
  }
  read += pipe.drain();
  CHECK(read == written.substr(0, read.size()));
  CHECK(read.size() > 500'000);
}

TEST_CASE("log output: what is too much is dropped line by line, counted, and told") {
  Pipe pipe;
  os::LogOutput output(pipe.ends[1], told);
  const std::string line(999, 'a');
  for (std::size_t octets = 0; octets < os::LogOutput::kWaitingMax + 100'000; octets += line.size() + 1) output.write(line + "\n");
  std::string read;
  for (int i = 0; i < 1000; ++i) {
    const std::string more = pipe.drain();
    if (more.empty()) break;
    read += more;
    output.write("after\n");
  }
  const auto lost = read.find("lost ");
  REQUIRE(lost != std::string::npos);
  CHECK(read[lost - 1] == '\n');
  CHECK(std::stoi(read.substr(lost + 5)) > 10);
}

TEST_CASE("log output: a reader that is gone is no trouble") {
  Pipe pipe;
  signal(SIGPIPE, SIG_IGN);
  close(pipe.ends[0]);
  pipe.ends[0] = dup(pipe.ends[1]);
  os::LogOutput output(pipe.ends[1], told);
  output.write("nobody reads this\n");
}
