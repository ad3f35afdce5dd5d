"""What the pages say: commands parse and print what is shown, Python runs, links and paths lead somewhere."""

import inspect
import re
import shlex

import pytest
from conftest import REPOSITORY

import verify
import verify.testing
from verify.__main__ import main
from verify.commands import COMMANDS
from verify.commands.parser import parse

PAGES = sorted([REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").glob("*.md")])
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
COMMAND = re.compile(r"^(?:\$ )?(?:python -m verify|ssm-verify) ([^#\n]*)", re.M)


def pages(names=PAGES):
    return pytest.mark.parametrize("page", names, ids=lambda page: page.name)


def commands(page) -> list[str]:
    """Of the code blocks, and of code within the lines; a word in capitals alone is a stand-in."""
    text = page.read_text()
    blocks = "\n".join(block for _, block in FENCED.findall(text))
    within = "\n".join(re.findall(r"`((?:python -m verify|ssm-verify) [^`]*)`", FENCED.sub("", text)))
    return [found for found in COMMAND.findall(f"{blocks}\n{within}") if "COMMAND" not in found]


@pages()
def test_commands_parse(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        parse(shlex.split(command))


def test_there_are_commands():
    assert len(commands(REPOSITORY / "README.md")) >= 5


def test_every_command_has_a_row():
    rows = (REPOSITORY / "README.md").read_text().split("## What you can ask")[1].split("\n\n")[1]
    named = {word for row in re.findall(r"^\| (.*?) \|", rows, re.M) for word in re.findall(r"`([a-z]+)", row)}
    assert set(COMMANDS) - {"checkpoint"} <= named  # the older name of check


def shown() -> list[tuple[str, str]]:
    """Each command of the README that begins with a prompt, and what is said to be printed."""
    blocks = [block for _, block in FENCED.findall((REPOSITORY / "README.md").read_text())]
    found = [re.fullmatch(r"\$ python -m verify ([^\n]*)\n(.*)", block, re.S) for block in blocks]
    return [(match[1], match[2]) for match in found if match]


@pytest.mark.parametrize("command, printed", shown(), ids=[command for command, _ in shown()])
def test_what_is_shown_is_what_is_printed(command, printed, capsys):
    assert main(shlex.split(command)) == 0

    def lines(text):
        """The time that it took, and where a long line was broken, may differ."""
        return " ".join(re.sub(r"^time .*", "", text, flags=re.M).split())

    assert lines(capsys.readouterr().out) == lines(printed)


@pages([REPOSITORY / "README.md", REPOSITORY / "docs" / "testing.md"])
def test_python_runs(page, tmp_path, monkeypatch):
    """The blocks of a page one after the other, and the tests that they define."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    monkeypatch.chdir(tmp_path)
    blocks = [block for language, block in FENCED.findall(page.read_text()) if language == "python"]
    assert blocks
    names: dict = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    for name, found in list(names.items()):
        if name.startswith("test_"):
            found()


@pages()
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:automata|constructions|verify|tests|docs|notebooks)/[\w/.]+)`", text):
        assert (REPOSITORY / path).exists(), path
    for name in re.findall(r"`((?:automata|constructions|verify)(?:\.[a-z_]\w*)+)`", text):
        assert (REPOSITORY / name.replace(".", "/")).is_dir() or (
            REPOSITORY / (name.replace(".", "/") + ".py")
        ).exists()


def test_pictures_are_small():
    pictures = list((REPOSITORY / "docs" / "pictures").iterdir())
    assert len(pictures) >= 6 and all(picture.stat().st_size <= 60_000 for picture in pictures)


def test_the_extras_are_those_of_the_table():
    """Each extra that a person may want is a row of the README's table."""
    setup = (REPOSITORY / "setup.cfg").read_text().split("[options.extras_require]")[1].split("\n[")[0]
    extras = set(re.findall(r"^([\w-]+) =", setup, re.M)) - {"test", "torch"}
    rows = (REPOSITORY / "README.md").read_text().split("## Installing")[1].split("\n## ")[0]
    assert extras == set(re.findall(r"^\|[^|]*\| `([\w-]+)`", rows, re.M))


# -- the reference -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", [verify, verify.testing], ids=["verify", "verify.testing"])
def test_public_names_have_hints_and_say_what_they_do(package):
    for name in package.__all__:
        found = getattr(package, name)
        if not callable(found):
            continue
        assert inspect.getdoc(found), name
        signature = inspect.signature(found)
        hints = [signature.return_annotation, *(p.annotation for p in signature.parameters.values())]
        assert inspect.Signature.empty not in hints, name
