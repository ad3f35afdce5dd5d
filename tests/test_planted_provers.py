"""What provers with a planted fault believe falsely, the checker does not: a slice of ``make certificates-attack``."""

import copy
from dataclasses import replace
from itertools import islice

import pytest
from planted_models import MODELS
from planted_provers import BASES, TOGETHER, Row, Tree, by_hand, edited, faults, keep_row, known_rows, of_base, rows_of
from recorded_proofs import language_as_run
from truth import falsehood, slow_model

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import MODES, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.paper.parity_models import rounding_parity
from constructions.ssm.arithmetic import Arithmetic
from tests.certificates import certified
from tests.test_certificate import refuted_parity
from verify.certificate.document import AT_MOST_STAR_FREE, WRONG, language_object, model_object
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.verdict import PROVED

AT_ONCE = (
    "BOS leads into the entry of the start",
    "counters at 0 are no case",
    "the closed cell may become anything",
    "the register need not stay at 1",
    "the chart of a proof nests",
    "a relu may not round a fraction of a counter",
)
"""One fault in each of six files: in the relation, both inductions, the search, the proof by levels, and the audit."""

SHORTER = {"the register need not stay at 1": ("tests/test_sticky.py::test_a_gate_that_forgets_or_flips",)}
"""Tests that are enough, of the many that are named with a fault."""


def at_once() -> list:
    """The faults, each with few tests."""
    return [replace(fault, tests=SHORTER.get(why, fault.tests)) for why in AT_ONCE for fault in faults(why)]


def test_faults_in_six_provers_at_once(tmp_path):
    with Tree(tmp_path) as tree:
        found = tree.planted(*at_once(), enough=40)
    methods = {method for method, _ in found.false}
    assert methods == {"relation", "induction", "search", "levels", "bound"}
    assert len(found.answers) == len(found.false) and found.believed == 0


@pytest.mark.slow
def test_without_a_fault_nothing_false_is_believed(tmp_path):
    with Tree(tmp_path) as tree:
        assert tree.false_proofs(at_once(), 1)[:2] == ([], "")


@pytest.mark.parametrize("number", range(len(BASES)), ids=lambda number: " ".join(BASES[number][:2]))
def test_every_base_can_be_changed(number):
    assert [method for method, _ in islice(of_base(number, ("search", "bound")), 4)] == ["search", "bound"] * 2


def test_every_fault_has_models_that_are_tried():
    for fault in faults():
        assert next(edited(fault.file), None) is not None, fault.file


def test_models_made_for_a_file_are_not_believed_without_a_fault():
    assert set(MODELS) <= {fault.file for fault in faults()}
    for file in MODELS:
        for method, make in by_hand(file):
            try:
                found = make()
            except InputError:  # numbers beyond what models may have
                continue
            assert found is None or falsehood(found) == "", (file, method)


def test_faults_that_hide_each_other_are_planted_at_once():
    rows = rows_of()
    assert [sorted(fault.why for fault in row) for row in rows if len(row) > 1] == [sorted(some) for some in TOGETHER]
    assert len(rows) == len(faults()) + len(TOGETHER)
    assert all(len({fault.file for fault in row}) == len(row) for row in rows)


def test_rows_are_kept_and_those_of_other_sources_are_not_used(tmp_path):
    row = Row((("search", "wrong on 1 symbols: a"),), ((1, "FAILED: closed"), ("none", "none: why")), "", 1.5)
    for sources, key in (("one", "a"), ("one", "b"), ("other", "c")):
        keep_row(tmp_path / "new" / "rows", sources, key, row)
    assert known_rows(tmp_path / "new" / "rows", "one") == {"a": row, "b": row}
    assert known_rows(tmp_path / "none", "one") == known_rows(None, "one") == {} and row.believed == 0


@pytest.mark.parametrize(
    "word, mode", [("flip-flop", "predictive"), ("tomita-4", RECOGNISE), ("dyck-2-2", "predictive")]
)
def test_the_language_that_a_model_seems_to_have(word, mode):
    """Where nothing is wrong it is the one that it has."""
    machine = language(word).machine
    seems = language_as_run(build(compile(machine, mode)).weights)
    assert bisimulation(machine, Stepwise(seems, mode), mode).outcome == PROVED


# -- the truth ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("word", ["flip-flop", "dyck-2-2", "anbn", "boolean-3", "shuffle-2", "tomita-4", "d-3"])
def test_what_is_true_is_not_called_false(word, mode):
    found = certified(word, mode)
    assert falsehood(found) == ""
    wrong = copy.deepcopy(found)
    wrong["model"]["readout"]["bias"] = [-(1 << 20)] * len(found["model"]["outputs"])
    assert falsehood(wrong).startswith("wrong on ")


def test_a_horizon_that_is_too_long_is_false():
    found = certified("anbn", RECOGNISE, "float16")
    assert falsehood(found) == ""
    assert falsehood({**found, "horizon": None}).startswith("wrong on 4101 symbols")


def test_a_string_on_which_the_model_is_right():
    found = refuted_parity(3)
    assert found["claim"] == WRONG and falsehood(found) == ""
    found["evidence"]["word"]["parts"][0][1] += 1
    assert falsehood(found).startswith("right on its ")


def test_a_model_of_parity_has_no_bound():
    ssm = rounding_parity(Arithmetic("fixed", 3))
    found = {"claim": AT_MOST_STAR_FREE, "model": model_object(ssm)}
    assert "alternate" in falsehood(found) or "period" in falsehood(found)
    right = {"claim": "computes", "horizon": None, "language": language_object(language("parity").dfa())}
    assert falsehood({**right, "model": model_object(ssm)}) == ""


def test_extreme_numbers_are_run_as_they_are():
    """The slow model takes the least integer, which the engine refuses."""
    found = certified("flip-flop", RECOGNISE)
    found["model"]["layers"][0]["initial"]["values"][0] = -(2**63)
    assert slow_model(found["model"]).begin()[0][0].dtype == object
