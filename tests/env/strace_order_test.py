"""The checker itself must be able to fail: strace_order.py on traces that are known."""

import sys
import unittest

from strace_order import call, happened_between, out_of_order, parse

GOOD = """\
7 openat(AT_FDCWD</>, "/d/f", O_RDWR|O_CREAT, 0600) = 3</d/f>
8 pwrite64(3</d/f>, "text", 4, 0 <unfinished ...>
7 write(2</dev/null>, "meanwhile", 9) = 9
8 <... pwrite64 resumed>) = 4
8 fdatasync(3</d/f>) = 0
7 write(1<pipe:[1]>, "durable\\n", 8) = 8
"""
STEPS = [call("openat", '"/d/f"'), call("pwrite64", "/d/f"), call("fdatasync", "/d/f"), call("write", '"durable')]


class StraceOrder(unittest.TestCase):
    def test_in_order(self):
        self.assertIsNone(out_of_order(parse(GOOD), STEPS))

    def test_sync_before_the_write_returned(self):
        lines = GOOD.splitlines()
        lines[3], lines[4] = lines[4].replace("8 ", "9 ", 1), lines[3]
        self.assertIn("no fdatasync", out_of_order(parse("\n".join(lines)), STEPS))

    def test_no_sync(self):
        self.assertIn("no fdatasync", out_of_order(parse(GOOD.replace("fdatasync", "close")), STEPS))

    def test_failed_sync(self):
        failed = GOOD.replace("fdatasync(3</d/f>) = 0", "fdatasync(3</d/f>) = -1 EIO (Input/output error)")
        self.assertIn("no fdatasync", out_of_order(parse(failed), STEPS))

    def test_said_too_early(self):
        lines = GOOD.splitlines()
        lines[4], lines[5] = lines[5], lines[4]
        self.assertIn('no write of "durable', out_of_order(parse("\n".join(lines)), STEPS))

    def test_sync_under_way(self):
        under_way = GOOD.replace("8 fdatasync(3</d/f>) = 0\n", "8 fdatasync(3</d/f> <unfinished ...>\n")
        under_way += "8 <... fdatasync resumed>) = 0\n"
        self.assertIn('no write of "durable', out_of_order(parse(under_way), STEPS))

    def test_between(self):
        found = happened_between(parse(GOOD), STEPS[0], STEPS[3], call("write", "meanwhile"))
        self.assertEqual(found.thread, 7)
        self.assertIsNone(happened_between(parse(GOOD), STEPS[2], STEPS[3], call("pwrite64")))


if __name__ == "__main__":
    sys.exit(unittest.main())
