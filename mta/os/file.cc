#include "mta/os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "mta/base/check.h"
#include "mta/base/limits.h"
#include "mta/os/errno_error.h"

namespace postproof::os {

namespace {

// A larger read goes to a worker at once: copying it would hold the loop.
constexpr std::size_t kInlineRead = limits::kChunk;

constexpr std::array<char, 256 * 1024> kZeros{};

Result<std::size_t> read_whole(int descriptor, std::uint64_t offset, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t size = pread(descriptor, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_file(errno, "read");
    if (size == 0) break;
    done += static_cast<std::size_t>(size);
  }
  return done;
}

Result<void> write_whole(int descriptor, std::uint64_t offset, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t size = pwrite(descriptor, octets.data(), octets.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_file(errno, "write");
    offset += static_cast<std::uint64_t>(size);
    octets.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

// posix_fallocate would give extents that count as unwritten: the first sync of each block would have to
// change the file's metadata, which is what the caller wants to be rid of.
Result<void> write_zeros(int descriptor, std::uint64_t offset, std::uint64_t size) {
  while (size > 0) {
    const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(size, kZeros.size()));
    if (Result<void> written = write_whole(descriptor, offset, std::string_view(kZeros.data(), piece)); !written) {
      return written;
    }
    offset += piece;
    size -= piece;
  }
  return {};
}

class OsFile final : public File {
 public:
  OsFile(Core& core, int descriptor, std::string path) : core_(core), descriptor_(descriptor), path_(std::move(path)) {}
  ~OsFile() override {
    PP_CHECK(calls_ == 0, "a File was destroyed while a call of its was under way");
    ::close(descriptor_);
  }

  Task<Result<std::size_t>> read_at(std::uint64_t offset, std::span<char> into) override {
    const Call call(*this);
    if (read_cached(offset, into)) {
      co_await through_executor();
      co_return into.size();
    }
    Result<std::size_t> size = co_await core_.workers.run(
        core_.context, [this, offset, into] { return read_whole(descriptor_, offset, into); });
    if (!size) co_return fail(path_, std::move(size.error()));
    co_return size;
  }

  Task<Result<void>> write_at(std::uint64_t offset, std::string_view octets) override {
    return change([this, offset, octets] { return write_whole(descriptor_, offset, octets); });
  }

  Task<Result<void>> allocate(std::uint64_t offset, std::uint64_t size) override {
    return change([this, offset, size] { return write_zeros(descriptor_, offset, size); });
  }

  Task<Result<void>> sync() override {
    return change([this]() -> Result<void> {
      if (fdatasync(descriptor_) == 0) return {};
      // What was dirty may be marked clean now and never be written: a second try would prove nothing.
      sync_failed_ = true;
      return fail_file(errno, "sync");
    });
  }

  Task<Result<void>> truncate(std::uint64_t size) override {
    return change([this, size]() -> Result<void> {
      if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return fail_file(errno, "truncate");
      return {};
    });
  }

  Task<Result<std::uint64_t>> size() override {
    const Call call(*this);
    if (poisoned_) {
      co_await through_executor();
      co_return poisoned();
    }
    struct stat found;
    const int result = fstat(descriptor_, &found);
    const int number = errno;
    co_await through_executor();
    if (result != 0) co_return fail_file(number, path_ + ": size");
    co_return static_cast<std::uint64_t>(found.st_size);
  }

 private:
  struct Call {
    explicit Call(OsFile& of) : file(of) { ++file.calls_; }
    ~Call() { --file.calls_; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    OsFile& file;
  };

  // All of it is there; otherwise a worker reads, the end of the file included.
  bool read_cached(std::uint64_t offset, std::span<char> into) {
    if (into.size() > kInlineRead || !nowait_works_) return false;
    iovec target{into.data(), into.size()};
    const ssize_t size = preadv2(descriptor_, &target, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    if (size < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) nowait_works_ = false;
    return size >= 0 && static_cast<std::size_t>(size) == into.size();
  }

  // `function` is small and trivially copyable: g++ 12 (docs/hacking.md).
  template <class Function>
  Task<Result<void>> change(Function function) {
    static_assert(std::is_trivially_copyable_v<Function>);
    const Call call(*this);
    PP_CHECK(!changing_, "two mutating operations on one File at a time");
    if (poisoned_) {
      co_await through_executor();
      co_return poisoned();
    }
    changing_ = true;
    Result<void> result = co_await core_.workers.run(core_.context, function);
    changing_ = false;
    poisoned_ = sync_failed_;
    if (!result) co_return fail(path_, std::move(result.error()));
    co_return result;
  }

  std::unexpected<Error> poisoned() const { return fail(Errc::poisoned, path_ + ": an earlier sync failed"); }

  Core& core_;
  const int descriptor_;
  const std::string path_;
  unsigned calls_ = 0;
  bool changing_ = false;
  bool sync_failed_ = false;  // set on a worker, read after its call has come back
  bool poisoned_ = false;
  bool nowait_works_ = true;
};

}  // namespace

std::unique_ptr<File> make_file(Core& core, int descriptor, std::string path) {
  return std::make_unique<OsFile>(core, descriptor, std::move(path));
}

}  // namespace postproof::os
