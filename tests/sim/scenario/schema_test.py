#!/usr/bin/env python3
"""The JSON schema of the scenario language: up to date, and of one mind with the loader.

schema_test.py POSTPROOF: every scenario and every example of docs/scenarios.md is valid by docs/scenario.schema.json;
what is wrong in its keys or types is wrong to the schema and to `postproof check`. That both know the same keys needs no
list: ci/make-schema asks the loader for them.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import json

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOSTS = '[mta.sut]\n[peer.mx]\nnames = ["mx.example"]\n'

# Each stands behind a title and HOSTS, and is wrong.
WRONG = [
    'titel = "x"',
    'seed = "x"',
    'seed = -1',
    'limit = 5',
    'limit = "5 days"',
    'open = "yes"',
    'covers = [1]',
    '[dns]\nzones = ""',
    '[dns]\nzone = ["x"]',
    '[link.default]\nlatncy = "1s"',
    '[link.default]\nsegment = 0',
    '[mta.other]\nretry.shedule = ["1m"]',
    '[mta.other]\nretry.jitter = 7',
    '[mta.other]\nsmtp.recipients_max = "many"',
    '[mta.other]\nsmtp.bare_newline = "keep"',
    '[peer.other]\nport = 70000',
    '[peer.other]\nrule = []',
    '[peer.other]\nrules = [{ on = "RCTP", reply = "550 no" }]',
    '[peer.other]\nrules = [{ reply = "550 no" }]',
    '[peer.other]\nrules = [{ on = "RCPT", nth = 0, reply = "550 no" }]',
    '[client.other]\nscripts = ""',
    '[[at]]\nsubmit = { to = "sut", from = "", rcpt = "b@mx.example" }',
    '[[at]]\nt = "0s"\nsubmit = { to = "sut", from = "" }',
    '[[at]]\nt = "0s"\nsubmit = { to = "sut", from = "", rcpt = "b@mx.example", count = 0 }',
    '[[at]]\nt = "0s"\nsubmit = { to = "sut", from = "", rcpt = "b@mx.example", size = "much" }',
    '[[at]]\nt = "0s"\nfault = { kind = "tcp.blakhole", host = "mx" }',
    '[[at]]\nt = "0s"\nfault = { kind = "tcp.refuse" }',
    '[[at]]\nt = "0s"\nfault = { kind = "tcp.refuse", host = "mx", name = "x" }',
    '[[at]]\nt = "0s"\nfault = { kind = "process.crash", host = "sut", loss = "some" }',
    '[[expect]]\ndeliverd = {}',
    '[[expect]]\ndelivered = { rcpt = "b@mx.example", cuont = 1 }',
    '[[expect]]\nattempts = { count = 1 }',
    '[[expect]]\nnever = { event = "connects" }',
    '[[expect]]\nend = { queue = "none" }',
]


def valid(validator, text):
    try:
        return validator.is_valid(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return False


def examples():
    page = (ROOT / 'docs' / 'scenarios.md').read_text()
    for match in re.finditer(r'```toml\n(.*?)```', page, re.S):
        if re.search(r'^title\s*=', match.group(1).splitlines()[0]):
            yield f'docs/scenarios.md:{page[:match.start()].count(chr(10)) + 2}', match.group(1)


def scenarios():
    for path in sorted(ROOT.glob('scenarios/**/*.toml')):
        if path.name != 'catalogue.toml':
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def main():
    postproof = sys.argv[1]
    problems = []
    if subprocess.run([ROOT / 'ci' / 'make-schema', '--check', postproof], check=False).returncode != 0:
        problems.append('docs/scenario.schema.json is out of date')
    schema = json.loads((ROOT / 'docs' / 'scenario.schema.json').read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    read = 0
    for name, text in [*scenarios(), *examples()]:
        read += 1
        for error in validator.iter_errors(tomllib.loads(text)):
            problems.append(f'{name}: {"/".join(map(str, error.absolute_path))}: {error.message[:200]}')
    good = 'title = "x"\n' + HOSTS
    if not valid(validator, good):
        problems.append('the sound beginning of the wrong ones is refused by the schema')

    with tempfile.TemporaryDirectory() as folder:
        for wrong in WRONG:
            # What stands before the first table is of the file's top.
            text = wrong + '\n' + good if not wrong.startswith('[') else good + wrong + '\n'
            if valid(validator, text):
                problems.append(f'the schema takes {wrong!r}')
            path = pathlib.Path(folder) / 'wrong.toml'
            path.write_text(text)
            checked = subprocess.run([postproof, 'check', path], capture_output=True, text=True, check=False)
            if checked.returncode != 2 or not re.match(re.escape(str(path)) + r':\d+:\d+: ', checked.stderr):
                problems.append(f'postproof check says of {wrong!r}: {checked.returncode} {checked.stderr}')
    for problem in problems:
        print(problem)
    print(f'{read} scenarios and examples, {len(WRONG)} wrong ones; {len(problems)} problems')
    return 1 if problems else 0


sys.exit(main())
