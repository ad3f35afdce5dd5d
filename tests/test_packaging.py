"""Do the pinned versions cover everything that is installed, and does the core stay light?"""

import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest
from packaging.requirements import Requirement

# A build of torch with CUDA fixes the versions of these itself.
CUDA = re.compile(r"(nvidia|cuda|triton)\b")

REFERENCE = {"pdoc", "markdown2"}
"""What only ``make docs`` installs, by the extra ``docs``."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""})


def installed_closure(name: str, extras: set[str]) -> set[str]:
    """Names of all distributions that ``name`` with ``extras`` needs on this machine, itself left out."""
    todo, seen = [(name, frozenset(extras))], set()
    while todo:
        distribution, wanted = todo.pop()
        if (distribution, wanted) in seen:
            continue
        seen.add((distribution, wanted))
        for text in metadata.requires(distribution) or []:
            requirement = Requirement(text)
            if applies(requirement, set(wanted)) and not CUDA.match(requirement.name):
                todo.append((canonical(requirement.name), frozenset(requirement.extras)))
    return {distribution for distribution, _ in seen} - {name}


@pytest.fixture(scope="module")
def pins(repository):
    """The versions of all that the tests need; lines that end with ``# jupyter`` are what `make notebooks` adds."""
    if sys.platform != "linux":
        pytest.skip("the versions are pinned for Linux")
    text = (repository / "constraints.txt").read_text().splitlines()
    lines = (line.split("#")[0].strip() for line in text if not line.endswith("# jupyter"))
    requirements = [Requirement(line) for line in lines if line]
    return {canonical(r.name): r.specifier for r in requirements if applies(r, set())}


def test_everything_needed_is_pinned_and_nothing_else(pins):
    assert installed_closure("ssm-compiler", {"test"}) == set(pins) - REFERENCE


def test_installed_versions_are_the_pinned_ones(pins):
    found = {name: metadata.version(name) for name in set(pins) - REFERENCE}
    wrong = {name: version for name, version in found.items() if not pins[name].contains(version)}
    assert not wrong


def test_core_starts_without_the_heavy_libraries():
    heavy = {"torch", "transformers", "matplotlib", "z3", "distributed", "pyarrow"}
    program = f"import sys, automata, constructions, verify; print(*sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_shared_data_names_what_is_missing(shared_data):
    with pytest.raises(pytest.skip.Exception, match="real data not present: no-such-folder"):
        shared_data("no-such-folder")


# -- the wheel -----------------------------------------------------------------------------------------


def test_the_wheel_holds_every_file_that_is_used(wheel, repository):
    names = set(zipfile.ZipFile(wheel).namelist())
    used = [
        path.relative_to(repository).as_posix()
        for folder in ("automata", "constructions", "verify")
        for path in (repository / folder).rglob("*")
        if path.suffix in (".py", ".v", ".json", ".typed", ".html", ".css", ".js") and "__pycache__" not in path.parts
    ]
    assert set(used) <= names
    for folder in ("automata", "constructions", "verify"):
        assert f"{folder}/py.typed" in names
    assert any(name.endswith(".v") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"automata", "constructions", "verify"}


def test_the_wheel_runs_where_it_was_unpacked(wheel, tmp_path):
    """From the wheel alone, by the function that the command ``ssm-verify`` calls."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (script,) = re.findall(r"ssm-verify = (\S+):(\S+)", next(tmp_path.glob("*.dist-info/entry_points.txt")).read_text())
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from {script[0]} import {script[1]} as command; "
        "sys.exit(command())"
    )
    command = [sys.executable, "-I", "-c", program, "starfree", "--regex", "(ab)*", "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0 and "proved" in run.stdout, run.stderr
    assert subprocess.run([*command[:4], "starfree", "--regex", "("], capture_output=True, cwd=tmp_path).returncode == 2


@pytest.mark.slow
def test_an_empty_environment_gets_a_working_command(wheel, empty_environment, tmp_path):
    pip = [empty_environment, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-index", wheel], check=True)
    try:
        for command in ([empty_environment.parent / "ssm-verify"], [empty_environment, "-m", "verify"]):
            arguments = ["dyck", "--k", "1", "--depth", "2"]
            run = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=tmp_path)
            assert run.returncode == 0 and "closed: holds at every length" in run.stdout, run.stderr
    finally:
        subprocess.run([*pip, "uninstall", "-y", "ssm-compiler"], check=True)


# -- what is not installed -----------------------------------------------------------------------------

_MAMBA = ("dyck --k 1 --depth 2 --target mamba", "export dyck-1-2 --to folder")
_DRAW = ("describe tomita-1 --draw a.svg", "starfree --regex a --draw a.svg", "parity --plot a.svg")
MISSING = [("torch", "mamba", _MAMBA), ("transformers", "mamba", _MAMBA), ("matplotlib", "draw", _DRAW)]


@pytest.mark.parametrize("module, extra, commands", MISSING, ids=[module for module, _, _ in MISSING])
def test_what_is_missing_is_one_line_that_names_the_extra(module, extra, commands, tmp_path):
    program = f"""
import sys
sys.modules[{module!r}] = None
from verify.__main__ import main
for command in {commands!r}:
    print(main(command.split()), file=sys.stderr)
"""
    # Graphviz, where it is installed, draws automata without the extra.
    without = {**os.environ, "PATH": ""}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=tmp_path, env=without)
    # Progress of a slow run stands before a message on its line, and is overwritten by it; as text, it would be a line.
    lines = [line.rpartition("\r")[2] for line in run.stderr.decode().rstrip("\n").split("\n")]
    assert lines[1::2] == ["2"] * len(commands)
    for line in lines[::2]:
        assert module in line and f"pip install 'ssm-compiler[{extra}]'" in line
    assert not list(tmp_path.iterdir())
