#include "sim/world/sparse_content.h"

#include <algorithm>
#include <cstring>

namespace postproof::sim::world {

std::size_t SparseContent::read(std::uint64_t offset, std::span<char> into) const {
  if (offset >= size_) return 0;
  const std::size_t wanted = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (std::size_t done = 0; done < wanted;) {
    const std::uint64_t at = offset + done;
    const std::size_t part = std::min<std::uint64_t>(wanted - done, kPage - at % kPage);
    const auto page = pages_.find(at / kPage);
    if (page == pages_.end()) {
      std::memset(into.data() + done, 0, part);
    } else {
      std::memcpy(into.data() + done, page->second->data() + at % kPage, part);
    }
    done += part;
  }
  return wanted;
}

std::string SparseContent::all() const {
  std::string octets(size_, '\0');
  read(0, octets);
  return octets;
}

std::vector<SparseContent::Stretch> SparseContent::stretches(std::uint64_t offset, std::uint64_t size) const {
  std::vector<Stretch> found;
  const std::uint64_t end = std::min(offset + size, size_);
  if (offset >= end) return found;
  for (auto page = pages_.lower_bound(offset / kPage); page != pages_.end() && page->first * kPage < end; ++page) {
    const std::uint64_t from = std::max(offset, page->first * kPage);
    const std::uint64_t to = std::min(end, (page->first + 1) * kPage);
    found.push_back(Stretch{from, std::string(page->second->data() + from % kPage, to - from)});
  }
  return found;
}

void SparseContent::write(std::uint64_t offset, std::string_view octets) {
  size_ = std::max(size_, offset + octets.size());
  while (!octets.empty()) {
    const std::size_t part = std::min<std::uint64_t>(octets.size(), kPage - offset % kPage);
    std::unique_ptr<Page>& page = pages_[offset / kPage];
    if (!page) page = std::make_unique<Page>();
    std::memcpy(page->data() + offset % kPage, octets.data(), part);
    octets.remove_prefix(part);
    offset += part;
  }
}

void SparseContent::zero(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t end = std::min(offset + size, size_);
  if (offset >= end) return;
  auto page = pages_.lower_bound(offset / kPage);
  while (page != pages_.end() && page->first * kPage < end) {
    const std::uint64_t first = page->first * kPage;
    const std::uint64_t from = std::max(offset, first);
    const std::uint64_t to = std::min(end, first + kPage);
    if (to - from == kPage) {
      page = pages_.erase(page);
    } else {
      std::memset(page->second->data() + (from - first), 0, to - from);
      ++page;
    }
  }
}

void SparseContent::resize(std::uint64_t size) {
  if (size < size_) zero(size, size_ - size);
  size_ = size;
}

}  // namespace postproof::sim::world
