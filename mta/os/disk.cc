#include "mta/os/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mta/os/errno_error.h"
#include "mta/os/file.h"

namespace postproof::os {

namespace {

constexpr mode_t kFileMode = 0600;  // mail is private
constexpr mode_t kDirectoryMode = 0700;

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int descriptor;
  do {
    descriptor = ::openat(AT_FDCWD, path, flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

// O_NONBLOCK means nothing to files, and keeps the worker from waiting for the other end of a FIFO.
Result<int> open_file(const std::string& path, OpenMode mode) {
  const int how = mode == OpenMode::read ? O_RDONLY : mode == OpenMode::read_write ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
  const int descriptor = open_retrying(path.c_str(), how | O_NOCTTY | O_NONBLOCK, kFileMode);
  if (descriptor < 0) return fail_file(errno, "open " + path);
  struct stat found;
  if (fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) {
    ::close(descriptor);
    return fail(Errc::invalid, "open " + path + ": not a file");
  }
  return descriptor;
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return fail_file(errno, "list " + path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  const int number = errno;
  closedir(directory);
  if (number != 0) return fail_file(number, "list " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> sync_directory(const std::string& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return fail_file(errno, "sync " + path);
  const int number = fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (number != 0) return fail_file(number, "sync " + path);
  return {};
}

// Of the open file, not of the process: it ends with the last descriptor, so with the process at the latest, and
// it can be asked after without being taken.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

Result<int> lock_file(const std::string& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDWR | O_CREAT | O_NOCTTY, kFileMode);
  if (descriptor < 0) return fail_file(errno, "lock " + path);
  struct flock lock = whole_file();
  if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0) return descriptor;
  const int number = errno;
  ::close(descriptor);
  if (number == EAGAIN || number == EACCES) return fail(Errc::in_use, "lock " + path + ": another process holds it");
  return fail_file(number, "lock " + path);
}

Result<bool> ask_lock(const std::string& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDONLY | O_NOCTTY);
  if (descriptor < 0 && errno == ENOENT) return false;
  if (descriptor < 0) return fail_file(errno, "lock " + path);
  struct flock lock = whole_file();
  const int number = fcntl(descriptor, F_OFD_GETLK, &lock) == 0 ? 0 : errno;
  ::close(descriptor);
  if (number != 0) return fail_file(number, "lock " + path);
  return lock.l_type != F_UNLCK;
}

Result<void> done(int result, const std::string& doing) {
  if (result != 0) return fail_file(errno, doing);
  return {};
}

class FileLock final : public DiskLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  ~FileLock() override { ::close(descriptor_); }

 private:
  const int descriptor_;
};

}  // namespace

Task<Result<std::unique_ptr<File>>> OsDisk::open(std::string path, OpenMode mode) {
  const Result<int> descriptor = co_await core_.workers.run(core_.context, [&] { return open_file(path, mode); });
  if (!descriptor) co_return std::unexpected(descriptor.error());
  co_return make_file(core_, *descriptor, std::move(path));
}

Task<Result<void>> OsDisk::rename(std::string from, std::string to) {
  co_return co_await core_.workers.run(
      core_.context, [&] { return done(::rename(from.c_str(), to.c_str()), "rename " + from + " to " + to); });
}

Task<Result<void>> OsDisk::link(std::string from, std::string to) {
  co_return co_await core_.workers.run(
      core_.context, [&] { return done(::link(from.c_str(), to.c_str()), "link " + from + " to " + to); });
}

Task<Result<void>> OsDisk::unlink(std::string path) {
  co_return co_await core_.workers.run(core_.context, [&] { return done(::unlink(path.c_str()), "unlink " + path); });
}

Task<Result<void>> OsDisk::mkdir(std::string path) {
  co_return co_await core_.workers.run(core_.context,
                                       [&] { return done(::mkdir(path.c_str(), kDirectoryMode), "mkdir " + path); });
}

Task<Result<std::vector<std::string>>> OsDisk::list(std::string directory) {
  co_return co_await core_.workers.run(core_.context, [&] { return list_directory(directory); });
}

Task<Result<void>> OsDisk::sync_dir(std::string directory) {
  co_return co_await core_.workers.run(core_.context, [&] { return sync_directory(directory); });
}

Task<Result<std::uint64_t>> OsDisk::free_bytes(std::string path) {
  co_return co_await core_.workers.run(core_.context, [&]() -> Result<std::uint64_t> {
    struct statvfs found;
    if (statvfs(path.c_str(), &found) != 0) return fail_file(errno, "free space of " + path);
    return std::uint64_t{found.f_bavail} * found.f_frsize;
  });
}

Task<Result<std::unique_ptr<DiskLock>>> OsDisk::lock(std::string path) {
  const Result<int> descriptor = co_await core_.workers.run(core_.context, [&] { return lock_file(path); });
  if (!descriptor) co_return std::unexpected(descriptor.error());
  co_return std::make_unique<FileLock>(*descriptor);
}

Task<Result<bool>> OsDisk::is_locked(std::string path) {
  co_return co_await core_.workers.run(core_.context, [&] { return ask_lock(path); });
}

}  // namespace postproof::os
