// postproof-mta: the command line of the mail transfer agent.
//
//   serve    runs it in the foreground; a log line an event on standard error
//   check    reads a configuration and tells what is wrong with it
//   queue    asks the running daemon, or reads the spool when none runs
//   passwd   writes the line of a user into a password file
//
// Exit status: 0 fine; 1 it could not be done; 2 wrong usage or an invalid configuration.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "mta/admin/control.h"
#include "mta/admin/log_sink.h"
#include "mta/admin/queue_listing.h"
#include "mta/base/text.h"
#include "mta/config.h"
#include "mta/env/wakeup.h"
#include "mta/login_files.h"
#include "mta/mta.h"
#include "mta/os/log_output.h"
#include "mta/os/loop.h"
#include "mta/passwd_command.h"
#include "mta/queue/journal_spool.h"
#include "mta/tls_files.h"

using namespace postproof;

namespace {

constexpr int kFine = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::size_t kConfigMax = 1024 * 1024;

struct Options {
  std::string config;
  std::string log = "text";
  bool log_wire = false;
  bool json = false;
};

void complain(const std::string& what) {
  std::fprintf(stderr, "postproof-mta: %s\n", what.c_str());
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() || file.bad()) return std::nullopt;  // not there, or too large
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// The resolvers that the system's own programs ask.
std::vector<Endpoint> system_resolvers() {
  std::vector<Endpoint> servers;
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string keyword, address;
    if (words >> keyword >> address && keyword == "nameserver") {
      if (const auto parsed = IpAddress::parse(address)) servers.emplace_back(*parsed, 53);
    }
  }
  if (servers.empty()) servers.emplace_back(*IpAddress::parse("127.0.0.1"), 53);
  return servers;
}

// Our own addresses, as far as we listen there on the port of MX hosts: mail for them would come back.
std::vector<IpAddress> own_addresses(const Config& config) {
  std::vector<IpAddress> own;
  bool all = false;
  for (const Endpoint& endpoint : config.listen) {
    if (endpoint.kind() != Endpoint::Kind::ip || endpoint.port() != config.router.port) continue;
    if (endpoint.address().is_unspecified()) {
      all = true;
    } else {
      own.push_back(endpoint.address());
    }
  }
  ifaddrs* list = nullptr;
  if (!all || getifaddrs(&list) != 0) return own;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = entry->ifa_addr->sa_family;
    const void* octets = family == AF_INET    ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr)
                         : family == AF_INET6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr)
                                              : nullptr;
    if (octets == nullptr || inet_ntop(family, octets, text.data(), text.size()) == nullptr) continue;
    if (const auto address = IpAddress::parse(text.data())) own.push_back(*address);
  }
  freeifaddrs(list);
  return own;
}

// Complains, and gives none, if the configuration cannot be used.
std::optional<Config> load_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) {
    complain(path + ": cannot be read; expected a configuration file");
    return std::nullopt;
  }
  Problems problems(path);
  Config config = parse_config(*text, problems);
  for (const Problem& problem : problems.list()) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  if (!problems.empty()) return std::nullopt;
  if (config.resolver.servers.empty()) config.resolver.servers = system_resolvers();
  config.router.addresses = own_addresses(config);
  return config;
}

Endpoint control_socket(const Config& config) { return Endpoint::unix_path(config.spool.directory + "/control"); }

// --- serve -----------------------------------------------------------------------------------------------------

// The daemon beside its control socket: both end when the Mta does.
Task<Result<void>> serve_all(Env& env, Mta& mta, const Config& config) {
  admin::ControlServer control(env, [&mta, &env](std::string request) -> Task<std::string> {
    if (request != "queue-list" && request != "queue-list json") {
      co_return "error: unknown request; expected queue-list or queue-list json\n";
    }
    const auto entries = co_await mta.queue();
    if (request == "queue-list") co_return admin::queue_table(entries, env.clock.now());
    co_return admin::queue_json(entries);
  });
  TaskGroup tasks(env.executor);
  // The socket is made once the spool is ours: only then can no other daemon be listening there.
  const auto ready = [&]() {
    if (const auto listening = control.listen(control_socket(config)); !listening) {
      const std::string what = "no queue listing while running: " + listening.error().what;
      env.events.emit(event::Service{"trouble", what});
    } else {
      tasks.spawn(control.run());
    }
  };
  auto served = co_await mta.run(ready);
  control.stop();
  co_await tasks.join();
  co_return served;
}

// Sessions and lanes take a descriptor or two each, and the usual soft limit of 1,024 is less than we may open.
void raise_descriptor_limit(const Config& config, EventSink& log) {
  constexpr rlim_t kOther = 64;  // journal, listeners, the log, DNS
  const rlim_t wanted = 2 * (rlim_t{config.server.sessions_max} + config.scheduler.lanes_max) + kOther;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  const std::string what = std::to_string(limit.rlim_cur) + " files may be open, and smtp.sessions_max with delivery.lanes_max can want " +
                           std::to_string(wanted) + "; raise the limit (ulimit -n, LimitNOFILE) or lower these";
  log.emit(event::Service{"trouble", what});
}

int serve(const Options& options) {
  auto config = load_config(options.config);
  if (!config) return kUsage;
  std::optional<os::LogOutput> output;
  admin::LogSink log(options.log == "json" ? admin::LogForm::json : admin::LogForm::text,
                     options.log_wire ? admin::LogDetail::wire : admin::LogDetail::mail,
                     [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); },
                     [&](std::string_view line) { output->write(line); });
  output.emplace(STDERR_FILENO, [&](std::uint64_t lines) {
    return log.line(event::Service{"trouble", std::to_string(lines) + " lines of the log were lost: nobody took them"});
  });
  raise_descriptor_limit(*config, log);
  os::Workers workers;
  os::Loop loop(log, workers);
  std::vector<std::unique_ptr<os::LoopThread>> threads;
  std::vector<Env*> session_envs;
  for (unsigned i = 0; i < config->session_threads; ++i) {
    threads.push_back(std::make_unique<os::LoopThread>(log, workers, "session-" + std::to_string(i + 1)));
    session_envs.push_back(&threads.back()->env());
  }
  if (session_envs.empty()) session_envs.push_back(&loop.env());

  Result<void> served;
  {
    Mta mta(*config, loop.env(), session_envs);
    unsigned wanted = 0;
    loop.on_signal([&](os::Signal signal) {
      if (signal == os::Signal::reload) {
        mta.reload();
        return;
      }
      // Everything acknowledged is on the disk: a second signal may end us where we stand.
      if (wanted++ > 0) std::_Exit(kFine);
      mta.stop();
    });
    served = loop.run(serve_all(loop.env(), mta, *config));
  }
  if (!served) {
    complain(served.error().what);
    return kFailed;
  }
  return kFine;
}

// --- check -----------------------------------------------------------------------------------------------------

class Quiet final : public EventSink {
 public:
  void emit(const Event&) override {}
};

// What the configuration names, as serve would.
Task<Result<void>> load_files(Env& env, Config& config) {
  auto loaded = co_await load_tls(env, config);
  if (loaded) loaded = co_await load_smarthost_login(env, config);
  if (loaded) loaded = co_await check_logins(env, config);
  co_return loaded;
}

int check(const Options& options) {
  auto config = load_config(options.config);
  if (!config) return kUsage;
  Quiet quiet;
  os::Workers workers;
  os::Loop loop(quiet, workers);
  if (const auto loaded = loop.run(load_files(loop.env(), *config)); !loaded) {
    std::fprintf(stderr, "%s: %s\n", options.config.c_str(), loaded.error().what.c_str());
    return kUsage;
  }
  std::printf("%s: fine\n", options.config.c_str());
  return kFine;
}

// --- passwd ----------------------------------------------------------------------------------------------------

int set_password(const Options& options, PasswdOptions passwd_options) {
  if (passwd_options.file.empty() && options.config.empty()) {
    complain("whose password file? expected --file or --config");
    return kUsage;
  }
  if (passwd_options.file.empty()) {
    const auto config = load_config(options.config);
    if (!config) return kUsage;
    passwd_options.file = config->auth.password_file;
    if (passwd_options.file.empty()) {
      complain(options.config + ": names no auth.password_file; expected one, or --file");
      return kUsage;
    }
  }
  return passwd(passwd_options) == 0 ? kFine : kFailed;
}

// --- queue list ------------------------------------------------------------------------------------------------

// A daemon that comes up or goes down has the spool and does not answer: it is asked again for so long.
constexpr Duration kPatience = 5s;
constexpr Duration kAskAgain = 100ms;

Task<Result<std::string>> queue_text(Env& env, const Config& config, bool json) {
  const MonoTime patient_until = env.clock.mono() + kPatience;
  Result<std::vector<queue::QueuedMessage>> messages = fail(Errc::in_use, {});
  for (;;) {
    auto answer = co_await admin::ask_control(env, control_socket(config), json ? "queue-list json" : "queue-list");
    if (answer) co_return answer;
    const Errc code = answer.error().code;
    // Reset: it ended in the middle.
    if (code != Errc::refused && code != Errc::not_found && code != Errc::reset) co_return answer;
    // Nobody serves this spool: read it.
    messages = co_await queue::read_queue(env, config.spool);
    if (messages) break;
    if (messages.error().code != Errc::in_use) co_return std::unexpected(messages.error());
    if (env.clock.mono() >= patient_until) {
      const std::string what = messages.error().what + ", which does not answer: " + answer.error().what;
      co_return fail(Errc::in_use, what);
    }
    const Woken woken = co_await sleep_until(env, env.clock.mono() + kAskAgain);
    if (woken == Woken::closed) co_return fail(Errc::closed, "interrupted");
  }
  std::vector<queue::QueueEntry> entries;
  for (queue::QueuedMessage& message : *messages) {
    queue::QueueEntry entry;
    entry.message = std::move(message);
    entries.push_back(std::move(entry));
  }
  co_return json ? admin::queue_json(entries) : admin::queue_table(entries, env.clock.now());
}

int queue_list(const Options& options) {
  const auto config = load_config(options.config);
  if (!config) return kUsage;
  Quiet quiet;
  os::Workers workers;
  os::Loop loop(quiet, workers);
  const auto text = loop.run(queue_text(loop.env(), *config, options.json));
  if (!text) {
    complain(text.error().what);
    return kFailed;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return std::fflush(stdout) == 0 ? kFine : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"postproof-mta, a mail transfer agent", "postproof-mta"};
  app.set_version_flag("--version", "postproof-mta " POSTPROOF_VERSION);
  app.require_subcommand(1);
  app.footer("Exit status: 0 fine; 1 it could not be done; 2 wrong usage or an invalid configuration.\n"
             "A commented configuration: docs/relay.example.toml");
  Options options;
  const auto add_config = [&](CLI::App* command) {
    command->add_option("-c,--config", options.config, "the configuration file")->required()->type_name("FILE");
  };

  CLI::App* serve_command = app.add_subcommand("serve", "run in the foreground until SIGTERM");
  add_config(serve_command);
  serve_command->add_option("--log", options.log, "form of the log on standard error")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  serve_command->add_flag("--log-wire", options.log_wire,
                          "log every connection, command, reply, attempt and DNS question too");

  CLI::App* check_command = app.add_subcommand("check", "tell what is wrong with a configuration");
  add_config(check_command);

  CLI::App* queue_command = app.add_subcommand("queue", "look into the queue");
  queue_command->require_subcommand(1);
  CLI::App* list_command = queue_command->add_subcommand("list", "every recipient that waits: of the running daemon, or of the spool when none runs");
  add_config(list_command);
  list_command->add_flag("--json", options.json, "one JSON object a message, for scripts");

  CLI::App* passwd_command = app.add_subcommand("passwd", "set a user's password in a password file, or remove the user");
  PasswdOptions passwd_options;
  auto* passwd_file = passwd_command->add_option("-f,--file", passwd_options.file, "the password file, made if need be")
                          ->type_name("FILE");
  passwd_command->add_option("-c,--config", options.config, "the configuration that names it by auth.password_file")
      ->type_name("FILE")
      ->excludes(passwd_file);
  passwd_command->add_option("user", passwd_options.user, "the login name")->required();
  passwd_command->add_option("--scheme", passwd_options.scheme, "scram serves every mechanism, yescrypt PLAIN and LOGIN")
      ->check(CLI::IsMember({"scram", "yescrypt"}))
      ->capture_default_str();
  passwd_command->add_flag("--delete", passwd_options.remove, "remove the user");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
  }
  if (serve_command->parsed()) return serve(options);
  if (check_command->parsed()) return check(options);
  if (passwd_command->parsed()) return set_password(options, passwd_options);
  return queue_list(options);
}
