"""The theorems of verify/coq/theorems: Coq accepts all, none assumes anything, their models are those built."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer
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
    copy, printed = checked
    compiled = [file for file in copy.rglob("*.v") if file.with_suffix(".vo").exists()]
    assert {file.name for file in FILES} <= {file.name for file in compiled}
    asked = sum(code(file).count("Print Assumptions") for file in compiled)
    assert asked > 20 and printed.count("Closed under the global context") == asked


def test_nothing_is_admitted_and_every_file_is_in_the_makefile_and_the_list():
    listed, made = ((COQ / "theorems" / name).read_text() for name in ("README.md", "Makefile"))
    theorems, lemmas = (re.search(f"^{kind} := (.*)$", made, re.M)[1].split() for kind in ("theorems", "lemmas"))
    assert sorted(f"{name}.v" for name in theorems + lemmas) == [file.name for file in FILES]
    for file in FILES:
        assert not re.search(
            r"\b(Admitted|admit|Axiom|Axioms|Parameter|Parameters|Conjecture|give_up)\b", code(file)
        ), file.name
        assert f"]({file.name})" in listed
        # The assumptions of every theorem are printed, and the list names theorems of the file.
        stated = re.findall(r"^Theorem (\w+)", code(file), re.M)
        assert bool(stated) == (file.stem in theorems)
        assert all(f"Print Assumptions {name}." in code(file) for name in stated)
        row = next(line for line in listed.splitlines() if f"]({file.name})" in line)
        assert set(re.findall(r"`(\w+)`", row)) <= set(stated)


# -- the models of the theorems, number by number -----------------------------------------------------


def literal(model: SSM) -> str:
    """A model as a term of SSM.v."""
    embedding = listed(listed(map(number, row)) for row in model.embedding)
    layers = listed(map(layer_literal, model.layers))
    return f"Model {model.arithmetic.unit_bits} {model.embedding_exponent} {embedding} {layers} {affine(model.readout)}"


def layer_literal(layer: Layer) -> str:
    initial = f"{layer.initial_exponent} {listed(map(number, layer.initial))}"
    activations = {"relu": "Relu", "linear": "Linear"}
    phi = listed(f"({affine(mix.affine)}, {activations[mix.activation]})" for mix in layer.phi)
    return f"Layer {affine(layer.gate)} {affine(layer.increment)} {initial} {phi}"


def affine(map_: Affine) -> str:
    matrix, rows = map_.matrix, []
    for bias, first, end in zip(map_.bias, matrix.indptr, matrix.indptr[1:]):
        terms = zip(matrix.indices[first:end], matrix.data[first:end])
        rows.append(f"({number(bias)}, {listed(f'({column}%nat, {number(weight)})' for column, weight in terms)})")
    return f"(Affine {map_.exponent} {listed(rows)})"


def listed(items) -> str:
    return f"[{'; '.join(items)}]"


def number(value) -> str:
    return f"({int(value)})"


def agree(checked, file: str, pairs: list[tuple[str, str]]) -> bool:
    """Whether Coq finds that each term of a file is the model beside it."""
    path = checked[0] / "theorems" / "Comparison.v"
    head = f"From Verify Require Import SSM.\nFrom Verify.theorems Require Import {file}.\n"
    goals = (f"Goal {term} = {model}.\nProof. vm_compute. reflexivity. Qed.\n" for term, model in pairs)
    path.write_text(f"{head}Require Import ZArith List.\nImport ListNotations.\nOpen Scope Z_scope.\n{''.join(goals)}")
    done = subprocess.run(["coqc", "-Q", "..", "Verify", path.name], cwd=path.parent, capture_output=True, text=True)
    assert done.returncode == 0 or "Unable to unify" in done.stderr, done.stderr
    return done.returncode == 0


DYCK = [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 7), (2, 0), (2, 1), (2, 2), (2, 3), (2, 5), (2, 10)]
DYCK += [(3, 0), (3, 1), (3, 2), (4, 3), (5, 0), (5, 4), (6, 2), (7, 3), (8, 10), (9, 2), (16, 1), (17, 2), (33, 6)]
RUNS = {2: "anbn", 3: "anbncn", 4: "anbncndn"}
MODELS = [("FlipFlop", "predictor", flip_flop())]
MODELS += [("BoundedDyck", f"predictor {k} {depth}", bounded_dyck(k, depth)) for k, depth in DYCK]
MODELS += [("Shuffles", f"predictor {k}", counter_cascade(f"shuffle-{k}")) for k in (1, 2, 3, 4, 5, 6, 7, 12, 30)]
MODELS += [("Shuffles", "predictor 1", counter_cascade("dyck-1"))]
MODELS += [("BooleanExpressions", f"predictor {n}", counter_cascade(f"boolean-{n}")) for n in (1, 2, 3, 4, 5)]
MODELS += [("EqualRuns", f"predictor {n}", counter_cascade(name)) for n, name in RUNS.items()]


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted({file for file, _, _ in MODELS}))
def test_the_models_of_the_theorems_are_those_that_are_built(checked, file):
    pairs = [(term, literal(lower(cascade, Arithmetic("exact")))) for where, term, cascade in MODELS if where == file]
    assert agree(checked, file, pairs)


@pytest.mark.slow
def test_one_wrong_number_is_seen(checked):
    model = lower(bounded_dyck(3, 2), Arithmetic("exact"))
    model.layers[1].phi[1].affine.bias[0] += 1
    assert not agree(checked, "BoundedDyck", [("predictor 3 2", literal(model))])
