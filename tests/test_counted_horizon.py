"""Counters on any model that is stepped: proved up to a length by guessed states, and never beyond what is right."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import CounterMachine, Move
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.target import TARGETS
from verify.checkpoints.checkpoint_search import runs_wrong
from verify.checkpoints.counted_horizon import prove_along_lines
from verify.checkpoints.guessed_states import follow_guessed
from verify.checkpoints.search import _with_ways
from verify.decision import EXPRESSIBLE, decide
from verify.methods.machine_states import Interned
from verify.progress import NO_PROGRESS
from verify.verdict import Verdict

torch = pytest.importorskip("torch")
from constructions.mamba.certificate import certify  # noqa: E402
from constructions.mamba.stepping import as_outputs  # noqa: E402

DYCK = language("dyck-1").machine


class Tiny:
    """A model of a few numbers: the counts, and what a function makes of them.

    Args:
        machine: whose counters it has, and whose answers it gives.
        start: the numbers after BOS.
        step: from the numbers and a symbol's number to the next numbers.
        legal: from the numbers, and how many rows a step has, to the outputs.
    """

    arithmetic, conditions = "none", "a test"

    def __init__(self, machine, mode, start, step, given, batch=64):
        self.machine, self.mode, self.batch = machine, mode, batch
        self.alphabet = machine.alphabet
        self.outputs = (ACCEPT,) if mode == RECOGNISE else (*machine.alphabet, EOS)
        self.runner = SimpleNamespace(device=torch.device("meta"))
        self._start, self._step, self._answer = start, step, given
        self._rows, self._numbers = [], {}

    def with_batch(self, batch):
        return Tiny(self.machine, self.mode, self._start, self._step, self._answer, batch)

    def rows_with(self, numbers):
        found = []
        for values in map(tuple, np.asarray(numbers, dtype=float).tolist()):
            if values not in self._numbers:
                self._numbers[values] = len(self._rows)
                self._rows.append(values)
            found.append(self._numbers[values])
        return np.array(found, dtype=np.int32)[:, None]

    def numbers_in(self, rows):
        return np.array([self._rows[row] for row in rows[:, 0].tolist()])

    def begin(self, batch):
        rows = self.rows_with([self._start] * batch)
        return rows, self._given(rows[:, 0][:, None])

    def advance(self, rows, words):
        after = []
        for t in range(words.shape[1]):
            numbers = [self._step(self._rows[row], a) for row, a in zip(rows[:, 0].tolist(), words[:, t].tolist())]
            rows = self.rows_with(numbers)
            after.append(rows[:, 0])
        return rows, self._given(np.stack(after, axis=1))

    def _given(self, rows):
        names = [[self._answer(self._rows[row], self.batch) for row in part] for part in rows.tolist()]
        return as_outputs(np.array([[[name in found for name in self.outputs] for found in part] for part in names]))


def counts(numbers, symbol):
    """One number, which counts brackets, and one that is the last symbol."""
    return numbers[0] + (1, -1)[symbol], float(symbol)


def brackets(numbers, rows):
    return {"(", ")"} if numbers[0] > 0 else {"(", EOS}


def proved(step=counts, given=brackets, start=(0.0, 2.0), machine=DYCK, mode=PREDICTIVE, limit=2_000):
    model = Tiny(machine, mode, start, step, given)
    return prove_along_lines(machine, model, mode, limit=limit)


def test_what_counts_is_proved_up_to_a_length_and_to_a_count():
    verdict = proved()
    assert verdict.outcome == "proved" and verdict.method == "counting" and 450 < verdict.horizon < 520
    assert f"keeps its counters below {verdict.horizon}" in verdict.reason
    further = proved(limit=4_000)
    assert further.horizon > 1.9 * verdict.horizon
    assert verdict.explored["transitions"] <= 2_100 and verdict.explored["lines"] == 2


@pytest.mark.parametrize("symbol", [0, 1])
def test_what_is_wrong_at_one_count_after_one_symbol_is_found(symbol):
    def given(numbers, rows):
        return set() if numbers == (300, symbol) else brackets(numbers, rows)

    verdict = proved(given=given)
    assert verdict.outcome == "refuted" and verdict.witness.word == tuple("(" * 300 if symbol == 0 else "(" * 301 + ")")
    below = proved(given=given, limit=1_000)
    assert below.outcome == "proved" and below.horizon < 300


def test_what_is_given_besides_is_wrong_too():
    assert proved(
        given=lambda numbers, rows: brackets(numbers, rows) | ({EOS} if numbers[0] == 200 else set())
    ).outcome == ("refuted")


def test_a_count_that_sticks_ends_the_horizon():
    def sticks(numbers, symbol):
        return min(numbers[0] + (1, -1)[symbol], 200.0), float(symbol)

    verdict = proved(step=sticks)
    right = Tiny(DYCK, PREDICTIVE, (0.0, 2.0), sticks, brackets)
    assert runs_wrong(DYCK, right, PREDICTIVE, tuple("(" * 201 + ")" * 200)) is not None
    assert verdict.outcome == "proved" and 200 <= verdict.horizon < 401
    below = int(verdict.reason.partition("counters below ")[2].partition(":")[0])
    assert below <= 201


def test_a_mistake_that_only_a_batch_makes_refutes_nothing():
    verdict = proved(given=lambda numbers, rows: set() if numbers[0] == 300 and rows > 1 else brackets(numbers, rows))
    assert verdict.outcome == "proved" and verdict.horizon == 299 and "counters below 299" in verdict.reason


def test_the_empty_word_is_compared():
    def given(numbers, rows):
        return {"("} if numbers[1] == 2 else brackets(numbers, rows)

    verdict = proved(given=given)
    assert verdict.outcome == "refuted" and verdict.witness.word == ()


def test_states_off_the_lines_are_stepped_when_they_come():
    def noisy(numbers, symbol):
        count, last = counts(numbers, symbol)
        return count, last, float(count % 59 == 58)

    verdict = proved(step=noisy, start=(0.0, 2.0, 0.0))
    assert verdict.outcome == "proved" and verdict.horizon > 400
    plain = proved(step=lambda numbers, symbol: (*counts(numbers, symbol), 0.0), start=(0.0, 2.0, 0.0))
    assert verdict.explored["joint states"] > plain.explored["joint states"]


def test_the_way_begins_where_the_model_does():
    # It begins in a state that is like no other, and counts from 2 there: after "(" closing twice is legal.
    model = Tiny(DYCK, PREDICTIVE, (0.5, 2.0), lambda n, s: (2.0, 0.0) if n[0] == 0.5 else counts(n, s), brackets)
    model._answer = lambda numbers, rows: {"(", EOS} if numbers[0] == 0.5 else brackets(numbers, rows)
    states = Interned(DYCK, model.alphabet, model.outputs, PREDICTIVE)
    known = [states.number(("run", (count,))) for count in range(50)]
    rows = model.rows_with([(float(count), last) for last in (0.0, 1.0) for count in range(50)])
    found = follow_guessed(states, model, np.array(known * 2), rows, 40, NO_PROGRESS)
    assert found.wrong == ("(", ")") and found.length == 1


def test_what_closes_is_proved_at_every_length():
    states = Interned(DYCK, DYCK.alphabet, ("(", ")", EOS), PREDICTIVE)
    never = CounterMachine("one", ("a",), ("p",), ("n",), ("p", (0,)), (Move("p", "a", "*", "p", (0,)),), (("p", "0"),))
    model = Tiny(never, PREDICTIVE, (0.0,), lambda numbers, symbol: numbers, lambda numbers, rows: {"a", EOS})
    states = Interned(never, ("a",), model.outputs, PREDICTIVE)
    found = follow_guessed(states, model, np.zeros(1, dtype=int), model.rows_with([(0.0,)]), 5, NO_PROGRESS)
    assert found.length is None and found.within is None and found.wrong is None


def test_steps_that_are_longer_than_one_and_other_beginnings_are_counted_as_they_are():
    machine = language("boolean-3").machine
    adds = [max(move.add[0] for move in machine.moves if move.symbol == symbol) for symbol in machine.alphabet]
    adds = [add if symbol not in "01" else -1 for add, symbol in zip(adds, machine.alphabet)]

    def sticks(numbers, symbol):
        return (min(numbers[0] + adds[symbol], 100.0),)

    def given(numbers, rows):
        return set(machine.alphabet) if numbers[0] > 0 else {EOS}

    verdict = proved(sticks, given, (1.0,), machine)
    # 50 operators of arity 3 ask for 101 expressions.
    word = tuple("+" if adds[machine.alphabet.index("+")] == 2 else ">") * 50
    assert max(adds) == 2 and machine.fastest == 2
    assert verdict.outcome == "proved" and 49 <= verdict.horizon < 150
    assert (
        runs_wrong(machine, Tiny(machine, PREDICTIVE, (1.0,), sticks, given), PREDICTIVE, (*word, *"0" * 100))
        is not None
    )


def test_recognition_counts_on_where_nothing_is_a_word_any_more():
    def step(numbers, symbol):
        count = numbers[0] + (1, -1)[symbol]
        return count, float(numbers[1] or count < 0)

    def given(numbers, rows):
        return {ACCEPT} if numbers == (0, 0) else set()

    verdict = proved(step, given, (0.0, 0.0), mode=RECOGNISE)
    assert verdict.outcome == "proved" and verdict.horizon > 150 and "keeps its counters" not in verdict.reason
    late = proved(step, lambda n, rows: {ACCEPT} if n == (-100, 1) else given(n, rows), (0.0, 0.0), mode=RECOGNISE)
    assert late.outcome == "refuted" and late.witness.word == tuple(")" * 100)


def test_without_lines_nothing_is_said():
    halves = proved(step=lambda n, s: (n[0] + (1, -1)[s], n[1] / 3 + s))
    assert halves == "no lines of counts: the caches of short strings lie on none"
    few = proved(limit=30)
    assert isinstance(few, str) and "--limit" in few


@pytest.mark.parametrize(
    "name, mode, target", [("dyck-1", PREDICTIVE, "bamba"), ("anbn", RECOGNISE, "recurrent_gemma")]
)
def test_stock_models_are_proved_one_string_at_a_time(name, mode, target):
    machine = language(name).machine
    with build(compile(machine, mode, target=target), target).running() as model:
        verdict = prove_along_lines(machine, model, mode, limit=2_000)
    assert verdict.outcome == "proved" and verdict.horizon > 150
    assert "each with the bits of one string alone" in verdict.reason


def test_full_batches_are_run_where_rows_are_not_apart(monkeypatch):
    monkeypatch.setattr("constructions.mamba.rows_apart.with_rows_apart", lambda model, batch: None)
    with build(compile(DYCK, PREDICTIVE, target="bamba"), "bamba").running() as model:
        verdict = prove_along_lines(DYCK, model, PREDICTIVE, limit=2_000)
    assert verdict.outcome == "proved" and verdict.horizon > 150
    assert "steps of 1024 rows; nothing follows" in verdict.reason


def test_two_counters_are_proved_and_a_mistake_at_two_counts_is_found():
    machine = language("shuffle-2").machine

    def step(numbers, symbol):
        moved = [(1, 0), (-1, 0), (0, 1), (0, -1)][symbol]
        return numbers[0] + moved[0], numbers[1] + moved[1]

    def given(numbers, rows):
        return {"(", "[", *")" * (numbers[0] > 0), *"]" * (numbers[1] > 0), *(() if any(numbers) else (EOS,))}

    verdict = proved(step, given, (0.0, 0.0), machine, limit=5_000)
    assert verdict.outcome == "proved" and verdict.horizon > 44 and verdict.explored["lines"] >= 1
    late = proved(
        step, lambda n, rows: given(n, rows) - ({"]"} if n == (23, 21) else set()), (0.0, 0.0), machine, limit=5_000
    )
    assert late.outcome == "refuted" and len(late.witness.word) == 44
    # Around a mistake that only a batch makes there are longer ways.
    some = proved(
        step, lambda n, rows: given(n, rows) if n != (40, 0) or rows == 1 else set(), (0.0, 0.0), machine, limit=5_000
    )
    assert some.outcome == "proved" and some.horizon == 39


def test_where_a_format_counts_no_further_it_is_found():
    with build(compile(DYCK, PREDICTIVE, target="mamba"), "mamba", dtype="bfloat16").running() as model:
        verdict = prove_along_lines(DYCK, model, PREDICTIVE, limit=2_000)
    assert verdict.outcome == "refuted" and 128 < len(verdict.witness.word) < 2_000
    assert "wrong in steps of 1 row too" in verdict.reason


def test_other_ways_to_run_a_mamba_are_proved_as_far_as_its_certificate_goes():
    weights = build(compile(DYCK, PREDICTIVE, target="mamba"), "mamba").weights
    certificate = certify(weights)
    lines = Verdict("proved", "counting", PREDICTIVE, "float32", {}, "of lines", horizon=700)
    for horizon, least in ((50, 50), (900, 700), (None, 700)):
        found = _with_ways(lines, replace(certificate, horizon=horizon))
        assert found.horizon == least and f"up to {least} symbols" in found.ways[0].reason


def test_decide_says_how_far_a_mamba_counts():
    found = decide(language("dyck-1"), RECOGNISE, TARGETS.named("mamba"), limit=2_100)
    assert found.answer == EXPRESSIBLE and found.reason.startswith("proved by counting: up to ")
    ways = {way.name: way.outcome for way in found.verdict.ways}
    assert ways["prefill"] == ways["full forward"] == "proved" and found.verdict.horizon > 100
    assert "nothing follows" not in found.verdict.reason and "other batches give the same bits" in found.verdict.reason
