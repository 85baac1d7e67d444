#include "mta/queue/journal_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "mta/base/hash_map.h"
#include "mta/queue/journal_segment.h"

namespace postproof::queue::journal {

namespace {

struct Loaded {
  std::uint64_t number = 0;
  SegmentContents contents;
  std::vector<std::string> damage;  // that is no torn tail
};

// A file whose header cannot be read.
struct Unread {
  std::uint64_t number = 0;
  bool blank = false;  // as far as it goes, it is zeros
  std::string why;
};

class Recovery {
 public:
  Recovery(Env& env, std::string directory, std::uint16_t node)
      : env_(env), directory_(std::move(directory)), node_(node) {}

  Task<Result<Recovered>> run() {
    auto done = co_await load();
    if (done) done = co_await find_ends();
    if (!done) co_return std::unexpected(std::move(done.error()));
    judge_unread();
    find_finished();
    done = co_await apply_records();
    if (!done) co_return std::unexpected(std::move(done.error()));
    finish();
    co_return std::move(found_);
  }

 private:
  std::string path(std::uint64_t number) const { return directory_ + "/" + segment_name(number); }

  Task<Result<void>> load();
  Task<Result<void>> load_one(std::uint64_t number);
  Task<Result<void>> find_ends();
  bool find_newest_end(Loaded& segment);
  void leave_over(const Loaded& segment);
  void find_older_end(Loaded& segment, std::optional<std::uint64_t> cut_at);
  void cut(Loaded& segment, std::uint64_t offset);
  Task<Result<void>> read_cuts(Loaded& segment);
  void judge_unread();
  void find_finished();
  Task<Result<void>> apply_records();
  Task<Result<void>> apply_segment(Loaded& segment);
  // False: the record does not say what its type does.
  bool apply(const Loaded& segment, const Entry& entry, const RecordView& record);
  bool apply_message(const Place& place, const Entry& entry, std::string_view octets);
  void change(MessageId id, const std::vector<Change>& changes);
  bool wanted(const Entry& entry) const;
  void note_id(MessageId id);
  void set_unreadable(std::uint64_t number, const std::string& why);
  void finish();

  Env& env_;
  std::string directory_;
  std::uint16_t node_;
  std::vector<Loaded> segments_;  // by number; once the newest is known, those in use
  std::vector<Unread> unread_;
  std::map<std::uint64_t, std::uint64_t> cuts_;  // by segment: from where on it is void
  HashMap<std::uint64_t, bool> finished_;
  Recovered found_;
};

Task<Result<void>> Recovery::load() {
  auto names = co_await env_.disk.list(directory_);
  if (!names) co_return std::unexpected(std::move(names.error()));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : *names) {
    std::string_view stem = name;
    const bool aside = stem.ends_with(kBadSuffix);
    if (aside) stem.remove_suffix(kBadSuffix.size());
    const auto number = parse_segment_name(stem);
    if (!number) continue;  // not ours
    found_.next_number = std::max(found_.next_number, *number + 1);
    found_.set_aside_before = found_.set_aside_before || aside;
    if (!aside) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t number : numbers) {
    auto loaded = co_await load_one(number);
    if (!loaded) co_return loaded;
  }
  co_return Result<void>{};
}

Task<Result<void>> Recovery::load_one(std::uint64_t number) {
  auto opened = co_await env_.disk.open(path(number), OpenMode::read);
  if (!opened && (opened.error().code == Errc::invalid || opened.error().code == Errc::not_found)) {
    // A folder, or a link that leads nowhere: what was under this name is not here.
    unread_.push_back(Unread{number, false, "it is not a file"});
    co_return Result<void>{};
  }
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::unique_ptr<File> file = std::move(*opened);
  auto contents = co_await load_segment(*file);
  if (!contents && contents.error().code == Errc::wrong_version)
    co_return fail(path(number), std::move(contents.error()));
  if (!contents && contents.error().code != Errc::corrupt) co_return std::unexpected(std::move(contents.error()));
  if (!contents) {
    const auto blank = co_await is_blank(*file);
    if (!blank) co_return std::unexpected(blank.error());
    unread_.push_back(Unread{number, *blank, std::move(contents.error().what)});
    co_return Result<void>{};
  }
  if (contents->header.number != number) {
    unread_.push_back(Unread{number, false, fmt::format("it says that it is segment {}", contents->header.number)});
    co_return Result<void>{};
  }
  if (found_.spool == 0) found_.spool = contents->header.spool;
  if (contents->header.spool != found_.spool) {
    unread_.push_back(Unread{number, false, "it belongs to another spool"});
    co_return Result<void>{};
  }
  segments_.push_back(Loaded{number, std::move(*contents), {}});
  co_return Result<void>{};
}

// From the newest on, because a segment tells what is void in older ones.
Task<Result<void>> Recovery::find_ends() {
  for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
    Loaded& segment = *at;
    if (found_.newest == 0) {
      if (!find_newest_end(segment)) {
        leave_over(segment);
        continue;
      }
      found_.newest = segment.number;
    } else {
      const auto known = cuts_.find(segment.number);
      find_older_end(segment, known == cuts_.end() ? std::nullopt : std::optional(known->second));
    }
    for (const Damage& damage : segment.contents.damage) {
      segment.damage.push_back(fmt::format("offset {}: {}", damage.offset, damage.what));
    }
    auto read = co_await read_cuts(segment);
    if (!read) co_return read;
  }
  std::erase_if(segments_, [&](const Loaded& segment) { return segment.number > found_.newest; });
  co_return Result<void>{};
}

// Cuts the torn tail of what may be the newest segment in use. False: it never came into use, or its first
// record was never synced, and so nothing behind it.
bool Recovery::find_newest_end(Loaded& segment) {
  SegmentContents& contents = segment.contents;
  if (contents.sealed) return true;
  const auto torn =
      std::find_if(contents.damage.begin(), contents.damage.end(), [](const Damage& d) { return !d.was_synced; });
  const std::uint64_t end = torn == contents.damage.end() ? contents.end : torn->offset;
  const std::string what = torn == contents.damage.end() ? std::string() : torn->what;
  const bool in_use =
      std::any_of(contents.entries.begin(), contents.entries.end(), [&](const Entry& e) { return e.offset < end; }) ||
      std::any_of(contents.damage.begin(), contents.damage.end(), [&](const Damage& d) {
        return d.was_synced && d.offset >= kSegmentHeaderSize && d.offset < std::min(end, contents.records_end());
      });
  if (!in_use) return false;
  cut(segment, end);
  contents.end = end;
  if (!what.empty()) {
    contents.blank_end = false;
    found_.notes.push_back(
        fmt::format("{} ends in a torn tail, cut at offset {}: {}", path(segment.number), end, what));
  }
  return true;
}

// Newer than the newest in use: made ahead, or its first write was never synced.
void Recovery::leave_over(const Loaded& segment) {
  const SegmentContents& contents = segment.contents;
  const bool damaged_header = !contents.damage.empty() && contents.damage.front().offset == 0;
  if (damaged_header) {
    // The copy is written when the header is durable.
    unread_.push_back(Unread{segment.number, false, "it holds a copy of its header and nothing else"});
  } else if (contents.damage.empty() && contents.entries.empty() && contents.blank_end) {
    if (found_.reserve) found_.leftovers.push_back(found_.reserve->number);
    found_.reserve = contents.header;
  } else {
    found_.leftovers.push_back(segment.number);
  }
}

void Recovery::find_older_end(Loaded& segment, std::optional<std::uint64_t> cut_at) {
  SegmentContents& contents = segment.contents;
  if (cut_at) {
    cut(segment, *cut_at);
  } else if (contents.sealed) {
    return;
  }
  // Where records are missing at the end and nothing stands in their place, the scan has seen nothing wrong.
  const bool told = std::any_of(contents.damage.begin(), contents.damage.end(), [&](const Damage& damage) {
    return damage.offset >= contents.end && damage.offset < contents.records_end();
  });
  if (told || (cut_at && contents.end >= *cut_at)) return;
  Damage missing;
  missing.offset = contents.end;
  missing.was_synced = true;
  missing.what = "its records end here, and nothing says that they should";
  contents.damage.push_back(std::move(missing));
}

// Damage behind the cut is that of void records.
void Recovery::cut(Loaded& segment, std::uint64_t offset) {
  std::erase_if(segment.contents.entries, [&](const Entry& entry) { return entry.offset >= offset; });
  std::erase_if(segment.contents.damage,
                [&](const Damage& damage) { return damage.offset >= offset && !damage.was_synced; });
  found_.cuts.push_back(Cut{segment.number, offset});
}

Task<Result<void>> Recovery::read_cuts(Loaded& segment) {
  auto opened = co_await env_.disk.open(path(segment.number), OpenMode::read);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::unique_ptr<File> file = std::move(*opened);
  SegmentReader reader(*file, segment.contents.header.size);
  for (const Entry& entry : segment.contents.entries) {
    if (!entry.is(RecordType::bounds)) continue;
    const auto record = co_await read_record(reader, segment.contents.header, entry);
    if (!record && record.error().code != Errc::corrupt) co_return std::unexpected(record.error());
    const auto bounds = record ? decode_bounds(record->meta) : std::nullopt;
    if (!bounds) continue;  // told when records are applied
    for (const Cut& cut : bounds->cuts) cuts_.try_emplace(cut.segment, cut.offset);
  }
  co_return Result<void>{};
}

// A segment gets its first record only when its header is durable: where the header cannot be read and nothing
// newer is in use, a blank file was never finished. An older one was, and whatever it held is lost.
void Recovery::judge_unread() {
  for (const Unread& unread : unread_) {
    if (unread.blank && unread.number > found_.newest) {
      found_.leftovers.push_back(unread.number);
    } else {
      set_unreadable(unread.number, unread.why);
    }
  }
}

// Which messages are gone, so that their records need not be read.
void Recovery::find_finished() {
  for (const Loaded& segment : segments_) {
    for (const Entry& entry : segment.contents.entries) {
      if ((entry.flags & kLast) == 0) continue;
      finished_[entry.is(RecordType::report) ? entry.about.value : entry.id.value] = true;
    }
  }
}

bool Recovery::wanted(const Entry& entry) const {
  if (entry.is(RecordType::bounds)) return true;
  if (entry.is(RecordType::commit) || entry.is(RecordType::copy) || entry.is(RecordType::progress)) {
    return !finished_.contains(entry.id.value);
  }
  if (entry.is(RecordType::report)) {
    return !finished_.contains(entry.id.value) || !finished_.contains(entry.about.value);
  }
  return false;
}

void Recovery::note_id(MessageId id) {
  if (id.node() == node_) found_.mark = std::max(found_.mark, id.sequence() + 1);
}

Task<Result<void>> Recovery::apply_records() {
  for (Loaded& segment : segments_) {
    found_.segments[segment.number].size = segment.contents.header.size;
    auto applied = co_await apply_segment(segment);
    if (!applied) co_return applied;
  }
  co_return Result<void>{};
}

Task<Result<void>> Recovery::apply_segment(Loaded& segment) {
  auto opened = co_await env_.disk.open(path(segment.number), OpenMode::read);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  const std::unique_ptr<File> file = std::move(*opened);
  SegmentReader reader(*file, segment.contents.header.size);
  for (const Entry& entry : segment.contents.entries) {
    note_id(entry.id);
    if (entry.type > static_cast<std::uint16_t>(RecordType::index)) ++found_.segments[segment.number].unknown;
    if (!wanted(entry)) continue;
    const auto record = co_await read_record(reader, segment.contents.header, entry);
    if (!record && record.error().code != Errc::corrupt) co_return std::unexpected(record.error());
    if (!record || !apply(segment, entry, *record)) {
      segment.damage.push_back(
          fmt::format("offset {}: the record about message {} does not check out", entry.offset, entry.id.to_string()));
    }
  }
  co_return Result<void>{};
}

bool Recovery::apply(const Loaded& segment, const Entry& entry, const RecordView& record) {
  const Place place{segment.number, entry.offset, entry.meta_size, entry.content_size, record.header.content_crc};
  if (entry.is(RecordType::bounds)) {
    const auto bounds = decode_bounds(record.meta);
    if (bounds) found_.mark = std::max(found_.mark, bounds->mark);
    return bounds.has_value();
  }
  if (entry.is(RecordType::progress)) {
    const auto changes = decode_changes(record.meta);
    if (changes) change(entry.id, *changes);
    return changes.has_value();
  }
  return apply_message(place, entry, record.meta);
}

bool Recovery::apply_message(const Place& place, const Entry& entry, std::string_view octets) {
  std::optional<MessageAndChanges> record;
  if (entry.is(RecordType::commit)) {
    auto meta = decode_commit(octets);
    if (meta) record = MessageAndChanges{std::move(*meta), {}, {}};
  } else {
    record = decode_message_and_changes(octets);
  }
  if (!record || record->meta.message.id != entry.id) return false;
  const StoredMessage& message = record->meta.message;
  const std::uint64_t content = message.header_size + (record->meta.body_in_file ? 0 : message.body_size);
  if (!record->meta.content_lost && content != entry.content_size) return false;
  if (!finished_.contains(entry.id.value)) {
    Kept kept = Kept::of(record->meta, place);
    kept.content_lost = kept.content_lost || !entry.content_good;
    if (entry.is(RecordType::copy)) kept.apply(record->changes);
    found_.messages.insert_or_assign(entry.id, std::move(kept));
  }
  if (entry.is(RecordType::report)) change(record->about, record->changes);
  return true;
}

void Recovery::change(MessageId id, const std::vector<Change>& changes) {
  const auto at = found_.messages.find(id);
  if (at != found_.messages.end()) at->second.apply(changes);
}

void Recovery::set_unreadable(std::uint64_t number, const std::string& why) {
  found_.bad.push_back(Recovered::Bad{number, {}, {}});
  found_.trouble.push_back(fmt::format("{} cannot be read and is set aside: {}", path(number), why));
}

void Recovery::finish() {
  std::erase_if(found_.messages, [](const auto& entry) { return entry.second.pending == 0; });
  for (const auto& [id, kept] : found_.messages) found_.segments[kept.place.segment].add(kept.place);
  for (Loaded& segment : segments_) {
    if (segment.damage.empty()) {
      SegmentContents& contents = segment.contents;
      if (segment.number == found_.newest && !contents.sealed) {
        std::erase_if(found_.cuts, [&](const Cut& cut) { return cut.segment == segment.number; });
        found_.open = OpenSegment{contents.header, std::move(contents.entries), contents.end, contents.blank_end};
      }
      continue;
    }
    Recovered::Bad bad;
    bad.number = segment.number;
    for (const Entry& entry : segment.contents.entries) {
      if (entry.type > static_cast<std::uint16_t>(RecordType::index)) {
        bad.unknown.push_back(entry);
        continue;
      }
      if (entry.id.value != 0) bad.touched.insert(entry.id);
      if (entry.about.value != 0) bad.touched.insert(entry.about);
    }
    for (const std::string& what : segment.damage) {
      found_.trouble.push_back(
          fmt::format("{} is damaged and is set aside; what can be read is kept: {}", path(segment.number), what));
    }
    found_.bad.push_back(std::move(bad));
  }
}

}  // namespace

Task<Result<Recovered>> recover_journal(Env& env, std::string directory, std::uint16_t node) {
  Recovery recovery(env, std::move(directory), node);
  co_return co_await recovery.run();
}

}  // namespace postproof::queue::journal
