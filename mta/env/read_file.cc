#include "mta/env/read_file.h"

#include <fmt/format.h>

#include <span>

namespace postproof {

Task<Result<std::string>> read_file(Disk& disk, std::string path, std::uint64_t max) {
  auto file = co_await disk.open(path, OpenMode::read);
  if (!file) co_return std::unexpected(std::move(file.error()));
  const auto size = co_await (*file)->size();
  if (!size) co_return std::unexpected(size.error());
  if (*size > max) co_return fail(Errc::too_large, fmt::format("{} is over {} octets", path, max));
  std::string text(static_cast<std::size_t>(*size), '\0');
  if (text.empty()) co_return text;
  const auto got = co_await (*file)->read_at(0, std::span(text.data(), text.size()));
  if (!got) co_return std::unexpected(got.error());
  text.resize(*got);
  co_return text;
}

}  // namespace postproof
