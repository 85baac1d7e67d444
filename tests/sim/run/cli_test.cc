// The postproof program as its users see it: exit status, and what goes to standard output and standard error.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;

struct Result {
  int status = -1;
  std::string out, err;
};

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Shell {
 public:
  Shell() {
    std::string name = (fs::temp_directory_path() / "postproof-cli-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    put("good/passes.toml", "title = 'an empty world'\n[[expect]]\nend = { queue = 0 }\n");
    put("bad/fails.toml", "title = 'a message that is not there'\n[[expect]]\nend = { queue = 1 }\n");
    put("wrong/invalid.toml", "title = 'x'\nsede = 1\n");
  }
  ~Shell() { fs::remove_all(folder_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void put(const std::string& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  Result run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.string() + "' && '" POSTPROOF_PROGRAM "' " + arguments + " >out 2>err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder_ / "out"), content(folder_ / "err")};
  }
  std::string read(const std::string& name) const { return content(folder_ / name); }

 private:
  fs::path folder_;
};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what passes") {
  const Shell shell;
  const Result result = shell.run("run good");
  CHECK(result.status == 0);
  CHECK(holds(result.out, "1 passed, 0 failed; 1 run, "));
  CHECK(result.err.empty());
  CHECK(holds(shell.run("run good -v").out, "ok   good/passes.toml"));
}

TEST_CASE("what fails ends with how to replay it") {
  const Shell shell;
  const Result result = shell.run("run bad good --seed 9");
  CHECK(result.status == 1);
  CHECK(holds(result.out, "FAIL bad/fails.toml"));
  CHECK(holds(result.out, "postproof run bad/fails.toml --seed 9"));
  CHECK(holds(result.out, "1 passed, 1 failed"));
}

TEST_CASE("what is invalid is told by its place, and the others run") {
  const Shell shell;
  const Result result = shell.run("run wrong good");
  CHECK(result.status == 2);
  CHECK(holds(result.err, "wrong/invalid.toml:2:1: unknown key \"sede\"; did you mean \"seed\"?"));
  CHECK(holds(result.out, "1 passed, 0 failed, 1 invalid"));
  CHECK(shell.run("check good").status == 0);
  const Result checked = shell.run("check good wrong");
  CHECK(checked.status == 2);
  CHECK(holds(checked.err, "wrong/invalid.toml:2:1: "));
  CHECK(holds(checked.out, "1 valid, 1 invalid"));
}

TEST_CASE("usage") {
  const Shell shell;
  for (const char* arguments : {"", "frobnicate", "run --seed x good", "run --jobs 0 good", "run nowhere", "run",
                                "run good --filter '*nothing*'", "run good --only disk_op=1", "check", "show",
                                "show nowhere", "show good/passes.toml", "show good/passes.toml --as gif"}) {
    CAPTURE(arguments);
    const Result result = shell.run(arguments);
    CHECK(result.status == 2);
    CHECK_FALSE(result.err.empty());
  }
  CHECK(shell.run("--help").status == 0);
  CHECK(holds(shell.run("run --help").out, "Examples:"));
  CHECK(holds(shell.run("--version").out, "postproof "));
}

TEST_CASE("the list runs nothing") {
  const Shell shell;
  const Result result = shell.run("run --list bad good wrong");
  CHECK(result.status == 0);
  CHECK(result.out == "bad/fails.toml\ngood/passes.toml\nwrong/invalid.toml\n");
}

TEST_CASE("recordings are written, equal for equal runs, and shown") {
  const Shell shell;
  CHECK(shell.run("run good bad --report first --jobs 1").status == 1);
  CHECK(shell.run("run good bad --report second --jobs 2").status == 1);
  const std::string recording = shell.read("first/good/passes.jsonl");
  CHECK_FALSE(recording.empty());
  CHECK(recording == shell.read("second/good/passes.jsonl"));
  CHECK(shell.read("first/bad/fails.jsonl") == shell.read("second/bad/fails.jsonl"));
  for (const char* name : {"good/passes.txt", "good/passes.html", "good/passes.pcap", "bad/fails.html", "index.html", "summary.md"}) {
    CAPTURE(name);
    CHECK_FALSE(shell.read(std::string("first/") + name).empty());
    CHECK(shell.read(std::string("first/") + name) == shell.read(std::string("second/") + name));
  }
  CHECK(holds(shell.read("first/bad/fails.failed.txt"), "FAIL bad/fails.toml"));
  CHECK(shell.read("first/good/passes.failed.txt").empty());

  const Result shown = shell.run("show first/good/passes.jsonl");
  CHECK(shown.status == 0);
  CHECK(holds(shown.out, "an empty world"));
  CHECK(shell.run("show first/good/passes.jsonl --as text -o text").status == 0);
  CHECK(shell.read("text") == shown.out);
  const Result diagram = shell.run("show first/good/passes.jsonl --as sequence");
  CHECK(diagram.status == 0);
  CHECK(holds(diagram.out, "PASSED"));
  for (const char* format : {"html", "pcap", "txt"}) {
    const std::string name = format == std::string("txt") ? "text" : format;
    CHECK(shell.run("show first/bad/fails.jsonl -o view --as " + name).status == 0);
    CHECK(shell.read("view") == shell.read(std::string("first/bad/fails.") + format));
  }
}

TEST_CASE("what is no whole recording is not shown as one") {
  const Shell shell;
  CHECK(shell.run("run bad --report r").status == 1);
  const std::string whole = shell.read("r/bad/fails.jsonl");
  const auto show = [&](const std::string& text) {
    shell.put("x.jsonl", text);
    return shell.run("show x.jsonl");
  };
  CHECK(show(whole).status == 0);
  // Without its last line; with two lines in each other's place; without one in the middle.
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  CHECK(holds(show(whole.substr(0, last)).err, "x.jsonl: this is no whole recording: it breaks off"));
  CHECK(show(whole.substr(0, last)).status == 2);
  const std::size_t before = whole.rfind('\n', last - 2) + 1;
  CHECK(show(whole.substr(0, before) + whole.substr(last) + whole.substr(before, last - before)).status == 2);
  const std::size_t end = whole.find("{\"at\":", whole.find("\"kind\":\"end\"") - 40);
  CHECK(holds(show(whole.substr(0, end) + whole.substr(whole.find('\n', end) + 1)).err, "0 ends of the run"));
}

TEST_CASE("what is no regular file is not read") {
  const Shell shell;
  const Result device = shell.run("check /dev/zero");
  CHECK(device.status == 2);
  CHECK(holds(device.err, "/dev/zero: no regular file"));
  CHECK(shell.run("check $(mkfifo pipe.toml; echo pipe.toml)").status == 2);
  shell.put("long.toml", std::string(5 * 1024 * 1024, '\n'));
  CHECK(holds(shell.run("check long.toml").err, "more than 4194304 octets"));
}

TEST_CASE("a report has the recordings of all seeds of a group") {
  const Shell shell;
  shell.put("group.toml", "title = 'x'\nseeds = 3\n[[expect]]\nend = { queue = 0 }\n");
  CHECK(shell.run("run group.toml --report r --seed 5").status == 0);
  for (const char* seed : {"5", "6", "7"}) {
    CHECK(holds(shell.read(std::string("r/group.seed=") + seed + ".jsonl"), std::string("\"seed\":") + seed + ",\"group_begin\":5,\"group_size\":3"));
  }
}

TEST_CASE("results for CI") {
  const Shell shell;
  CHECK(shell.run("run good bad wrong --junit junit.xml").status == 2);
  const std::string junit = shell.read("junit.xml");
  CHECK(holds(junit, "tests=\"3\" failures=\"1\" errors=\"1\""));
  CHECK(holds(junit, "<testcase classname=\"good\" name=\"passes\" file=\"good/passes.toml\""));
}

TEST_CASE("what cannot be written is no success") {
  const Shell shell;
  shell.put("taken", "a file");
  const Result result = shell.run("run good --report taken");
  CHECK(result.status == 2);
  CHECK(holds(result.err, "--report taken: Not a directory"));
  CHECK(result.out == "");
  const Result explored = shell.run("explore --seeds 1 --output taken/there");
  CHECK(explored.status == 2);
  CHECK(holds(explored.err, "--output taken/there: Not a directory"));
  CHECK(explored.out == "");
}

TEST_CASE("coverage keeps the books of a suite") {
  const Shell shell;
  shell.put("suite/catalogue.toml",
            "[[group]]\nid = 'A'\ntitle = 'commands'\n"
            "[[case]]\nid = 'A01'\nclause = '3.1'\nlevel = 'M'\ntext = 'greets'\n"
            "[[case]]\nid = 'A02'\nclause = '3.1'\nlevel = 'M'\ntext = 'refuses'\n");
  shell.put("suite/area/one.toml", "title = 'x'\ncases = ['A01']\ncovers = ['RFC5321#3.1']\n[[expect]]\nend = { queue = 0 }\n");
  const Result text = shell.run("coverage suite");
  CHECK(text.status == 0);
  CHECK(holds(text.out, "pass     A01   suite/area/one.toml"));
  CHECK(holds(text.out, "waiting  A02   refuses"));
  const Result json = shell.run("coverage suite --json");
  CHECK(json.status == 0);
  CHECK(holds(json.out, R"("A01":{"scenarios":["suite/area/one.toml"],"result":"pass"})"));

  shell.put("suite/area/two.toml", "title = 'x'\ncases = ['A01', 'A2']\n[[expect]]\nend = { queue = 0 }\n");
  CHECK(shell.run("coverage suite").status == 2);
  const Result checked = shell.run("check suite");
  CHECK(checked.status == 2);
  CHECK(checked.err == "suite/area/two.toml:2:17: cases: \"A2\" is not in suite/catalogue.toml (did you mean \"A02\"?)\n");
  CHECK(holds(checked.out, "1 valid, 1 invalid"));

  shell.put("suite/area/two.toml", "title = 'x'\ncases = ['A01']\n[[expect]]\nend = { queue = 1 }\n");
  const Result failed = shell.run("coverage suite");
  CHECK(failed.status == 1);
  CHECK(holds(failed.out, "fail     A01   suite/area/one.toml"));
  const Result homeless = shell.run("coverage good");
  CHECK(homeless.status == 0);
  CHECK(holds(homeless.out, "cases: 0 pass, 0 fail, 0 waiting"));
}

TEST_CASE("an exploration finds what breaks, writes it, and what it wrote breaks again") {
  const Shell shell;
  CHECK(shell.run("explore good --seeds 3").status == 0);
  const Result json = shell.run("explore good --seeds 3 --json");
  CHECK(json.status == 0);
  CHECK(holds(json.out, "{\"seeds\":3,\"failed\":0,"));
  CHECK(json.err.empty());

  shell.put("never/up.toml", "title = 'an address that is not its own'\n[mta.sut]\nlisten = '192.0.2.77:25'\n");
  const Result found = shell.run("explore never --seeds 2 -o found");
  CHECK(found.status == 1);
  CHECK(holds(found.out, "seed 1 of never/up.toml breaks an invariant: every part of the world comes up"));
  CHECK(holds(found.out, "replay: postproof run found/seed-1-every-part-of-the-world-comes-up.toml"));
  CHECK(holds(found.out, "2 seeds, 2 failed in 1 way;"));
  CHECK(shell.run("run found").status == 1);

  CHECK(shell.run("explore wrong").status == 2);
  CHECK(shell.run("explore nowhere").status == 2);
  CHECK(shell.run("explore --seeds 0").status == 2);
  CHECK(shell.run("explore never --seeds 1 -o never/up.toml").status == 2);
}

TEST_CASE("probes that a suite never reaches") {
  const Shell shell;
  const Result result = shell.run("run good --probes");
  CHECK(result.status == 0);
  CHECK(holds(result.out, "\n  never  fault     tcp.refuse, "));
}

TEST_CASE("new writes a scenario that passes, and overwrites nothing") {
  const Shell shell;
  const Result first = shell.run("new first");
  CHECK(first.status == 0);
  CHECK(holds(first.out, "postproof run first.toml"));
  CHECK(shell.run("check first.toml").status == 0);
  const Result ran = shell.run("run first.toml");
  CHECK(ran.status == 0);
  CHECK(holds(ran.out, "1 passed, 0 failed"));

  shell.put("mine.toml", "title = 'mine'\n");
  const Result again = shell.run("new mine.toml");
  CHECK(again.status == 2);
  CHECK(holds(again.err, "mine.toml: File exists"));
  CHECK(shell.read("mine.toml") == "title = 'mine'\n");
  CHECK(shell.run("new no/such/folder/x").status == 2);
}
