#include "sim/world/disk_image.h"

#include <algorithm>
#include <utility>

#include "mta/base/check.h"
#include "mta/base/text.h"

namespace postproof::sim::world {

namespace {

// What a disk without a capacity says that it has free.
constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts = split(path, '/');
  std::erase_if(parts, [](std::string_view part) { return part.empty() || part == "."; });
  return parts;
}

// Kept, lost or in part, each as likely as the others.
enum class Fate : std::uint8_t { kept, lost, part };
Fate draw_fate(Random& random) { return static_cast<Fate>(random.below(3)); }

std::uint64_t size_of(const Directory& directory) {
  std::uint64_t size = 0;
  for (const auto& [name, entry] : directory.entries) {
    size += entry.file ? entry.file->content().size() : size_of(*entry.directory);
  }
  return size;
}

void add_files(const Directory& directory, const std::string& prefix, std::vector<std::string>& files) {
  for (const auto& [name, entry] : directory.entries) {
    if (entry.file) {
      files.push_back(prefix + name);
    } else {
      add_files(*entry.directory, prefix + name + "/", files);
    }
  }
}

}  // namespace

// --- A file ---

void FileNode::write(std::uint64_t offset, std::string_view octets) {
  change(Kind::write, offset, octets.size(), std::string(octets));
}

void FileNode::allocate(std::uint64_t offset, std::uint64_t size) { change(Kind::zero, offset, size, {}); }

void FileNode::truncate(std::uint64_t size) { change(Kind::truncate, size, 0, {}); }

void FileNode::change(Kind kind, std::uint64_t offset, std::uint64_t size, std::string octets) {
  const std::uint64_t before = content_.size();
  const std::uint64_t touched = kind == Kind::truncate ? (before > offset ? before - offset : 0) : size;
  changes_.push_back(Change{kind, offset, size, std::move(octets), before, content_.stretches(offset, touched)});
  apply(changes_.back(), size);
}

// The first `size` octets of it.
void FileNode::apply(const Change& change, std::uint64_t size) {
  switch (change.kind) {
    case Kind::write: content_.write(change.offset, std::string_view(change.octets).substr(0, size)); break;
    case Kind::zero:
      if (content_.size() < change.offset + size) content_.resize(change.offset + size);
      content_.zero(change.offset, size);
      break;
    case Kind::truncate: content_.resize(change.offset); break;
  }
}

void FileNode::undo(const Change& change) {
  content_.zero(change.offset, change.size);
  content_.resize(change.size_before);
  for (const SparseContent::Stretch& stretch : change.before) content_.write(stretch.offset, stretch.octets);
}

void FileNode::crash(CrashLoss loss, Random& random) {
  const std::vector<Change> changes = std::exchange(changes_, {});
  if (loss == CrashLoss::keep_all) return;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) undo(*change);
  if (loss == CrashLoss::lose_all) return;
  for (const Change& change : changes) {
    const Fate fate = draw_fate(random);
    if (fate == Fate::kept) apply(change, change.size);
    if (fate != Fate::part || change.kind != Kind::write) continue;
    const std::uint64_t first = change.offset / kSector + 1;  // the first border behind its begin
    const std::uint64_t borders = (change.offset + change.size - 1) / kSector + 1 - first;
    if (change.size == 0 || borders == 0) continue;  // within one sector: lost
    apply(change, (first + random.below(borders)) * kSector - change.offset);
  }
}

void FileNode::flip(std::uint64_t offset, unsigned bit) {
  char octet = 0;
  if (content_.read(offset, {&octet, 1}) == 0) return;
  octet = static_cast<char>(static_cast<unsigned char>(octet) ^ (1U << bit));
  content_.write(offset, {&octet, 1});
}

std::uint64_t FileNode::written() const {
  std::uint64_t count = 0;
  for (const SparseContent::Stretch& stretch : content_.stretches(0, content_.size())) {
    count += static_cast<std::uint64_t>(
        std::ranges::count_if(stretch.octets, [](char octet) { return octet != 0; }));
  }
  return count;
}

std::uint64_t FileNode::nth_written(std::uint64_t n) const {
  for (const SparseContent::Stretch& stretch : content_.stretches(0, content_.size())) {
    for (std::size_t i = 0; i < stretch.octets.size(); ++i) {
      if (stretch.octets[i] != 0 && n-- == 0) return stretch.offset + i;
    }
  }
  return 0;
}

// --- A directory ---

namespace {

void apply_change(Directory::Entries& entries, const Directory::Change& change, bool keep_old_name = false) {
  switch (change.kind) {
    case Directory::Kind::add: entries[change.name] = change.entry; break;
    case Directory::Kind::remove: entries.erase(change.name); break;
    case Directory::Kind::rename:
      if (!keep_old_name) entries.erase(change.name);
      entries[change.new_name] = change.entry;
      break;
  }
}

}  // namespace

void Directory::add(std::string name, DirectoryEntry entry, std::shared_ptr<Move> move) {
  changes.push_back(Change{Kind::add, std::move(name), {}, std::move(entry), std::move(move)});
  apply_change(entries, changes.back());
}

void Directory::remove(std::string name, std::shared_ptr<Move> move) {
  changes.push_back(Change{Kind::remove, std::move(name), {}, {}, std::move(move)});
  apply_change(entries, changes.back());
}

void Directory::rename(std::string from, std::string to) {
  const DirectoryEntry entry = entries.find(from)->second;
  changes.push_back(Change{Kind::rename, std::move(from), std::move(to), entry, nullptr});
  apply_change(entries, changes.back());
}

void Directory::sync() {
  for (const Change& change : changes) {
    apply_change(durable, change);
    if (change.move && change.kind == Kind::add) change.move->kept = true;
  }
  changes.clear();
}

void Directory::crash(CrashLoss loss, Random& random) {
  const std::vector<Change> since = std::exchange(changes, {});
  if (loss == CrashLoss::keep_all) {
    durable = entries;
  } else {
    entries = durable;
    for (const Change& change : since) {
      if (loss == CrashLoss::lose_all) break;
      if (change.move && !change.move->kept) change.move->kept = random.below(2) == 0;
      // Of a move the new name's fate is drawn once; the old one may still be there beside it.
      const Fate fate = change.move && change.kind == Kind::add ? Fate::kept : draw_fate(random);
      if (change.move && !*change.move->kept) continue;
      if (fate == Fate::lost || (fate == Fate::part && change.kind != Kind::rename)) continue;
      apply_change(entries, change, fate == Fate::part);
    }
    durable = entries;
  }
  for (const auto& [name, entry] : entries) {
    if (entry.file) {
      entry.file->crash(loss, random);
    } else {
      entry.directory->crash(loss, random);
    }
  }
}

// --- The tree ---

DiskImage::Outcome<std::shared_ptr<FileNode>> DiskImage::open(std::string_view path, OpenMode mode) {
  auto at = place(path);
  if (!at) return std::unexpected(at.error());
  const auto found = at->directory->entries.find(at->name);
  if (found != at->directory->entries.end()) {
    if (mode == OpenMode::create_new) return std::unexpected(Errc::already_exists);
    if (!found->second.file) return std::unexpected(Errc::invalid);
    return found->second.file;
  }
  if (mode != OpenMode::create_new) return std::unexpected(Errc::not_found);
  auto file = std::make_shared<FileNode>();
  at->directory->add(std::move(at->name), DirectoryEntry{file, nullptr});
  return file;
}

DiskImage::Outcome<void> DiskImage::rename(std::string_view from, std::string_view to) {
  auto source = place(from);
  if (!source) return std::unexpected(source.error());
  auto target = place(to);
  if (!target) return std::unexpected(target.error());
  const auto found = source->directory->entries.find(source->name);
  if (found == source->directory->entries.end()) return std::unexpected(Errc::not_found);
  const DirectoryEntry entry = found->second;
  const auto replaced = target->directory->entries.find(target->name);
  if (replaced != target->directory->entries.end()) {
    if (!replaced->second.file || !entry.file) return std::unexpected(Errc::already_exists);
    if (replaced->second.file == entry.file) return {};  // two names of one file: nothing happens, as POSIX says
  }
  if (source->directory == target->directory) {
    source->directory->rename(std::move(source->name), std::move(target->name));
  } else {
    const auto move = std::make_shared<Move>();
    target->directory->add(std::move(target->name), entry, move);
    source->directory->remove(std::move(source->name), move);
  }
  return {};
}

DiskImage::Outcome<void> DiskImage::link(std::string_view from, std::string_view to) {
  const auto file = find_file(from);
  if (!file) return std::unexpected(Errc::not_found);
  auto target = place(to);
  if (!target) return std::unexpected(target.error());
  if (target->directory->entries.contains(target->name)) return std::unexpected(Errc::already_exists);
  target->directory->add(std::move(target->name), DirectoryEntry{file, nullptr});
  return {};
}

DiskImage::Outcome<void> DiskImage::unlink(std::string_view path) {
  auto at = place(path);
  if (!at) return std::unexpected(at.error());
  const auto found = at->directory->entries.find(at->name);
  if (found == at->directory->entries.end()) return std::unexpected(Errc::not_found);
  if (!found->second.file) return std::unexpected(Errc::invalid);
  at->directory->remove(std::move(at->name));
  return {};
}

DiskImage::Outcome<void> DiskImage::mkdir(std::string_view path) {
  auto at = place(path);
  if (!at) return std::unexpected(at.error());
  if (at->directory->entries.contains(at->name)) return std::unexpected(Errc::already_exists);
  at->directory->add(std::move(at->name), DirectoryEntry{nullptr, std::make_shared<Directory>()});
  return {};
}

DiskImage::Outcome<std::vector<std::string>> DiskImage::list(std::string_view path) const {
  const auto directory = find_directory(path);
  if (!directory) return std::unexpected(Errc::not_found);
  std::vector<std::string> names;
  for (const auto& [name, entry] : directory->entries) names.push_back(name);
  return names;
}

DiskImage::Outcome<void> DiskImage::sync_dir(std::string_view path) {
  const auto directory = find_directory(path);
  if (!directory) return std::unexpected(Errc::not_found);
  directory->sync();
  return {};
}

DiskImage::Outcome<void> DiskImage::write(FileNode& file, std::uint64_t offset, std::string_view octets) {
  const std::uint64_t size = file.content().size();
  if (capacity && offset + octets.size() > size) {
    const std::uint64_t end = size + free_bytes();
    if (offset + octets.size() > end) {
      if (offset < end) file.write(offset, octets.substr(0, end - offset));
      return std::unexpected(Errc::no_space);
    }
  }
  file.write(offset, octets);
  return {};
}

DiskImage::Outcome<void> DiskImage::allocate(FileNode& file, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t before = file.content().size();
  if (capacity && offset + size > before && offset + size - before > free_bytes()) {
    return std::unexpected(Errc::no_space);
  }
  file.allocate(offset, size);
  return {};
}

std::uint64_t DiskImage::free_bytes() const {
  if (!capacity) return kPlenty;
  const std::uint64_t used = size_of(*root_);
  return used < *capacity ? *capacity - used : 0;
}

DiskImage::Outcome<std::uint64_t> DiskImage::lock(std::string_view path) {
  if (locks_.contains(path)) return std::unexpected(Errc::in_use);
  auto at = place(path);
  if (!at) return std::unexpected(at.error());
  const auto found = at->directory->entries.find(at->name);
  if (found == at->directory->entries.end()) {
    at->directory->add(std::move(at->name), DirectoryEntry{std::make_shared<FileNode>(), nullptr});
  } else if (!found->second.file) {
    return std::unexpected(Errc::invalid);
  }
  locks_.emplace(std::string(path), ++last_lock_);
  return last_lock_;
}

void DiskImage::unlock(std::string_view path, std::uint64_t lock) {
  const auto at = locks_.find(path);
  if (at != locks_.end() && at->second == lock) locks_.erase(at);
}

void DiskImage::crash(CrashLoss loss, Random& random) {
  locks_.clear();
  root_->crash(loss, random);
}

std::shared_ptr<FileNode> DiskImage::find_file(std::string_view path) const {
  const auto at = place(path);
  if (!at) return nullptr;
  const auto found = at->directory->entries.find(at->name);
  return found == at->directory->entries.end() ? nullptr : found->second.file;
}

void DiskImage::make_directories(std::string_view path) {
  std::shared_ptr<Directory> directory = root_;
  for (const std::string_view part : components(path)) {
    if (!directory->entries.contains(part)) {
      directory->add(std::string(part), DirectoryEntry{nullptr, std::make_shared<Directory>()});
      directory->sync();
    }
    directory = directory->entries.find(part)->second.directory;
    PP_CHECK(directory != nullptr, "a directory is to be made where a file is");
  }
}

void DiskImage::put(std::string_view path, std::string_view content) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) make_directories(path.substr(0, slash));
  const auto at = place(path);
  PP_CHECK(at.has_value(), "a file is to be put at no path");
  auto file = std::make_shared<FileNode>();
  file->write(0, content);
  file->sync();
  at->directory->add(at->name, DirectoryEntry{file, nullptr});
  at->directory->sync();
}

std::vector<std::string> DiskImage::files() const {
  std::vector<std::string> files;
  add_files(*root_, "/", files);
  return files;
}

DiskImage::Outcome<DiskImage::Place> DiskImage::place(std::string_view path) const {
  const std::vector<std::string_view> parts = components(path);
  if (parts.empty()) return std::unexpected(Errc::invalid);
  std::shared_ptr<Directory> directory = root_;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto found = directory->entries.find(parts[i]);
    if (found == directory->entries.end() || !found->second.directory) return std::unexpected(Errc::not_found);
    directory = found->second.directory;
  }
  return Place{std::move(directory), std::string(parts.back())};
}

std::shared_ptr<Directory> DiskImage::find_directory(std::string_view path) const {
  std::shared_ptr<Directory> directory = root_;
  for (const std::string_view part : components(path)) {
    const auto found = directory->entries.find(part);
    if (found == directory->entries.end() || !found->second.directory) return nullptr;
    directory = found->second.directory;
  }
  return directory;
}

}  // namespace postproof::sim::world
