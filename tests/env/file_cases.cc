// Conformance: files and directories (env/disk.h). What is durable when: crash_cases.cc and durability_test.py.
#include "tests/env/place.h"

namespace postproof::test {

namespace {

// Runs the case with its folder made.
void run_with_folder(Place& place, const std::function<Task<void>(Env&, std::string)>& body) {
  place.run([&](Env& env) -> Task<void> {
    const Result<void> made = co_await not_inline(env, env.disk.mkdir(place.folder()));
    if (good(made)) co_await body(env, place.folder());
  });
}

// As content, or the error's name.
Task<std::string> content(Env& env, std::string path) {
  const auto file = co_await env.disk.open(path, OpenMode::read);
  if (!file) co_return std::string(to_string(file.error().code));
  const Result<std::uint64_t> size = co_await (*file)->size();
  if (!good(size)) co_return "?";
  std::string octets(*size, '\0');
  const Result<std::size_t> got = co_await (*file)->read_at(0, std::span(octets.data(), octets.size()));
  if (!good(got)) co_return "?";
  CHECK(*got == octets.size());
  co_return octets;
}

Task<void> put(Env& env, std::string path, std::string octets) {
  const auto file = co_await env.disk.open(path, OpenMode::create_new);
  if (!good(file)) co_return;
  const Result<void> written = co_await (*file)->write_at(0, octets);
  good(written);
}

Task<void> expect_content(Env& env, std::string path, std::string_view expected) {
  const std::string got = co_await content(env, path);
  CHECK_MESSAGE(got == expected, path);
}

}  // namespace

TEST_CASE("file: what was written is read; reads are short at the end only") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const auto file = co_await env.disk.open(folder + "/f", OpenMode::create_new);
    if (!good(file)) co_return;
    const Result<std::uint64_t> empty = co_await (*file)->size();
    if (good(empty)) CHECK(*empty == 0);
    const Result<void> first = co_await (*file)->write_at(0, "0123456789");
    good(first);
    const Result<void> over = co_await (*file)->write_at(3, "abc");
    good(over);
    char buffer[8];
    const Result<std::size_t> whole = co_await (*file)->read_at(1, std::span(buffer));
    if (good(whole)) CHECK(std::string_view(buffer, *whole) == "12abc678");
    const Result<std::size_t> part = co_await (*file)->read_at(7, std::span(buffer));
    if (good(part)) CHECK(std::string_view(buffer, *part) == "789");
    const Result<std::size_t> at_end = co_await (*file)->read_at(10, std::span(buffer));
    if (good(at_end)) CHECK(*at_end == 0);
    const Result<std::size_t> behind = co_await (*file)->read_at(1000, std::span(buffer));
    if (good(behind)) CHECK(*behind == 0);
    const Result<void> far = co_await (*file)->write_at(20, "z");
    good(far);
    co_await expect_content(env, folder + "/f", std::string_view("012abc6789\0\0\0\0\0\0\0\0\0\0z", 21));
  });
}

TEST_CASE("file: large content goes through whole") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const std::string text = numbered(3'000'001);
    co_await put(env, folder + "/large", text);
    const std::string got = co_await content(env, folder + "/large");
    CHECK(got == text);
  });
}

TEST_CASE("file: the three ways to open") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const auto none = co_await env.disk.open(folder + "/f", OpenMode::read);
    failed_with(Errc::not_found, none);
    const auto neither = co_await env.disk.open(folder + "/f", OpenMode::read_write);
    failed_with(Errc::not_found, neither);
    const auto nowhere = co_await env.disk.open(folder + "/no/f", OpenMode::create_new);
    failed_with(Errc::not_found, nowhere);
    co_await put(env, folder + "/f", "old");
    const auto again = co_await env.disk.open(folder + "/f", OpenMode::create_new);
    failed_with(Errc::already_exists, again);
    if (!again) CHECK(again.error().what.find(folder + "/f") != std::string::npos);
    const auto writable = co_await env.disk.open(folder + "/f", OpenMode::read_write);
    if (!good(writable)) co_return;
    const Result<void> written = co_await (*writable)->write_at(0, "new");
    good(written);
    co_await expect_content(env, folder + "/f", "new");
  });
}

TEST_CASE("file: allocate makes zeros, over what was there too; truncate cuts and extends") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const auto file = co_await env.disk.open(folder + "/f", OpenMode::create_new);
    if (!good(file)) co_return;
    const Result<void> written = co_await (*file)->write_at(0, "abcdef");
    good(written);
    const Result<void> zeroed = co_await (*file)->allocate(2, 700'000);
    good(zeroed);
    const Result<std::uint64_t> size = co_await (*file)->size();
    if (good(size)) CHECK(*size == 700'002);
    const std::string got = co_await content(env, folder + "/f");
    CHECK(got == "ab" + std::string(700'000, '\0'));
    const Result<void> cut = co_await (*file)->truncate(1);
    good(cut);
    co_await expect_content(env, folder + "/f", "a");
    const Result<void> extended = co_await (*file)->truncate(3);
    good(extended);
    co_await expect_content(env, folder + "/f", std::string_view("a\0\0", 3));
    const Result<void> synced = co_await (*file)->sync();
    good(synced);
  });
}

TEST_CASE("file: reads may overlap with each other and with a write") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const std::string text = numbered(400'000);
    co_await put(env, folder + "/f", text);
    const auto file = co_await env.disk.open(folder + "/f", OpenMode::read_write);
    if (!good(file)) co_return;
    TaskGroup group(env.executor);
    const auto read = [&](std::uint64_t offset, std::size_t size) -> Task<void> {
      std::string buffer(size, '\0');
      const Result<std::size_t> got = co_await (*file)->read_at(offset, std::span(buffer.data(), size));
      if (good(got)) CHECK(buffer == text.substr(offset, size));
    };
    const auto write = [&]() -> Task<void> {
      const Result<void> written = co_await (*file)->write_at(text.size(), "more");
      good(written);
      const Result<void> synced = co_await (*file)->sync();
      good(synced);
    };
    group.spawn(write());
    for (std::size_t i = 0; i < 8; ++i) group.spawn(read(i * 8000, i % 2 == 0 ? 100 : 300'000));
    co_await group.join();
    const std::string after = co_await content(env, folder + "/f");
    CHECK(after == text + "more");
  });
}

TEST_CASE("file: no call completes inline") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const auto file = co_await not_inline(env, env.disk.open(folder + "/f", OpenMode::create_new));
    if (!good(file)) co_return;
    const Result<void> written = co_await not_inline(env, (*file)->write_at(0, "x"));
    good(written);
    char octet;
    const Result<std::size_t> got =
        co_await not_inline(env, (*file)->read_at(0, std::span(&octet, 1)));  // surely cached
    good(got);
    const Result<std::uint64_t> size = co_await not_inline(env, (*file)->size());
    good(size);
    const Result<void> synced = co_await not_inline(env, (*file)->sync());
    good(synced);
    const auto none = co_await not_inline(env, env.disk.open(folder + "/none", OpenMode::read));
    failed_with(Errc::not_found, none);
  });
}

TEST_CASE("disk: rename replaces; link does not; unlink takes one name away") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const std::string a = folder + "/a";
    const std::string b = folder + "/b";
    co_await put(env, a, "A");
    co_await put(env, b, "B");
    const Result<void> linked = co_await env.disk.link(a, b);
    failed_with(Errc::already_exists, linked);
    const Result<void> renamed = co_await env.disk.rename(a, b);
    good(renamed);
    co_await expect_content(env, b, "A");
    co_await expect_content(env, a, "not found");
    const Result<void> missing = co_await env.disk.rename(a, b);
    failed_with(Errc::not_found, missing);
    const Result<void> second = co_await env.disk.link(b, a);
    good(second);
    const Result<void> removed = co_await env.disk.unlink(b);
    good(removed);
    co_await expect_content(env, a, "A");
    co_await expect_content(env, b, "not found");
    const Result<void> again = co_await env.disk.unlink(b);
    failed_with(Errc::not_found, again);
    const Result<void> unlinked = co_await env.disk.link(b, folder + "/c");
    failed_with(Errc::not_found, unlinked);
  });
}

TEST_CASE("disk: list gives all names, sorted by octet, files and directories") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    for (const std::string_view name : {"b", "a10", "Z", "a9", ".hidden"}) {
      co_await put(env, folder + "/" + std::string(name), "");
    }
    const Result<void> made = co_await env.disk.mkdir(folder + "/c");
    good(made);
    co_await put(env, folder + "/c/inner", "");
    const Result<std::vector<std::string>> names = co_await env.disk.list(folder);
    if (good(names)) CHECK(*names == std::vector<std::string>{".hidden", "Z", "a10", "a9", "b", "c"});
    const Result<std::vector<std::string>> none = co_await env.disk.list(folder + "/none");
    failed_with(Errc::not_found, none);
    const Result<void> twice = co_await env.disk.mkdir(folder + "/c");
    failed_with(Errc::already_exists, twice);
    const Result<void> nowhere = co_await env.disk.mkdir(folder + "/none/c");
    failed_with(Errc::not_found, nowhere);
  });
}

TEST_CASE("disk: directories are synced; free space is told") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    const Result<void> synced = co_await env.disk.sync_dir(folder);
    good(synced);
    const Result<void> none = co_await env.disk.sync_dir(folder + "/none");
    failed_with(Errc::not_found, none);
    const Result<std::uint64_t> bytes = co_await env.disk.free_bytes(folder);
    if (good(bytes)) CHECK(*bytes > 0);
  });
}

TEST_CASE("disk: a lock is held by one, as long as it lives") {
  const auto place = make_place();
  run_with_folder(*place, [](Env& env, std::string folder) -> Task<void> {
    auto first = co_await env.disk.lock(folder + "/lock");
    if (!good(first)) co_return;
    const auto second = co_await env.disk.lock(folder + "/lock");
    failed_with(Errc::in_use, second);
    const Result<bool> held = co_await env.disk.is_locked(folder + "/lock");
    if (good(held)) CHECK(*held);
    const auto other = co_await env.disk.lock(folder + "/other");
    good(other);
    first->reset();
    const Result<bool> asked = co_await env.disk.is_locked(folder + "/lock");
    if (good(asked)) CHECK_FALSE(*asked);
    const Result<bool> no_file = co_await env.disk.is_locked(folder + "/never");
    if (good(no_file)) CHECK_FALSE(*no_file);
    const Result<std::vector<std::string>> names = co_await env.disk.list(folder);
    if (good(names)) CHECK(*names == std::vector<std::string>{"lock", "other"});
    const auto third = co_await env.disk.lock(folder + "/lock");
    good(third);
    const auto nowhere = co_await env.disk.lock(folder + "/none/lock");
    failed_with(Errc::not_found, nowhere);
  });
}

}  // namespace postproof::test
