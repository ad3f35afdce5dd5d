"""Long words of counter machines: drawn and judged many symbols at once, as one by one."""

from collections import Counter
from itertools import accumulate

import numpy as np
import pytest

from automata.machine import EOS, MODES, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES, CounterMachine, Move, counter_machine
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.evidence import long_runs, long_words
from verify.evidence.long_runs import situations_of_words
from verify.evidence.sampling import check_long, check_words, expect, random_words
from verify.verdict import REFUTED, TESTED

every_language = pytest.mark.parametrize("name", (*NAMES, "shuffle-9", "boolean-1"))
both_modes = pytest.mark.parametrize("mode", MODES)

FORGETFUL = CounterMachine(
    name="forgetful",
    alphabet=("a", "b"),
    controls=("even", "odd"),
    counters=("left",),
    initial=("even", (0,)),
    moves=(
        Move("even", "a", "*", "odd", (1,)),
        Move("odd", "a", "*", "even", (2,)),
        Move("odd", "b", "+", "odd", (-1,)),
        Move("odd", "b", "0", "even", (3,)),
        Move("even", "b", "+", "even", (-1,)),
    ),
    accepting=(("even", "0"),),
)
"""What a symbol adds, and where it leads, depends on the control and the sign."""


def names_of(machine, words):
    return [tuple(machine.alphabet[i] for i in word.tolist()) for word in words]


def drawn(machine, count, length, seed=0):
    return list(long_words.long_words(machine, count, length, np.random.default_rng(seed)))


@pytest.fixture(params=[(1, 1), (2, 3), (64, 1 << 14)], ids=str)
def sizes(request, monkeypatch):
    """However many symbols are read at once."""
    for name, size in zip(("_LEAST", "_MOST"), request.param):
        monkeypatch.setattr(long_runs, name, size)


def machine_of(name):
    return FORGETFUL if name == "forgetful" else counter_machine(name)


@both_modes
@pytest.mark.parametrize("name", (*NAMES, "shuffle-9", "boolean-1", "forgetful"))
def test_situations_are_those_of_single_steps(name, mode, sizes):
    machine = machine_of(name)
    words = [*names_of(machine, drawn(machine, 30, 80)), *random_words(machine, 90, 40, np.random.default_rng(1))]
    places = {symbol: i for i, symbol in enumerate(machine.alphabet)}
    situations, along = situations_of_words(machine, [np.array([places[s] for s in w], dtype=int) for w in words], mode)
    for word, numbers in zip(words, along.T.tolist()):
        wanted = expect(machine, word, mode).sets
        asked = [number for number in numbers if number >= 0]
        assert numbers == [*asked, *[-1] * (len(numbers) - len(asked))]
        if mode == PREDICTIVE:
            assert [situations.legal[number] for number in asked] == list(wanted)
        else:
            assert [situations.accepting[number] for number in asked] == [bool(answer) for answer in wanted]


@pytest.mark.parametrize("name", (*NAMES, "shuffle-9", "boolean-1", "forgetful"))
def test_walks_take_legal_symbols_and_end_where_a_word_may(name, sizes):
    machine = machine_of(name)
    complete = 0
    for number, word in enumerate(names_of(machine, drawn(machine, 40, 150))):
        if number % 3 == 2:
            continue
        states = list(accumulate(word, machine.step, initial=machine.initial))
        assert None not in states and len(word) <= 150
        complete += machine.accepts(states[-1])
        if not machine.accepts(states[-1]) and len(word) < 150:
            assert not machine.legal(states[-1]) - {EOS}
    assert complete > 10


def test_few_views_are_kept(monkeypatch):
    machine = counter_machine("shuffle-9")
    words = drawn(machine, 3, 400)
    known, along = situations_of_words(machine, words, PREDICTIVE)
    monkeypatch.setattr(long_runs, "_NUMBERS", 4 * 18 * 9)
    assert [word.tolist() for word in drawn(machine, 3, 400)] == [word.tolist() for word in words]
    found, again = situations_of_words(machine, words, PREDICTIVE)
    assert found.legal == known.legal and np.array_equal(along, again)
    run, place = long_runs.LongRun(machine), 0
    while place < len(words[0]):
        place += run.read(words[0][place : place + run.ahead])
        assert len(run._views) <= 4


def test_every_third_word_has_one_symbol_changed(monkeypatch):
    machine = counter_machine("dyck-1")
    monkeypatch.setattr(long_words, "_walk", lambda *walk: iter([np.zeros(50, dtype=np.intp)]))
    assert [int((word != 0).sum()) for word in drawn(machine, 60, 500)] == [0, 0, 1] * 20


def test_a_word_over_one_letter_is_not_changed():
    machine = CounterMachine("a*", ("a",), ("run",), ("n",), ("run", (0,)), (Move("run", "a", "*", "run", (1,)),), ())
    assert [set(word.tolist()) for word in drawn(machine, 3, 20)] == [{0}] * 3


def one_by_one(machine, length, turn, wandering, rng):
    """A walk as it is defined: each symbol is drawn after the one before it was read."""
    raises = {move.symbol: sum(move.add) for move in machine.moves}
    state, word = machine.initial, []
    for place in range(length):
        legal = machine.legal(state)
        symbols = sorted(legal - {EOS})
        if not symbols or (place >= turn and EOS in legal):
            break
        best = (max if place < turn else min)(raises[symbol] for symbol in symbols)
        if rng.random() >= wandering:
            symbols = [symbol for symbol in symbols if raises[symbol] == best]
        word.append(symbols[rng.integers(len(symbols))])
        state = machine.step(state, word[-1])
    return tuple(word)


@pytest.mark.parametrize("name", ["shuffle-2", "boolean-3", "anbncn", "forgetful"])
def test_walks_are_distributed_as_if_drawn_one_by_one(name):
    machine, count = machine_of(name), 6_000
    ways = np.random.default_rng(5), np.random.default_rng(6)

    def at_once(rng):
        return names_of(machine, [np.concatenate([*long_words._walk(machine, 6, 3, 0.5, rng)])])[0]

    first = Counter(at_once(ways[0]) for _ in range(count))
    second = Counter(one_by_one(machine, 6, 3, 0.5, ways[1]) for _ in range(count))
    # The distance of two samples of one distribution over so many words is about sqrt(words / count / 3).
    distance = sum(abs(first[word] - second[word]) for word in {*first, *second}) / count / 2
    assert distance < 1.5 * (len({*first, *second}) / count / 3) ** 0.5


@both_modes
@every_language
def test_long_words_are_counted_as_words_are(name, mode):
    machine = counter_machine(name)
    engine = Engine(lower(counter_cascade(name, mode), Arithmetic("exact")))
    words = names_of(machine, drawn(machine, 7, 3000))
    found = check_long(machine, engine, 7, 3000, mode)
    known = check_words(machine, engine, words, mode, method=found.method)
    assert found == known and found.outcome == TESTED and found.explored["strings"] == 7


@both_modes
def test_a_counter_that_ends_is_found(mode):
    machine = counter_machine("dyck-1")
    engine = Engine(lower(counter_cascade("dyck-1", mode), Arithmetic.parse("float16")))
    found = check_long(machine, engine, 3, 12_000, mode)
    known = check_words(machine, engine, names_of(machine, drawn(machine, 3, 12_000)), mode, method=found.method)
    assert found.outcome == REFUTED and found.explored["disagreements"] == known.explored["disagreements"]
    assert len(found.witness.word) == len(known.witness.word) > 4000


def test_no_word_is_no_evidence():
    machine = counter_machine("dyck-1")
    engine = Engine(lower(counter_cascade("dyck-1", RECOGNISE), Arithmetic("exact")))
    found = check_long(machine, engine, 0, 100, RECOGNISE)
    assert (found.outcome, found.reason, found.explored["strings"]) == (TESTED, "no string was tried", 0)
    empty = check_long(machine, engine, 4, 0, RECOGNISE).explored
    assert (empty["strings"], empty["symbols"], empty["positions compared"]) == (4, 0, 4)
