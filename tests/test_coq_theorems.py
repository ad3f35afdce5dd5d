"""The theorems of verify/coq/theorems: Coq accepts every one, none assumes anything, and their models are those that
are built here.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM

COQ = Path(__file__).parent.parent / "verify" / "coq"
FILES = sorted((COQ / "theorems").glob("*.v"))


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> tuple[Path, str]:
    """A copy of all files that Coq has checked, and what it printed."""
    if shutil.which("coqc") is None:
        pytest.skip("coqc is not installed")
    copy = tmp_path_factory.mktemp("coq") / "coq"
    shutil.copytree(COQ, copy, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".*.aux", ".*.cache"))
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    done = subprocess.run(["make", "-C", str(copy / "theorems")], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy, done.stdout


def code(file: Path) -> str:
    """A file without its comments, which do not nest here."""
    return re.sub(r"\(\*.*?\*\)", "", file.read_text(), flags=re.S)


@pytest.mark.slow
def test_every_theorem_is_closed(checked):
    asked = sum(code(file).count("Print Assumptions") for file in FILES)
    assert asked > 0 and checked[1].count("Closed under the global context") == asked


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


# -- the models of the theorems, number by number -----------------------------------------------------


def literal(model: SSM) -> str:
    """A model as a term of SSM.v."""
    return " ".join(
        (
            f"Model {model.arithmetic.unit_bits} {model.embedding_exponent}",
            listed(listed(map(number, row)) for row in model.embedding),
            listed(
                f"Layer {affine(layer.gate)} {affine(layer.increment)} {layer.initial_exponent} {listed(map(number, layer.initial))} "
                + listed(
                    f"({affine(mix.affine)}, {dict(relu='Relu', linear='Linear')[mix.activation]})" for mix in layer.phi
                )
                for layer in model.layers
            ),
            affine(model.readout),
        )
    )


def affine(map_) -> str:
    matrix = map_.matrix
    rows = zip(map_.bias, matrix.indptr, matrix.indptr[1:])
    return (
        f"(Affine {map_.exponent} "
        + listed(
            f"({number(bias)}, "
            + listed(f"({j}%nat, {number(v)})" for j, v in zip(matrix.indices[i:k], matrix.data[i:k]))
            + ")"
            for bias, i, k in rows
        )
        + ")"
    )


def listed(items) -> str:
    return f"[{'; '.join(items)}]"


def number(value) -> str:
    return f"({int(value)})"


def agrees(checked, file: str, term: str, model: str) -> bool:
    """Whether Coq finds that the term of a file is this very model."""
    path = checked[0] / "theorems" / "Comparison.v"
    path.write_text(
        f"From Verify Require Import SSM.\nFrom Verify.theorems Require Import {file}.\nRequire Import ZArith List.\n"
        f"Import ListNotations.\nOpen Scope Z_scope.\nGoal {term} = {model}.\nProof. vm_compute. reflexivity. Qed.\n"
    )
    done = subprocess.run(["coqc", "-Q", "..", "Verify", path.name], cwd=path.parent, capture_output=True, text=True)
    assert done.returncode == 0 or "Unable to unify" in done.stderr, done.stderr
    return done.returncode == 0


DYCK = [
    (1, 0),
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 7),
    (2, 0),
    (3, 0),
    (5, 0),
    (2, 1),
    (2, 2),
    (2, 3),
    (2, 5),
    (2, 10),
    (3, 1),
]
DYCK += [(3, 2), (4, 3), (5, 4), (6, 2), (7, 3), (8, 10), (9, 2), (16, 1), (17, 2), (33, 6)]


@pytest.mark.slow
@pytest.mark.parametrize("k, depth", DYCK)
def test_the_predictor_of_the_theorem_on_bounded_dyck_is_the_one_that_is_built(checked, k, depth):
    assert agrees(
        checked, "BoundedDyck", f"predictor {k} {depth}", literal(lower(bounded_dyck(k, depth), Arithmetic("exact")))
    )


@pytest.mark.slow
def test_one_wrong_number_is_seen(checked):
    model = lower(bounded_dyck(3, 2), Arithmetic("exact"))
    model.layers[1].phi[1].affine.bias[0] += 1
    assert not agrees(checked, "BoundedDyck", "predictor 3 2", literal(model))
