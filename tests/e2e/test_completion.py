"""The bash completion, run by bash: every command offers its own options and words, whatever other commands begin alike."""

import re
import subprocess

import pytest
from sluice import program


def output(*arguments):
    return subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60, check=True).stdout


def commands():
    return re.findall(r"^  (\w+(?: \w+)*)  +\S", output("--help").split("Commands:")[1], re.M)


def options(command):
    return set(re.findall(r"^ +(?:-\w, +)?(--[\w-]+)", output(*command.split(), "--help").split("Options:")[1].replace("-h,  --help", "    --help"), re.M))


@pytest.fixture(scope="module")
def complete():
    """complete(words..., last): what bash offers for the last word."""
    script = output("completion", "bash")

    def run(*words):
        line = " ".join(f"'{w}'" for w in ("sluice", *words))
        done = subprocess.run(["bash", "--norc", "-euc", f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _sluice\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""],
                              capture_output=True, text=True, timeout=60, check=False)
        assert not done.stderr, done.stderr
        return set(done.stdout.split())

    return run


def test_every_command_offers_its_options(complete):
    known = commands()
    assert len(known) > 20 and "job list" in known and "serve" in known
    for command in known:
        assert complete(*command.split(), "--") == options(command), command
        assert complete(*command.split(), "operand", "--he") == {"--help"}, command


def test_words_of_commands(complete):
    known = commands()
    assert complete("") == {c.split()[0] for c in known} | {"help", "version"}
    for noun in ("key", "job", "leftover"):
        assert complete(noun, "") == {c.split()[1] for c in known if c.startswith(noun + " ")}
    assert complete("job", "st") == {"start", "stop"}


def test_a_word_that_begins_like_a_command_is_none(complete):
    for command in commands():
        assert complete(*(command + "x").split(), "--") == set(), command
        assert complete(*("x" + command).split(), "--") == set(), command
    assert complete("job", "list", "--output", "") == set()  # the value of an option
    assert complete("job", "list", "-o", "") == set()
    assert complete("job", "list", "--debug", "--out") == {"--output"}
    assert complete("worker", "") == set()  # roles are serve's own
