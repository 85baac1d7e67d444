"""System calls of a program, in order, as strace saw them.

    trace = run_traced(["./program", "argument"])       # or parse(open("trace").read())
    steps = [call("pwrite64", r"/f>"), call("fdatasync", r"/f>"), call("write", r"1<.*durable")]
    problem = out_of_order(trace, steps)                # None, or a text that says which step was missing

A step counts only if it succeeded and began after the step before it had returned: threads overlap, and
what was still under way had not happened yet. Needs strace 6 (--decode-fds shows what a descriptor is).
"""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass

FILE_CALLS = ("openat,pwrite64,pwritev,write,writev,sendto,sendmsg,fdatasync,fsync,"
              "rename,renameat,renameat2,link,unlink,mkdir")


@dataclass
class Call:
    thread: int
    name: str
    arguments: str
    result: int  # -1 for an error, and for a call that never returned
    began: int   # line numbers of the trace
    ended: int

    def __str__(self):
        return f"{self.name}({self.arguments[:120]}) = {self.result}"


@dataclass
class Step:
    name: str
    pattern: str

    def matches(self, found):
        return (found.result >= 0 and re.fullmatch(self.name, found.name) is not None
                and re.search(self.pattern, found.arguments) is not None)

    def __str__(self):
        return f"{self.name} of {self.pattern}"


def call(name, pattern=""):
    """A step: the call's name and a pattern in its arguments, both regular expressions."""
    return Step(name, pattern)


_WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)$")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(.*)$")


def parse(text):
    """The calls of a trace that was written by strace -f -o, in the order in which they began."""
    calls = []
    open_calls = {}
    for number, line in enumerate(text.splitlines()):
        if found := _WHOLE.match(line):
            thread, name, arguments, result, _ = found.groups()
            calls.append(Call(int(thread), name, arguments, int(result), number, number))
        elif found := _UNFINISHED.match(line):
            thread, name, arguments = found.groups()
            started = Call(int(thread), name, arguments, -1, number, 1 << 62)
            open_calls[int(thread)] = started
            calls.append(started)
        elif found := _RESUMED.match(line):
            thread, name, arguments, result, _ = found.groups()
            started = open_calls.pop(int(thread), None)
            if started is None or started.name != name:
                continue
            started.arguments += arguments
            started.result = int(result)
            started.ended = number
    return calls


def out_of_order(calls, steps):
    """None if the steps happened one after the other; otherwise what was missing, and where."""
    after = -1
    last = None
    for step in steps:
        found = next((c for c in calls if c.began > after and step.matches(c)), None)
        if found is None:
            place = f"after {last}" if last else "at all"
            return f"no {step} {place}"
        after = found.ended
        last = found
    return None


def happened_between(calls, first, last, unwanted):
    """The first successful call that matches `unwanted` between the steps `first` and `last`, or None."""
    begin = next((c for c in calls if first.matches(c)), None)
    if begin is None:
        return None
    end = next((c for c in calls if c.began > begin.ended and last.matches(c)), None)
    for c in calls:
        if c.began > begin.ended and (end is None or c.began < end.began) and unwanted.matches(c):
            return c
    return None


def strace_command(output, calls=FILE_CALLS):
    """What to put in front of a command, so that its calls are written to the file `output`."""
    return ["strace", "-f", "-s", "4096", "--decode-fds=path", "-e", f"trace={calls}", "-o", output]


def traced_environment():
    """The environment of a traced program: LeakSanitizer traces itself, which strace keeps it from, and would fail the run."""
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


def can_trace():
    """Whether strace is here and may trace (a container may forbid ptrace)."""
    try:
        return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def run_traced(command, calls=FILE_CALLS, timeout=60):
    """Runs the command to its end under strace: its exit status must be 0."""
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "trace")
        subprocess.run(strace_command(output, calls) + command, check=True, timeout=timeout,
                       stdout=subprocess.DEVNULL, env=traced_environment())
        with open(output, encoding="utf-8", errors="replace") as trace:
            return parse(trace.read())
