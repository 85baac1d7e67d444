"""What is durable when, on the operating system: env/disk.h's contract, as the kernel sees it.

    python3 durability_test.py PATH/TO/durability_writer

Exit status 77 where strace is not to be had.
"""

import os
import re
import subprocess
import sys
import tempfile

from strace_order import call, can_trace, happened_between, out_of_order, run_traced, traced_environment


POISONED = """write: ok
sync: input/output error
sync: poisoned by a failed sync
write: poisoned by a failed sync
allocate: poisoned by a failed sync
truncate: poisoned by a failed sync
size: poisoned by a failed sync
read: ok
"""


def failing_sync(program):
    """What the calls yield when the kernel fails the first fdatasync: a text if it is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync",
                   "-e", "inject=fdatasync:error=EIO:when=1", program, folder, "failing"]
        said = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True, env=traced_environment()).stdout
    return None if said == POISONED else f"after a failed sync, got:\n{said}wanted:\n{POISONED}"


def main():
    if not can_trace():
        print("strace is missing or not allowed here")
        return 77
    if problem := failing_sync(sys.argv[1]):
        print(problem)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        calls = run_traced([sys.argv[1], folder])
    here = re.escape(folder)
    said = lambda word: call("write", rf'^1<[^>]*>, "{word}')
    new = rf"^\d+<{here}/new>"
    problems = [
        out_of_order(calls, [
            call("openat", rf'"{here}/new", O_RDWR\|O_CREAT\|O_EXCL[^,]*O_CLOEXEC, 0600'),
            call("pwrite64", new),
            call("pwrite64", new + r', "content"'),
            call("fdatasync", new),
            call("openat", rf'"{here}", O_RDONLY\|[^,]*O_DIRECTORY'),
            call("fsync", rf"^\d+<{here}>"),
            said("created"),
            call("pwrite64", new + r', " and more"'),
            call("fdatasync", new),
            said("overwritten"),
            call("rename.*", rf'"{here}/new".*"{here}/renamed"'),
            call("fsync", rf"^\d+<{here}>"),
            said("renamed"),
        ]),
    ]
    # The content is written before its sync, not behind it.
    stray = happened_between(calls, call("fdatasync", new), said("created"), call("pwrite64", new))
    if stray:
        problems.append(f"written after the sync and before it was called durable: {stray}")
    problems = [p for p in problems if p]
    for problem in problems:
        print(problem)
    if problems:
        print("the trace:", *calls, sep="\n  ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
