#include "mta/passwd_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "mta/auth/crypt_hash.h"
#include "mta/auth/password_table.h"
#include "mta/auth/prepare.h"
#include "mta/base/result.h"
#include "mta/base/text.h"

namespace postproof {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::uint32_t kIterations = 10'000;  // of SCRAM: a login costs some 4 ms
constexpr std::size_t kPasswordMax = 512;      // crypt(3)'s own limit
constexpr mode_t kOwnerOnly = 0600;

int complain(const std::string& what) {
  std::fprintf(stderr, "postproof-mta: %s\n", what.c_str());
  return 1;
}

std::string system_error(const std::string& doing) { return fmt::format("{}: {}", doing, std::strerror(errno)); }

// No echo for as long as it lives.
class Silence {
 public:
  Silence() {
    silent_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (silent_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Silence() {
    if (silent_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool silent_ = false;
};

// Without its end; none at the end of input or over the limit.
std::optional<std::string> read_line() {
  std::string line;
  for (int c = std::getchar(); c != '\n'; c = std::getchar()) {
    if (c == EOF && line.empty()) return std::nullopt;
    if (c == EOF) break;
    if (line.size() >= kPasswordMax) return std::nullopt;
    line += static_cast<char>(c);
  }
  return line;
}

std::optional<std::string> ask(const char* prompt) {
  std::fprintf(stderr, "%s", prompt);
  auto line = read_line();
  std::fprintf(stderr, "\n");
  return line;
}

Result<std::string> read_password(const std::string& user) {
  std::optional<std::string> password;
  if (isatty(STDIN_FILENO) == 1) {
    const Silence silence;
    password = ask(fmt::format("Password for {}: ", user).c_str());
    const auto again = ask("Once more: ");
    if (password != again) return fail(Errc::invalid, "the two are not the same; nothing was changed");
  } else {
    password = read_line();
  }
  if (!password) return fail(Errc::invalid, fmt::format("no password; expected a line of at most {} octets", kPasswordMax));
  auto prepared = auth::prepare(*password);
  if (!prepared) return fail(Errc::invalid, "that is no password; expected UTF-8 without control characters");
  return std::move(*prepared);
}

Result<std::string> make_secret(const std::string& scheme, const std::string& password) {
  std::string salt(kSaltSize, '\0');
  if (getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size())) {
    return fail(Errc::io, system_error("no randomness"));
  }
  if (scheme == "scram") return auth::to_string(auth::make_scram_verifier(password, std::move(salt), kIterations));
  auto hash = auth::make_yescrypt_hash(password, salt);
  if (!hash) return fail(Errc::invalid, "crypt(3) does not take this password");
  return std::move(*hash);
}

// An empty one where there is no file.
Result<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno == ENOENT ? Result<std::string>("") : fail(Errc::io, system_error(path));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return fail(Errc::io, system_error(path));
  return text;
}

// A file's descriptor, and its name until it has taken another's place.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly)) {}
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (descriptor_ >= 0 && !placed_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  bool open() const { return descriptor_ >= 0; }
  bool own_as(const std::string& old) const {
    struct stat status {};
    if (::stat(old.c_str(), &status) != 0) return errno == ENOENT;
    return ::fchown(descriptor_, status.st_uid, status.st_gid) == 0 && ::fchmod(descriptor_, status.st_mode & 07777) == 0;
  }
  bool write(std::string_view octets) const {
    while (!octets.empty()) {
      const ssize_t done = ::write(descriptor_, octets.data(), octets.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(done));
    }
    return ::fsync(descriptor_) == 0;
  }
  bool place(const std::string& at) {
    placed_ = ::rename(path_.c_str(), at.c_str()) == 0;
    if (!placed_) return false;
    const std::string folder = std::filesystem::path(at).parent_path().string();
    const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
    const bool synced = ::fsync(directory) == 0;
    ::close(directory);
    return synced;
  }

 private:
  std::string path_;
  int descriptor_;
  bool placed_ = false;
};

// What stands beside the file while it is changed keeps two changes from undoing each other.
Result<void> change(const PasswdOptions& options, const std::string& user, const std::string& secret) {
  const std::string beside = options.file + ".new";
  NewFile made(beside);
  if (!made.open() && errno == EEXIST) {
    return fail(Errc::in_use, fmt::format("{} is there: another change is under way, or was broken off; then remove it", beside));
  }
  if (!made.open()) return fail(Errc::io, system_error(beside));
  const auto text = read_whole(options.file);
  if (!text) return std::unexpected(text.error());
  const auto edited = auth::edit_password_file(*text, user, secret);
  if (!edited) return fail(Errc::not_found, fmt::format("{} has no user {}", options.file, escape(user)));
  if (!made.own_as(options.file)) return fail(Errc::permission, system_error(beside + ": its owner"));
  if (!made.write(*edited)) return fail(Errc::io, system_error(beside));
  if (!made.place(options.file)) return fail(Errc::io, system_error(options.file));
  return {};
}

}  // namespace

int passwd(const PasswdOptions& options) {
  const auto user = auth::prepare(options.user);
  if (!user || user->find(':') != std::string::npos || user->starts_with('#') || trim(*user) != *user) {
    return complain(fmt::format("\"{}\" is no user name; expected UTF-8 without \":\", not beginning with \"#\"", escape(options.user)));
  }
  std::string secret;
  if (!options.remove) {
    const auto password = read_password(escape(*user));
    if (!password) return complain(password.error().what);
    auto made = make_secret(options.scheme, *password);
    if (!made) return complain(made.error().what);
    secret = std::move(*made);
  }
  const auto changed = change(options, *user, secret);
  return changed ? 0 : complain(changed.error().what);
}

}  // namespace postproof
