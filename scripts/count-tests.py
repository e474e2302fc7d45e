"""Counts tests, not executables: prints "PASSED FAILED" of a meson test log (JSON lines) or a pytest junit file.

Usage: count-tests.py meson testlog.json | count-tests.py junit report.xml
A cmocka executable counts as many tests as it ran; one that crashed counts one failure more. Any other executable counts one,
or what its own last line "N passed, N failed" says.
"""
import json
import re
import sys
import xml.etree.ElementTree as xml


def of_executable(entry):
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    good = entry["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
    own = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    if own:
        passed, failed = map(int, own[-1])
    elif "[==========]" in text:
        passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M)))
        failed = sum(map(int, re.findall(r"^\[  FAILED  \] (?:\S+: )?(\d+) test", text, re.M)))
    else:
        passed, failed = (1, 0) if good else (0, 1)
    if not good and failed == 0:
        failed = 1
    return passed, failed


def of_meson(path):
    passed = failed = 0
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            p, f = of_executable(json.loads(line))
            passed, failed = passed + p, failed + f
    return passed, failed


def of_junit(path):
    passed = failed = 0
    for suite in xml.parse(path).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        failed += bad
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    return passed, failed


def main():
    kind, path = sys.argv[1:3]
    try:
        passed, failed = of_meson(path) if kind == "meson" else of_junit(path)
    except (OSError, ValueError, xml.ParseError) as problem:
        print(f"{path}: {problem}", file=sys.stderr)
        passed, failed = 0, 1
    print(passed, failed)


main()
