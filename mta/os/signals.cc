#include "mta/os/signals.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>

namespace postproof::os {

namespace {

class Signals final : public Waiting, public std::enable_shared_from_this<Signals> {
 public:
  Signals(Core& core, SignalHandler handler)
      : registration_(std::in_place, core, this), set_(core.context), handler_(std::move(handler)) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) set_.add(number);
  }

  void wait() {
    set_.async_wait([self = shared_from_this(), this](boost::system::error_code error, int number) {
      if (error) return;
      handler_(number == SIGHUP ? Signal::reload : Signal::terminate);
      if (registration_) wait();
    });
  }

  void end() noexcept override {
    boost::system::error_code ignored;
    set_.cancel(ignored);
    registration_.reset();
  }

 private:
  std::optional<Registration> registration_;
  boost::asio::basic_signal_set<LoopExecutor> set_;
  SignalHandler handler_;
};

}  // namespace

void handle_signals(Core& core, SignalHandler handler) { std::make_shared<Signals>(core, std::move(handler))->wait(); }

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace postproof::os
