"""The theorems of verify/coq/theorems: Coq accepts every one, and none assumes anything."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

COQ = Path(__file__).parent.parent / "verify" / "coq"
FILES = sorted((COQ / "theorems").glob("*.v"))


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> str:
    """What Coq prints when it checks a copy of all files."""
    if shutil.which("coqc") is None:
        pytest.skip("coqc is not installed")
    copy = tmp_path_factory.mktemp("coq") / "coq"
    shutil.copytree(COQ, copy, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".*.aux"))
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    done = subprocess.run(["make", "-C", str(copy / "theorems")], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def code(file: Path) -> str:
    """A file without its comments, which do not nest here."""
    return re.sub(r"\(\*.*?\*\)", "", file.read_text(), flags=re.S)


@pytest.mark.slow
def test_every_theorem_is_closed(checked):
    asked = sum(code(file).count("Print Assumptions") for file in FILES)
    assert asked > 0 and checked.count("Closed under the global context") == asked


def test_nothing_is_admitted_and_every_file_is_in_the_makefile_and_the_list():
    listed, made = ((COQ / "theorems" / name).read_text() for name in ("README.md", "Makefile"))
    assert {f"{name}.v" for name in re.search("^files := (.*)$", made, re.M)[1].split()} == {
        file.name for file in FILES
    }
    for file in FILES:
        assert not re.search(
            r"\b(Admitted|admit|Axiom|Axioms|Parameter|Parameters|Conjecture|give_up)\b", code(file)
        ), file.name
        assert f"]({file.name})" in listed
        # The assumptions of every theorem are printed, and the list names theorems of the file.
        stated = re.findall(r"^Theorem (\w+)", code(file), re.M)
        assert stated and all(f"Print Assumptions {name}." in code(file) for name in stated)
        row = next(line for line in listed.splitlines() if f"]({file.name})" in line)
        assert set(re.findall(r"`(\w+)`", row)) <= set(stated)
