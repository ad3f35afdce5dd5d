"""Files that are made to keep the checker busy: each ends soon, with a verdict or with the bound on work."""

from __future__ import annotations

import resource

import pytest
from alone import alone

from automata.notation.expressions import parse_regex
from tests.certificates import FAILED, VERIFIED, checked
from tests.test_certificate import refuted_parity
from verify import checker
from verify.certificate.document import CERTIFICATE_FORMAT

LETTERS = "abcdefghij"


def everything(symbols) -> dict:
    """The automaton of all strings."""
    return {"dfa": {"symbols": list(symbols), "table": [[0] * len(symbols)], "accepting": [0], "start": 0}}


def affine(rows, bias) -> dict:
    return {"exponent": 0, "bias": bias, "rows": rows}


NOTHING = {"affine": affine([], []), "activation": "relu", "low": 0, "high": 0}
"""A stage without neurons."""


def layer(gate, increment, initial) -> dict:
    return {"initial": {"exponent": 0, "values": initial}, "gate": gate, "increment": increment, "phi": [NOTHING]}


def accepting(symbols, rows, layers) -> dict:
    """A recogniser that gives <accept> after every string."""
    return {
        "arithmetic": "exact",
        "symbols": list(symbols),
        "outputs": ["<accept>"],
        "embedding": {"exponent": 0, "rows": rows},
        "layers": layers,
        "readout": affine([[]], [1]),
    }


# -- expressions ----------------------------------------------------------------------------------------


def cycle(items: list) -> dict:
    evidence = {"cycle": {"u": [], "w": ["a"], "v": [], "period": 2}}
    language = {"regex": items, **everything("ab")}
    return {"format": CERTIFICATE_FORMAT, "claim": "not star-free", "language": language, "evidence": evidence}


def test_what_is_written_of_an_expression_is_paid_for():
    """Each complement is written around the last one."""
    status, printed = checked(cycle([["a"], *["~"] * 90_000]), seconds=60)
    assert status == FAILED and "operations" in printed


@pytest.mark.parametrize("text", ["(a|b)*", "(a|b){0,}", "[ab]*"])
def test_an_expression_of_all_strings(text):
    status, printed = checked(cycle(parse_regex(text, "ab").postfix()), seconds=60)
    assert status == FAILED and "all of these strings are words" in printed


def test_an_alphabet_is_gone_through_once():
    names = [f"s{i}" for i in range(200_000)]
    found = {**cycle([]), "language": everything(names)}
    found["evidence"]["cycle"]["w"] = names[:1]
    status, printed = checked(found, seconds=60)
    assert status == FAILED and "all of these strings are words" in printed


@alone
def test_an_operation_stores_no_more_than_a_byte():
    """Derivatives that are ever new sets of hundreds of terms; a machine of as many controls as a file may ask for; and
    64 counters, of which one grows for ever.
    """
    deep, wide = ({**cycle([]), "language": language} for language in ({"dyck": [1, 100_000]}, {"name": "shuffle-64"}))
    deep["evidence"]["cycle"]["w"] = wide["evidence"]["cycle"]["w"] = ["(a"]
    for found in (deep, wide, cycle(parse_regex("(a|b)*a(a|b){200}", "ab").postfix())):
        status, printed = checked(found, seconds=60, work=10**8)
        assert status == FAILED and "operations" in printed
        # In kilobytes, of all checks so far; Python itself takes 25 megabytes.
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10 < 10**8 + 25 * 10**6


# -- wide states and many layers ------------------------------------------------------------------------


def wide(width: int) -> dict:
    """Ten symbols, each of which turns one of the last bits of a state over: 1,024 states of so many coordinates."""
    count = len(LETTERS)
    rows = [[int(i == j) for j in range(count)] for i in range(count)] + [[0] * count]
    gate = affine([[]] * (width - count) + [[i, -2] for i in range(count)], [1] * width)
    increment = affine([[]] * (width - count) + [[i, 1] for i in range(count)], [0] * width)
    model = accepting(LETTERS, rows, [layer(gate, increment, [0] * width)])
    head = {"format": CERTIFICATE_FORMAT, "claim": "computes", "mode": "recognise", "horizon": None}
    evidence = {"closed": {"states": 2000, "dead": None}}
    return {**head, "language": everything(LETTERS), "model": model, "evidence": evidence}


def test_states_are_paid_for_by_their_width():
    assert checked(wide(10), seconds=60, work=10**7)[0] == VERIFIED
    status, printed = checked(wide(5000), seconds=60, work=3 * 10**7)
    assert status == FAILED and "operations" in printed


def test_steps_are_paid_for_by_the_layers():
    """A counter that goes on for 2^60 rounds, above 1,000 layers that do nothing."""
    counter = layer(affine([[]], [1]), affine([[]], [1]), [0])
    model = accepting("a", [[0], [0]], [counter, *[layer(affine([], []), affine([], []), [])] * 1000])
    evidence = {"word": {"parts": [[["a"], 1 << 60]]}}
    head = {"format": CERTIFICATE_FORMAT, "claim": "is wrong about", "mode": "recognise"}
    found = {**head, "language": everything("a"), "model": model, "evidence": evidence}
    status, printed = checked(found, seconds=60, work=10**7)
    assert status == FAILED and "operations" in printed


# -- numbers that go on growing -------------------------------------------------------------------------


def test_weights_of_a_stage_are_paid_for(monkeypatch):
    """Few neurons that read many: each new row before them goes through all of their weights."""
    many = affine([[0, 1]] * 5000, [0] * 5000)
    few = affine([[n for i in range(5000) for n in (i, 1 + k)] for k in range(10)], [0] * 10)
    counter = layer(affine([[]], [1]), affine([[]], [1]), [0])
    counter["phi"] = [{"affine": part, "activation": "relu", "low": 0, "high": 0} for part in (many, few)]
    model = accepting("a", [[0], [0]], [counter])
    monkeypatch.setattr(checker.Work, "left", 10**9)
    running = checker.Run(checker._Model(model))
    left = checker.Work.left
    running.stage(running.layers[0].stages[1], {}, ((0, 1),))
    assert left - checker.Work.left > 2 * 50_000


def test_what_a_layer_learns_is_paid_for_by_its_fractions(monkeypatch):
    """A power that no repetition cuts short: all of its rounds have new numbers, each of which takes thousands."""
    found = refuted_parity(3)
    found["evidence"]["word"]["parts"] = [[["1"], 1 << 62]]
    learned, learn = [], checker.Run.learn

    def counted(run, way, state):
        learned.append(state)
        return learn(run, way, state)

    monkeypatch.setattr(checker.Run, "learn", counted)
    monkeypatch.setattr(checker.Work, "left", 10**8)
    with pytest.raises(checker.Failed, match="operations"):
        checker._Claim(found).check()
    assert 1_000 < len(learned) < 10**8 / 5_000
