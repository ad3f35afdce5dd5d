"""Random words drawn many at once: like those drawn one by one, and expected of them is what the machine says."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verify.evidence.choices
from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import ACCEPT, MODES, PREDICTIVE, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.counter_machine import CounterMachine, Move, counter_machine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine
from verify.evidence import batches
from verify.evidence.batches import WordBatch, situations_along, walkable, word_batches
from verify.evidence.choices import Choices, Legal
from verify.evidence.sampling import WORD_KINDS, check_random, check_words, expect, random_streams, random_words
from verify.methods.bisimulation import Stepwise
from verify.testing.strategies import dfas
from verify.verdict import REFUTED, TESTED

TWO_CONTROLS = CounterMachine(
    "starts with two",
    ("a", "b"),
    ("up", "down"),
    ("x", "y"),
    ("up", (2, 0)),
    (
        Move("up", "a", "**", "up", (1, 2)),
        Move("up", "b", "+*", "down", (-1, 0)),
        Move("down", "b", "+0", "down", (-1, 0)),
        Move("down", "b", "++", "down", (0, -1)),
        Move("down", "a", "0+", "down", (0, -1)),
    ),
    (("down", "00"), ("down", "0+")),
)
"""Counters that begin above zero, and a move that adds to both."""


def partial_automaton(states, k) -> DFA:
    """Of each state another set of symbols is legal; state 0 is dead, and the others accept."""
    rng = np.random.default_rng(states)
    table = np.where(rng.random((states, k)) < 0.5, rng.integers(0, states, (states, k)), 0)
    table[0] = 0
    return DFA("abcdefghijklmnopqrstuvwxyz"[:k], table, range(1, states), 1)


MACHINES = {
    "d-3": language("d-3").dfa(),
    "unreachable and dead states": DFA("abc", [[1, 2, 3], [1, 1, 0], [2, 2, 2], [3, 0, 3]], [0, 3], 3),
    "tabulated dyck": DyckMachine(2, 4),
    "dyck": DyckMachine(3, 9),
    "deep dyck": DyckMachine(1, 10**9),
    "wide dyck": DyckMachine(40, 3),
    "very wide dyck": DyckMachine(130, 3),
    "no brackets": DyckMachine(2, 0),
    "partial": partial_automaton(60, 9),
    "flip-flop": FlipFlopMachine(),
    "recall": RecallMachine(2, 2),
    "copies": CopyMachine(3),
    "two controls": TWO_CONTROLS,
    **{name: counter_machine(name) for name in ("dyck-1", "shuffle-2", "shuffle-8", "boolean-3", "anbncn")},
}

machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)


def drawn(machine, count, longest, seed=0) -> list[tuple[str, tuple[str, ...]]]:
    """(kind, word) for each word."""
    walked = walkable(machine)
    found = word_batches(machine, walked, count, longest, np.random.default_rng(seed))
    return [(WORD_KINDS[batch.kinds[i]], batch[i]) for batch in found for i in range(len(batch))]


def right_along(machine, walked, batch, mode) -> None:
    """What is asked of every word is what the machine says, to where it says it."""
    along = situations_along(walked, batch, mode)
    for i in range(len(batch)):
        wanted = expect(machine, batch[i], mode)
        asked = along[:, i][along[:, i] >= 0]
        if mode == PREDICTIVE:
            given = tuple(walked.situations.legal[situation] for situation in asked)
        else:
            given = tuple(frozenset([ACCEPT] if walked.situations.accepting[situation] else []) for situation in asked)
        assert given == wanted.sets and (along[len(asked) :, i] == -1).all()


@machines
@pytest.mark.parametrize("mode", MODES)
def test_what_is_expected_is_what_the_machine_says(machine, mode):
    walked = walkable(machine)
    for batch in word_batches(machine, walked, 150, 60, np.random.default_rng(1)):
        right_along(machine, walked, batch, mode)


@settings(max_examples=40)
@given(dfas(), st.integers(0, 2**32), st.integers(0, 12), st.sampled_from(MODES))
def test_of_any_automaton(machine, seed, longest, mode):
    walked = walkable(machine)
    for batch in word_batches(machine, walked, 25, longest, np.random.default_rng(seed)):
        right_along(machine, walked, batch, mode)
        assert sorted(batch.kinds.tolist()) == sorted(i % 3 for i in range(25))
        assert (np.diff(batch.lengths) <= 0).all()


@st.composite
def counter_machines(draw) -> CounterMachine:
    """Machines of two controls and up to three counters; where a move applies is told by one counter or by none."""
    counters = draw(st.integers(0, 3))
    moves = []
    for control in "pq":
        for symbol in "ab":
            tested = draw(st.integers(-1, counters - 1))
            for test in "*" if tested < 0 else "0+":
                if draw(st.integers(0, 3)):
                    tests = "".join(test if i == tested else "*" for i in range(counters))
                    add = tuple(draw(st.integers(-1 if test == "+" and i == tested else 0, 2)) for i in range(counters))
                    moves.append(Move(control, symbol, tests, draw(st.sampled_from("pq")), add))
    accepting = draw(st.lists(st.tuples(st.sampled_from("pq"), st.text("0+*", min_size=counters, max_size=counters))))
    values = tuple(draw(st.integers(0, 2)) for _ in range(counters))
    return CounterMachine(
        "any", ("a", "b"), ("p", "q"), tuple("xyz"[:counters]), ("p", values), tuple(moves), tuple(accepting)
    )


@settings(max_examples=40)
@given(counter_machines(), st.integers(0, 2**32), st.sampled_from(MODES))
def test_of_any_counter_machine(machine, seed, mode):
    walked = walkable(machine)
    for batch in word_batches(machine, walked, 25, 12, np.random.default_rng(seed)):
        right_along(machine, walked, batch, mode)


def test_a_counter_that_grows_fast():
    """Beyond 16 bits after four symbols: it is above zero, and accepts, to the end."""
    moves = (Move("p", "a", "*", "p", (9000,)),)
    machine = CounterMachine("fast", ("a",), ("p",), ("x",), ("p", (0,)), moves, (("p", "+"),))
    for batch in word_batches(machine, walkable(machine), 9, 20, np.random.default_rng(0)):
        right_along(machine, walkable(machine), batch, MODES[0])


# -- the words ----------------------------------------------------------------------------------------


def alive(machine, word) -> int:
    """How many symbols of the word are legal where they stand."""
    return len(expect(machine, word, PREDICTIVE).sets) - 1


@machines
def test_walks_are_legal_and_words_with_an_error_are_one_change_from_a_walk(machine):
    words = drawn(machine, 300, 25)
    assert Counter(kind for kind, _ in words) == {kind: 100 for kind in WORD_KINDS}
    for kind, word in words:
        assert len(word) <= 25 + (kind == "one-error") and set(word) <= set(machine.alphabet)
        if kind == "valid":
            assert alive(machine, word) == len(word)
        if kind == "one-error" and (at := alive(machine, word)) < len(word) <= 12:
            mended = (
                (*word[:i], *put, *word[i + cut :])
                for i in range(at + 1)
                for cut in (0, 1)
                for put in ((), *((symbol,) for symbol in machine.alphabet))
            )
            assert any(alive(machine, other) == len(other) for other in mended)


@pytest.mark.parametrize("name", ["d-3", "dyck", "wide dyck", "recall", "shuffle-2", "shuffle-8", "partial", "anbncn"])
def test_distributed_as_those_that_are_drawn_one_by_one(name):
    """Kinds, lengths, how far words stay legal, and the symbols: each at about the same place of its distribution."""
    machine, count, longest = MACHINES[name], 1500, 30
    ours = drawn(machine, count, longest)
    theirs = list(zip(WORD_KINDS * (count // 3), random_words(machine, count, longest, np.random.default_rng(0))))
    measures = {
        "length": len,
        "legal": lambda word: alive(machine, word),
        "distinct symbols": lambda word: len(set(word)),
        "first symbol": lambda word: machine.alphabet.index(word[0]) if word else -1,
        "last symbol": lambda word: machine.alphabet.index(word[-1]) if word else -1,
        "runs": lambda word: sum(a == b for a, b in zip(word, word[1:])),
    }
    for kind in WORD_KINDS:
        one, other = ([word for k, word in words if k == kind] for words in (ours, theirs))
        assert len(one) == len(other) == count // 3
        for what, measure in measures.items():
            values = [np.bincount([1 + measure(word) for word in words], minlength=90) for words in (one, other)]
            # Kolmogorov and Smirnov: 1.95 sqrt(2 / n) is exceeded by chance once in a thousand; the seeds are fixed.
            distance = np.abs(np.cumsum(values[0]) - np.cumsum(values[1])).max() / (count // 3)
            assert distance < 1.95 * np.sqrt(2 / (count // 3)), (kind, what)


def test_the_error_is_anywhere_in_a_walk_that_ends_early():
    """The only word is ab: with any length asked for, an error is met at each of its places."""
    single = DFA("ab", [[1, 3], [3, 2], [3, 3], [3, 3]], [2])
    met = Counter("".join(word) for kind, word in drawn(single, 9000, 1000) if kind == "one-error")
    assert {word for word, times in met.items() if times > 20} == set("aab bab abb aba ab bb aa a b".split())


def test_the_seed_decides_and_long_tests_take_several_batches(monkeypatch):
    machine = DyckMachine(2, 3)
    assert drawn(machine, 50, 30, 5) == drawn(machine, 50, 30, 5) != drawn(machine, 50, 30, 6)
    monkeypatch.setattr(batches, "_POSITIONS", 500)
    words = drawn(machine, 50, 30, 5)
    assert Counter(kind for kind, _ in words) == {"valid": 17, "arbitrary": 17, "one-error": 16}


def test_no_word_and_no_length():
    machine = DyckMachine(2, 3)
    assert drawn(machine, 0, 10) == []
    assert {word for kind, word in drawn(machine, 30, 0) if kind != "one-error"} == {()}
    assert {len(word) for kind, word in drawn(machine, 30, 0) if kind == "one-error"} == {1}


def test_what_is_run_step_by_step():
    class Other(DyckMachine):
        pass

    assert walkable(Other(2, 3)) is walkable(DyckMachine(500, 3)) is walkable(counter_machine("shuffle-9")) is None
    assert walkable(CopyMachine(13)) is walkable(RecallMachine(5, 5)) is None
    assert walkable(Stepwise(DyckMachine(2, 3)).machine) is not None


# -- the test -----------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(dfas(), dfas(), st.integers(0, 2**32), st.sampled_from(MODES))
def test_counts_what_is_counted_word_by_word(machine, other, seed, mode):
    verdict = check_random(machine, Stepwise(other, mode), 80, 9, mode, seed=seed)
    words = [word for _, word in drawn(machine, 80, 9, seed)]
    twin = check_words(machine, Stepwise(other, mode), words, mode)
    assert (verdict.outcome, verdict.explored, verdict.reason) == (twin.outcome, twin.explored, twin.reason)
    if verdict.witness is not None:
        assert len(verdict.witness.word) == len(twin.witness.word) and verdict.witness.word in {
            word[:n] for word in words for n in range(len(word) + 1)
        }
        assert check_words(machine, Stepwise(other, mode), [verdict.witness.word], mode).witness == verdict.witness


@pytest.mark.parametrize("mode", MODES)
def test_over_chunks_of_time_and_with_symbols_in_another_order(mode, monkeypatch):
    machine = DFA("abc", [[1, 0, 2], [0, 2, 1], [2, 1, 3], [3, 3, 3]], [0])
    other = DFA("cab", [[2, 1, 0], [1, 0, 2], [3, 2, 1], [3, 3, 3]], [0])
    whole = check_random(machine, Stepwise(other, mode), 300, 50, mode)
    assert whole.outcome == TESTED and whole.explored["longest"] > 45
    monkeypatch.setattr("verify.evidence.sampling._CELLS", 1 << 10)
    assert check_random(machine, Stepwise(other, mode), 300, 50, mode).explored == whole.explored
    wrong = DFA("cab", [[2, 1, 0], [1, 0, 2], [3, 2, 1], [3, 3, 3]], [0, 1])
    for together in (1, 7):
        monkeypatch.setattr("verify.evidence.sampling._BATCH", together)
        verdict = check_random(machine, Stepwise(wrong, mode), 300, 50, mode)
        assert verdict.outcome == REFUTED
        twin = check_words(machine, Stepwise(wrong, mode), [verdict.witness.word], mode)
        assert twin.witness == verdict.witness and twin.explored["disagreements"] == 1


def test_other_machines_and_very_long_words_are_drawn_one_by_one(monkeypatch):
    class Other(DyckMachine):
        pass

    for machine, longest in ((Other(2, 3), 40), (DyckMachine(2, 3), batches.LONGEST + 1)):
        count = 6
        verdict = check_random(machine, Stepwise(machine), count, longest, PREDICTIVE, seed=3)
        streams = random_streams(machine, count, longest, np.random.default_rng(3))
        assert verdict.outcome == TESTED
        assert verdict.explored == check_words(machine, Stepwise(machine), streams, PREDICTIVE).explored


def test_a_word_of_a_batch_is_its_symbols_up_to_its_end():
    batch = WordBatch(("a", "b"), np.array([[1, 0], [0, 0]]), np.array([2, 1]), np.array([0, 1]))
    assert len(batch) == 2 and (batch[0], batch[1]) == (("b", "a"), ("a",))
    assert run(DFA("ab", [[0, 1], [1, 1]], [1]), batch[0]) == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("together", [False, True])
def test_legal_sets_as_cores_and_extras_are_drawn_from_as_they_are(seed, together, monkeypatch):
    """Each situation's core and extra are its legal symbols, and each of these is drawn as often as its weight says;
    likewise where all symbols are one core.
    """
    monkeypatch.setattr(verify.evidence.choices, "_MOST_BOUNDS", 0 if together else 1 << 20)
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 20))
    common = rng.random(k) < 0.5
    kinds = rng.integers(0, 4, 60)
    alone = np.eye(k, dtype=bool)[rng.integers(0, k, 60)]
    allowed = np.select(
        [kinds[:, None] == kind for kind in range(3)], [common | alone, common, alone], rng.random(k) < 0.5
    )
    legal = Legal(allowed)
    with_extra = legal.cores[legal.core]
    if together:
        assert (with_extra == allowed.any(axis=0)).all() and (legal.extra < 0).all()
        with_extra &= legal.allowed
    at = np.flatnonzero(legal.extra >= 0)
    assert not with_extra[at, legal.extra[at]].any()
    with_extra[at, legal.extra[at]] = True
    assert (with_extra == allowed).all()
    weights = rng.lognormal(0.0, 1.0, (3, k))
    choices, count = Choices(legal, weights), 20_000
    for situation in np.flatnonzero(allowed.any(axis=1))[:12].tolist():
        for word in range(3):
            drawn = choices.draw(np.full(count, situation), np.full(count, word), rng)
            wanted = weights[word] * allowed[situation] / weights[word][allowed[situation]].sum()
            found = np.bincount(drawn, minlength=k) / count
            assert not found[~allowed[situation]].any()
            assert (abs(found - wanted) < 5 * np.sqrt(wanted / count) + 1e-9).all()


@pytest.mark.parametrize("k, depth", [(8, 10), (32, 3), (64, 6), (250, 2)])
def test_legal_sets_of_brackets_share_their_core(k, depth):
    legal = walkable(DyckMachine(k, depth)).situations.choices
    assert len(legal.cores) <= 3 and (legal.extra >= 0).any() and legal.allowed is None


@pytest.mark.parametrize("random", [0.0, np.nextafter(np.float32(1), np.float32(0))])
def test_no_number_leads_to_a_symbol_that_is_not_legal(random, monkeypatch):
    """The least and the greatest number that is drawn, with sums of weights that are rounded."""

    class Always:
        def random(self, size, dtype):
            return np.full(size, random, dtype=dtype)

    monkeypatch.setattr(verify.evidence.choices, "_MOST_BOUNDS", 0)
    allowed = np.random.default_rng(0).random((200, 12)) < 0.3
    weights = np.random.default_rng(1).lognormal(0.0, 2.0, (200, 12))
    drawn = Choices(Legal(allowed), weights).draw(np.arange(200), np.arange(200), Always())
    some = allowed.any(axis=1)
    assert not some.all() and allowed[some, drawn[some]].all() and (0 <= drawn).all() and (drawn < 12).all()
