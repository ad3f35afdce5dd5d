"""Boxes of loose numbers: models whose numbers drift are proved where that never matters, and only there."""

import dataclasses
from collections import Counter, deque
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from automata.dfa import DFA  # noqa: E402 - torch first
from automata.machine import RECOGNISE  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402
from tests.targets_matrix import Cell, corrupted, machine_of, wrong  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.checkpoints.loose_numbers import _beyond, _Box, _halved, _Search, prove_by_loose_numbers  # noqa: E402
from verify.verdict import PROVED, Verdict  # noqa: E402

BOS, EOS, A, B = range(4)


class Toy(torch.nn.Module):
    """A model of two symbols whose state is a row of numbers; a step is a function of it and of whether b is read."""

    def __init__(self, begun, step):
        super().__init__()
        self.begun, self.made = torch.tensor([begun]), step

    def forward(self, tokens):
        self.kept, logit = self.made(self.kept, (tokens == B).float()[:, :1])
        return torch.cat([torch.zeros(len(tokens), 1), logit, torch.zeros(len(tokens), 2)], 1)


class ToyRunner:
    arithmetic, conditions, device, attending = "float32", "a toy", torch.device("cpu"), ()

    def __init__(self, begun, step, first):
        self.model, self._first = Toy(begun, step), first
        self._made = self.model.made

    def start(self, tokens):
        self.model.kept = self.model.begun.repeat(len(tokens), 1)
        return torch.tensor([[0.0, self._first, 0.0, 0.0]]).repeat(len(tokens), 1)

    def step(self, tokens):
        return self.model(tokens)

    def caches(self):
        return [[self.model.kept]]

    def counts_of_steps(self):
        return []


ALL = DFA("ab", [[0, 0]], [0])
NO_B = DFA("ab", [[0, 1], [1, 1]], [0])


def found(begun, step, machine=ALL, reading=Reading(), first=1.0, limit=5_000, prove=prove_by_loose_numbers):
    vocabulary = Vocabulary("ab", ("<accept>",), (A, B), BOS, EOS)
    model = SteppedMamba(ToyRunner(begun, step, first), vocabulary, 1, reading)
    return prove(machine, model, RECOGNISE, limit=limit)


def is_proof(verdict):
    return isinstance(verdict, Verdict) and verdict.outcome == PROVED


def proved(*args, **how):
    return is_proof(found(*args, **how))


def counting(least):
    """A count that is read once it is greater than a number."""
    return lambda x, b: (x + 1, least - x)


@pytest.mark.parametrize("least, right", [
    (2.0**24 + 2, True), (2.0**24, False), (2.0**24 - 1, False), (2.0**22, False), (2.0**16, False), (1000.0, False),
])  # fmt: skip
def test_a_count_that_is_read_some_day_is_never_proved(least, right):
    assert proved([1.0], counting(least)) == right


@pytest.mark.parametrize("step, right", [
    (lambda x, b: (x * 0.5, x + 1), True),
    (lambda x, b: (x * 0.5, x), False),
    (lambda x, b: (x * 0.5, x - 2.0**-140), False),
    (lambda x, b: (x * 0.5 + 64 * b, 128.5 - x), True),
    (lambda x, b: (x * 0.5 + 64 * b, 127.9 - x), False),
    (lambda x, b: (x * 0.999, x - 1e-3), False),
])  # fmt: skip
def test_a_memory_that_fades_is_proved_where_all_of_it_may(step, right):
    assert proved([1.0], step) == right


def walking(until):
    """An exponent that walks down by 256 to -2^32, and what is written once it is below."""

    def step(x, b):
        exponent, kept = x[:, :1], x[:, 1:]
        later = torch.maximum(exponent - 200, torch.full_like(exponent, -(2.0**32)))
        write = torch.full_like(exponent, until)
        greatest = torch.maximum(exponent, write)
        kept = torch.exp(exponent - greatest) * kept + torch.exp(write - greatest) * 3
        return torch.cat([later, kept], 1), 2.5 - kept

    return step


def test_an_exponent_that_walks_down_is_cut_where_it_matters():
    assert proved([-(2.0**32) + 2.0**28, 1.0], walking(-(2.0**33)))
    late = found([-(2.0**32) + 2.0**28, 1.0], walking(-(2.0**32) + 2.0**10))
    assert isinstance(late, str)


def mean(value, threshold, zero=0.0):
    """A numerator and a denominator that count, and what they give."""

    def step(x, b):
        numerator, denominator = x[:, :1] + value, x[:, 1:] + 1
        return torch.cat([numerator, denominator], 1), threshold - numerator / denominator

    return step


@pytest.mark.parametrize("begun, value, threshold, right", [
    ([0.0, 1.0], 1.0, 1.5, True),
    ([0.0, 1.0], 1.0, 0.999, False),
    ([1.0, 1.0], 1.0, 1.1, True),
    ([1.0, 1.0], 1.0, 1.0, False),
    ([1.0, 2.0], 2.0, 1.9, False),
    ([1.0, 2.0], 2.0, 2.1, True),
    ([-1.0, 1.0], -1.0, -0.9, True),
])  # fmt: skip
def test_a_mean_whose_numbers_both_count_is_proved_by_how_they_stay_beside_each_other(begun, value, threshold, right):
    assert proved(begun, mean(value, threshold)) == right


def test_each_state_of_the_machine_has_boxes_of_its_own():
    # Number of b so far, which counts for ever: 0 is accepted, and no other.
    assert proved([0.0], lambda x, b: (x + b, 0.5 - (x + b)), NO_B)
    assert not proved([0.0], lambda x, b: (x + b, 1.5 - (x + b)), NO_B)
    assert not proved([0.0], lambda x, b: (x + b, 0.5 - (x + b)), ALL)
    assert not proved([0.0], lambda x, b: (x + b, 1e9 - x), NO_B)
    assert not proved([0.0], lambda x, b: (x + b, 0.5 - (x + b) + 2 * torch.relu(x - 1000)), NO_B)


def test_outputs_are_read_above_the_threshold_off_logits_alone():
    def step(x, b):
        return x + 1, x * 0 + 0.5

    assert proved([1.0], step)
    assert not proved([1.0], step, reading=Reading("logit", 0.5))
    assert not proved([1.0], step, reading=Reading("softmax", 0.1))
    assert not proved([1.0], step, first=-1.0)
    assert "limit" in found([1.0], counting(2.0**25), limit=3)


def test_numbers_that_are_not_finite_are_not_looked_into():
    assert not proved([1.0], lambda x, b: (x * 2, x * 0 + 1))
    assert not proved([float("inf")], lambda x, b: (x, torch.ones_like(x)))


def test_parts_of_a_box_have_all_its_states_once():
    rng = np.random.default_rng(0)
    none = np.zeros((0, 2))
    for _ in range(100):
        ends = np.sort(rng.integers(-4, 5, (4, 3)).astype(np.float32), axis=0)
        outer, inner = _Box(ends[0], ends[3], none), _Box(ends[1], ends[2], none)
        parts = list(_beyond(outer, inner))
        states = np.array(list(product(range(-4, 5), repeat=3)), dtype=np.float32)

        def has(box, states=states):
            return ((box.low <= states) & (states <= box.high)).all(axis=1).astype(int)

        assert (sum(map(has, parts), np.zeros(len(states), dtype=int)) == has(outer) - has(inner)).all()
        if (outer.low != outer.high).any():
            halves = _halved(outer, np.ones(3, dtype=bool))
            assert (sum(map(has, halves)) == has(outer)).all()
            below, above = halves
            cut = below.high != outer.high
            assert cut.sum() == 1 and (np.nextafter(below.high[cut], np.float32(np.inf)) == above.low[cut]).all()


def test_a_box_of_which_less_is_known_is_stepped_as_a_whole():
    search = object.__new__(_Search)
    search.free, search.boxes, search._grown, search._waiting = np.ones(2, dtype=bool), {}, Counter(), deque()
    low, high = np.array([1, 1], dtype=np.float32), np.array([4, 4], dtype=np.float32)
    search._arrive(0, _Box(low, high, np.array([[1.0, 2.0]])))
    search._waiting.clear()
    search._arrive(0, _Box(low, high, np.array([[1.0, 2.0]])))
    assert not search._waiting
    search._arrive(0, _Box(low, high, np.array([[0.5, 2.0]])))
    ((_, whole),) = search._waiting
    assert (whole.low == low).all() and (whole.high == high).all() and whole.ratios.tolist() == [[0.5, 2.0]]


def damaged(target, number):
    cell = Cell("corrupted", target, str(number), RECOGNISE)
    machine = machine_of(cell)
    built = build(compile(machine, RECOGNISE, target=target, dtype="float32"), target, dtype="float32")
    weights, _ = corrupted(built.weights, np.random.default_rng([1, number]))
    return machine, dataclasses.replace(built, weights=weights)


@pytest.mark.parametrize("target, number", [
    ("rwkv", 3),
    ("rwkv", 75),
    *(pytest.param(*one, marks=pytest.mark.slow) for one in (
        ("rwkv", 99), ("rwkv", 24), ("xlstm", 38), ("xlstm", 60), ("bailing_hybrid", 98), ("qwen3_next", 143),
        ("qwen3_5_text", 143),
    )),
])  # fmt: skip
def test_damaged_models_whose_numbers_drift_are_proved(target, number):
    machine, built = damaged(target, number)
    with built.running() as model:
        verdict = prove_by_loose_numbers(machine, model, RECOGNISE, limit=5_000)
        assert verdict.outcome == PROVED
        assert "numbers known by bounds and the others to the bit" in verdict.reason
        words, rows = list(product(machine.alphabet, repeat=5)), built.target.architecture.most_rows
        assert not wrong(machine, model, words, rows)


def test_what_is_not_looked_into_stays_undecided():
    machine, built = damaged("rwkv", 71)
    with built.running() as model:
        assert "no closed boxes of loose numbers" in prove_by_loose_numbers(machine, model, RECOGNISE, limit=30)


@pytest.mark.slow
def test_check_looks_for_them_in_a_folder(tmp_path, capsys):
    machine, built = damaged("xlstm", 60)
    built.target.save(built.weights, tmp_path / "xlstm")
    command = ["check", str(tmp_path / "xlstm"), "--language", "tomita-1", "--mode", "recognise", "--strings", "50"]
    assert main([*command, "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "proved" in printed and "3 of 336 numbers known by bounds" in " ".join(printed.split())
