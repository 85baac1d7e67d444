// A connection that a proxy has made for somebody: everything is its own but the two ends, which are the client's.
#pragma once

#include <memory>
#include <utility>

#include "mta/env/stream.h"
#include "mta/smtp/proxy_header.h"

namespace postproof::smtp {

class ProxiedStream final : public Stream {
 public:
  ProxiedStream(std::unique_ptr<Stream> inner, ProxyHeader::Ends ends)
      : inner_(std::move(inner)), ends_(std::move(ends)) {}

  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline) override {
    return inner_->read_some(into, deadline);
  }
  Task<Result<void>> write_all(std::string_view octets, Deadline deadline) override {
    return inner_->write_all(octets, deadline);
  }
  void shutdown_send() override { inner_->shutdown_send(); }
  void reset() override { inner_->reset(); }
  void close() noexcept override { inner_->close(); }
  const Endpoint& local() const override { return ends_.server; }
  const Endpoint& peer() const override { return ends_.client; }

 private:
  std::unique_ptr<Stream> inner_;
  ProxyHeader::Ends ends_;
};

}  // namespace postproof::smtp
