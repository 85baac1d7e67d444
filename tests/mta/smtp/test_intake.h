// An Intake that takes everything, unless a test says otherwise, and remembers it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mta/env/wakeup.h"
#include "mta/smtp/intake.h"

namespace postproof::test {

struct Taken {
  std::string sender;
  std::vector<std::string> recipients;
  std::string content;
};

struct Store {
  std::vector<Taken> messages;              // committed
  std::vector<smtp::SessionInfo> sessions;  // as MAIL saw them
  std::vector<smtp::MailParams> mails;
  std::vector<std::string> started;         // by ETRN
  unsigned begun = 0, abandoned = 0, resets = 0;
  std::map<std::string, smtp::Reply> refused;  // by recipient
  std::optional<smtp::Reply> mail_refusal, begin_refusal, commit_refusal;
  std::size_t largest_chunk = 0;
  Env* env = nullptr;  // needed when a commit takes its time
  Duration commit_takes{};
};

class TestIntake final : public smtp::Intake {
 public:
  explicit TestIntake(Store& store) : store_(store) {}

  Task<smtp::Reply> mail(const smtp::SessionInfo& session, smtp::MailParams params) override {
    store_.sessions.push_back(session);
    store_.mails.push_back(params);
    if (store_.mail_refusal) co_return *store_.mail_refusal;
    taken_ = Taken{to_string(params.sender), {}, {}};
    co_return smtp::Reply::of(250, "2.1.0", "sender ok");
  }
  Task<smtp::Reply> rcpt(smtp::RcptParams params) override {
    const std::string address = params.recipient.to_string();
    if (const auto refused = store_.refused.find(address); refused != store_.refused.end()) co_return refused->second;
    taken_.recipients.push_back(address);
    co_return smtp::Reply::of(250, "2.1.5", "recipient ok");
  }
  Task<std::expected<std::unique_ptr<smtp::Incoming>, smtp::Reply>> begin() override {
    if (store_.begin_refusal) co_return std::unexpected(*store_.begin_refusal);
    ++store_.begun;
    co_return std::make_unique<TestIncoming>(store_, std::move(taken_));
  }
  Task<smtp::Reply> start_queue(const smtp::SessionInfo&, std::string domain, bool subdomains) override {
    store_.started.push_back((subdomains ? "@" : "") + domain);
    co_return smtp::Reply::of(251, "2.0.0", "nothing waits");
  }
  void reset() override {
    ++store_.resets;
    taken_ = {};
  }

 private:
  class TestIncoming final : public smtp::Incoming {
   public:
    TestIncoming(Store& store, Taken taken) : store_(store), taken_(std::move(taken)) {}
    ~TestIncoming() override { abandon(); }
    Task<void> write(smtp::Chunk chunk) override {
      store_.largest_chunk = std::max(store_.largest_chunk, chunk.size());
      taken_.content += chunk;
      co_return;
    }
    Task<smtp::Reply> commit() override {
      over_ = true;
      if (store_.env != nullptr) {
        static_cast<void>(co_await sleep_until(*store_.env, store_.env->clock.mono() + store_.commit_takes));
      }
      if (store_.commit_refusal) co_return *store_.commit_refusal;
      store_.messages.push_back(std::move(taken_));
      co_return smtp::Reply::of(250, "2.0.0", "queued");
    }
    void abandon() override {
      if (!std::exchange(over_, true)) ++store_.abandoned;
    }

   private:
    Store& store_;
    Taken taken_;
    bool over_ = false;
  };

  Store& store_;
  Taken taken_;
};

class TestIntakeFactory final : public smtp::IntakeFactory {
 public:
  explicit TestIntakeFactory(Store& store) : store_(store) {}
  std::unique_ptr<smtp::Intake> open() override { return std::make_unique<TestIntake>(store_); }

 private:
  Store& store_;
};

}  // namespace postproof::test
