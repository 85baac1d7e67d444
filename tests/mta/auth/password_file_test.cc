// Logins against a password file.
#include "mta/auth/password_file.h"

#include <doctest/doctest.h>

#include "mta/auth/scram.h"
#include "tests/mta/auth/exchanges.h"

using namespace postproof;
using namespace postproof::auth;
using namespace postproof::test;

namespace {

constexpr const char* kCrypt = "$5$salt$hkijgYUEMjSMXhxmgrD.XT2e7x4QFQTXgT62LjT23S1";  // pencil
constexpr const char* kWrong = "credentials wrong user or password";

std::string scram_of(const char* password) { return to_string(make_scram_verifier(password, "sixteen octets..", 4096)); }

// A file with alice (SCRAM) and bob (crypt).
Task<std::string> two_users(Env& env, std::string folder) {
  static_cast<void>(co_await env.disk.mkdir(folder));
  std::string path = folder + "/users";
  std::string text = "alice:" + scram_of("pencil") + "\nbob:" + kCrypt + "\n";
  co_await put_file(env, path, std::move(text));
  co_return path;
}

// A whole exchange of SCRAM.
Task<std::string> scram_login(Env& env, PasswordFile& file, std::string user, std::string password) {
  static_cast<void>(env);
  const auto exchange = file.begin(Mechanism::scram_sha_256, Channel{}, false);
  ScramClient client(std::move(user), std::move(password), "nonce");
  const Step first = co_await exchange->step(client.first());
  const auto* challenge = std::get_if<Challenge>(&first);
  if (challenge == nullptr) co_return text_of(first);
  const auto answer = client.final(challenge->octets);
  if (!good(answer)) co_return "";
  const Step second = co_await exchange->step(*answer);
  const auto* signature = std::get_if<Challenge>(&second);
  if (signature == nullptr) co_return text_of(second);
  good(client.verify(signature->octets));
  co_return co_await one_step(*exchange, "");
}

}  // namespace

TEST_CASE("password file: PLAIN and LOGIN against both kinds of lines") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const std::string path = co_await two_users(env, place->folder());
    PasswordFile file(env, path);
    good(co_await file.load());
    struct Case {
      const char* message;
      const char* outcome;
    };
    for (const Case& one : {Case{"|alice|pencil", "success alice"}, Case{"|bob|pencil", "success bob"},
                            Case{"alice|alice|pencil", "success alice"}, Case{"|alice|pen", kWrong}, Case{"|bob|pen", kWrong},
                            Case{"|mallory|pencil", kWrong}, Case{"|alice|pencil\r\n", kWrong}, Case{"|ALICE|pencil", kWrong},
                            Case{"bob|alice|pencil", "credentials may not act for another"},
                            Case{"bob|alice|pen", kWrong}, Case{"|\xff|pencil", kWrong}, Case{"alice|pencil", "malformed malformed"},
                            Case{"", "malformed malformed"}}) {
      CAPTURE(one.message);
      const std::string message = with_nuls(one.message);
      const auto plain = file.begin(Mechanism::plain, Channel{}, false);
      const std::string outcome = co_await one_step(*plain, message);
      CHECK(outcome == one.outcome);
      const auto asked = file.begin(Mechanism::plain, Channel{}, false);
      const std::string challenge = co_await one_step(*asked, std::nullopt);
      CHECK(challenge == "challenge ");
      const std::string later = co_await one_step(*asked, message);
      CHECK(later == one.outcome);
    }
    const auto login = file.begin(Mechanism::login, Channel{}, false);
    const std::string name = co_await one_step(*login, std::nullopt);
    CHECK(name == "challenge Username:");
    const std::string word = co_await one_step(*login, "bob");
    CHECK(word == "challenge Password:");
    const std::string in = co_await one_step(*login, "pencil");
    CHECK(in == "success bob");
    const auto initial = file.begin(Mechanism::login, Channel{}, false);
    const std::string second = co_await one_step(*initial, "alice");
    CHECK(second == "challenge Password:");
    const std::string out = co_await one_step(*initial, "");
    CHECK(out == kWrong);
    const auto nobody = file.begin(Mechanism::login, Channel{}, false);
    const std::string malformed = co_await one_step(*nobody, "");
    CHECK(malformed == "malformed malformed");
  });
}

TEST_CASE("password file: SCRAM for lines that serve it; others look like a wrong password") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const std::string path = co_await two_users(env, place->folder());
    PasswordFile file(env, path);
    good(co_await file.load());
    const std::string right = co_await scram_login(env, file, "alice", "pencil");
    CHECK(right == "success alice");
    const std::string wrong = co_await scram_login(env, file, "alice", "pen");
    CHECK(wrong == kWrong);
    const std::string crypt_only = co_await scram_login(env, file, "bob", "pencil");
    CHECK(crypt_only == kWrong);
    const std::string unknown = co_await scram_login(env, file, "mallory", "pencil");
    CHECK(unknown == kWrong);
    // Another's exchange cannot be answered with: the nonce is new each time.
    const auto one = file.begin(Mechanism::scram_sha_256, Channel{}, false);
    const std::string first = co_await one_step(*one, "n,,n=alice,r=same");
    const auto two = file.begin(Mechanism::scram_sha_256, Channel{}, false);
    const std::string second = co_await one_step(*two, "n,,n=alice,r=same");
    CHECK(first != second);
    const std::string other = co_await one_step(*two, "c=biws,r=same,p=" + std::string(43, 'A') + "=");
    CHECK(other == "credentials wrong nonce");
    // A user who is unknown gets a salt that stays, as one who is known does.
    const auto decoy = [&](std::string user) -> Task<std::string> {
      const auto exchange = file.begin(Mechanism::scram_sha_256, Channel{}, false);
      const std::string challenge = co_await one_step(*exchange, "n,,n=" + user + ",r=same");
      co_return challenge.substr(challenge.find(",s="));
    };
    const std::string mallory = co_await decoy("mallory");
    const std::string mallory_again = co_await decoy("mallory");
    const std::string trent = co_await decoy("trent");
    CHECK(mallory == mallory_again);
    CHECK(mallory != trent);
  });
}

TEST_CASE("password file: SCRAM is offered where all lines serve it") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const std::string path = co_await two_users(env, place->folder());
    PasswordFile mixed(env, path);
    good(co_await mixed.load());
    CHECK(mixed.mechanisms() == std::vector{Mechanism::plain, Mechanism::login});
    std::string all = "alice:" + scram_of("pencil") + "\n";
    co_await put_file(env, path, std::move(all));
    PasswordFile scram(env, path);
    good(co_await scram.load());
    const std::vector strong{Mechanism::scram_sha_256_plus, Mechanism::scram_sha_256, Mechanism::plain, Mechanism::login};
    CHECK(scram.mechanisms() == strong);
    // Who is about to be told sees a change, and what was known where the file cannot be read.
    co_await sleep_for(env, 1100ms);
    co_await mixed.refresh();
    CHECK(mixed.mechanisms() == strong);
    static_cast<void>(co_await env.disk.unlink(path));
    co_await sleep_for(env, 1100ms);
    co_await mixed.refresh();
    CHECK(mixed.mechanisms() == strong);
  });
}

TEST_CASE("password file: a change is seen, a bad line counts for nobody, a missing file refuses for now") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const std::string path = co_await two_users(env, place->folder());
    PasswordFile file(env, path);
    good(co_await file.load());
    const auto before = co_await file.check("alice", "pencil");
    CHECK(before == true);
    std::string changed = std::string("alice:") + "nothing" + "\ncarol:" + kCrypt + "\n";
    co_await put_file(env, path, std::move(changed));
    co_await sleep_for(env, 1100ms);
    const auto gone = co_await file.check("bob", "pencil");
    CHECK(gone == false);
    const auto came = co_await file.check("carol", "pencil");
    CHECK(came == true);
    const auto bad = co_await file.check("alice", "pencil");
    CHECK(bad == false);
    static_cast<void>(co_await env.disk.unlink(path));
    co_await sleep_for(env, 1100ms);
    const auto missing = co_await file.check("carol", "pencil");
    failed_with(Errc::not_found, missing);
    const auto exchange = file.begin(Mechanism::plain, Channel{}, false);
    const std::string later = co_await one_step(*exchange, with_nuls("|carol|pencil"));
    CHECK(later.starts_with("temporary "));

    PasswordFile absent(env, path);
    const auto not_there = co_await absent.load();
    failed_with(Errc::not_found, not_there);
    co_await put_file(env, path, "alice:nothing\n");
    PasswordFile broken(env, path);
    const auto loaded = co_await broken.load();
    failed_with(Errc::invalid, loaded);
    if (!loaded) CHECK(loaded.error().what.starts_with(path + ":1:7: not a hash"));
  });
}
