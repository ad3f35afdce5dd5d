"""Fading words: what a gate below 1 holds is gone after enough symbols that say nothing, and no random string does."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("transformers")

from automata.catalogue import language  # noqa: E402
from automata.dfa import DFA  # noqa: E402
from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE  # noqa: E402
from automata.machines.flip_flop import FlipFlopMachine  # noqa: E402
from constructions.mamba.forks import Forks  # noqa: E402
from constructions.mamba.gates import GateRange  # noqa: E402
from constructions.mamba.huggingface import random_model  # noqa: E402
from tests.soft_flip_flop import pre_activation, soft_flip_flop, stepped  # noqa: E402
from verify.checkpoints.checkpoint_search import search_checkpoint  # noqa: E402
from verify.commands.check_checkpoint import run_alone  # noqa: E402
from verify.evidence.accuracy import accuracy  # noqa: E402
from verify.evidence.sampling import check_words, expect, random_words  # noqa: E402
from verify.learned.fading import _Run, fading_words  # noqa: E402
from verify.learned.part import Part, part_of, short_loops  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

MACHINE = FlipFlopMachine()


def test_a_gate_below_1_is_found_where_random_strings_find_nothing():
    model = stepped(soft_flip_flop(pre_activation(0.99)))
    every = enumerate(random_words(MACHINE, 300, 1000, np.random.default_rng(0)))
    words = [word for number, word in every if number % 3 == 0]
    assert check_words(MACHINE, model.by_full_forward, words, PREDICTIVE).outcome == "tested"
    verdict = run_alone(MACHINE, model, fading_words(MACHINE, model, PREDICTIVE))
    assert verdict.outcome == "refuted" and 900 < len(verdict.witness.word) < 1200
    assert verdict.witness.expected == expect(MACHINE, verdict.witness.word, PREDICTIVE).sets[-1]
    assert verdict.witness.given != verdict.witness.expected


def test_a_gate_of_exactly_1_holds():
    model = stepped(soft_flip_flop())
    verdict = fading_words(MACHINE, model, PREDICTIVE)
    assert verdict.outcome == "tested" and "from where on the caches repeat" in verdict.reason
    assert verdict.explored["symbols of v v …"] < 100
    assert search_checkpoint(MACHINE, stepped(soft_flip_flop()), PREDICTIVE, limit=2000).outcome == "proved"


def test_each_ending_is_looked_at(monkeypatch):
    """Where no loop reads the bit, only an ending shows that it is gone."""
    every = Part.loops
    ignoring = [("i", "0"), ("i", "1")]
    monkeypatch.setattr(
        Part, "loops", lambda part, most: [loop for loop in every(part, most) if part.spelled(loop[0]) in ignoring]
    )
    model = stepped(soft_flip_flop(pre_activation(0.9)))
    verdict = fading_words(MACHINE, model, PREDICTIVE)
    assert verdict.outcome == "refuted" and verdict.witness.word[-1] == "r" and verdict.explored["words u v"] == 4
    turned = verdict.witness.word[:-1]
    assert accuracy(MACHINE, model.by_full_forward, [turned], PREDICTIVE, [len(turned)]).witness is None


@pytest.mark.parametrize(
    "dfa, mode, batch, longest",
    [
        (DFA("ab", [[0, 1], [2, 2], [2, 2]], [1]), PREDICTIVE, 64, 6),  # nothing follows a b
        (DFA("ab", [[1, 0], [0, 1]], [0]), RECOGNISE, 64, 5),
        (DFA("ab", [[1, 0], [0, 1]], [0]), RECOGNISE, 4, 2),
    ],
)
def test_every_short_word_is_an_ending_or_begins_one(dfa, mode, batch, longest):
    """Longer ones as long as they are few."""
    model = SimpleNamespace(
        alphabet=dfa.alphabet,
        outputs=(ACCEPT,) if mode == RECOGNISE else (*dfa.alphabet, EOS),
        arithmetic="none",
        batch=batch,
    )
    part = part_of(dfa, mode, 128)
    loops = short_loops(part, 2, batch)
    found = _Run(part, model, mode, loops)._endings
    assert sum(len(rows) for rows, endings in found if endings.shape[1] > 2) <= batch
    begun = {
        (row, *ending[:size])
        for rows, endings in found
        for row, ending in zip(rows.tolist(), endings.tolist())
        for size in range(1, len(ending) + 1)
    }
    words = [word for size in range(1, longest + 1) for word in product(range(2), repeat=size)]
    assert begun == {
        (row, *word)
        for row, state in enumerate(loops.states.tolist())
        for word in words
        if part.after(np.array([state]), word) >= 0
    }


@pytest.mark.parametrize("gate", [0.94, 0.95, 0.96, 0.97])
def test_the_ending_that_is_wrong_first_is_found(monkeypatch, gate):
    """Endings branch off at growing distances; whatever lies in between is looked at once something is wrong."""
    every = Part.loops
    monkeypatch.setattr(
        Part, "loops", lambda part, most: [loop for loop in every(part, most) if part.spelled(loop[0]) == ("i", "1")]
    )
    model = stepped(soft_flip_flop(pre_activation(gate)))
    verdict = fading_words(MACHINE, model, PREDICTIVE)
    word = verdict.witness.word
    assert word[0] == "w" and word[-1] == "r" and len(word) > 100
    for repeats in ((len(word) - 3) // 2, (len(word) - 3) // 2 - 1):
        tried = (*word[:2], *("i", "1") * repeats, "r")
        wrong = accuracy(MACHINE, model.by_full_forward, [tried], PREDICTIVE, [len(tried)]).witness
        assert (wrong is not None) == (len(tried) == len(word))


def test_a_loop_is_asked_on_its_way_too(monkeypatch):
    """Without any ending, a loop that reads the bit shows by itself that it is gone."""
    monkeypatch.setattr(_Run, "_all_endings", lambda run: [])
    verdict = fading_words(MACHINE, stepped(soft_flip_flop(pre_activation(0.9))), PREDICTIVE)
    assert verdict.outcome == "refuted" and verdict.witness.word[-1] == "r"


def test_recognisers_are_asked_on_every_string():
    machine = language("tomita-1").machine
    model = random_model(("0", "1"), ("<accept>",), 3)
    verdict = fading_words(machine, model, RECOGNISE)
    assert verdict.outcome == "refuted" and set(verdict.witness.word) <= {"0", "1"}


def test_forks_are_the_strings_that_they_branch_off_from():
    model = stepped(soft_flip_flop(pre_activation(0.9)))
    rng = np.random.default_rng(1)
    words = rng.integers(0, 5, (6, 9))
    endings = rng.integers(0, 5, (40, 2))
    sources = rng.integers(0, 6, 40)
    forks = Forks(model, 6)
    for column in words.T:
        forks.read(column, np.ones(6, dtype=bool))
    found = forks.fork(sources, endings)
    forward = model.by_full_forward
    state, _ = forward.begin(40)
    _, outputs = forward.advance(state, np.concatenate([words[sources], endings], axis=1))
    assert (outputs.dense()[:, -2:] == found).all() and 0 < found.mean() < 1
    # The strings go on as if nothing had branched off; one that is not going stays where it is.
    before = forks.caches()
    going = np.array([True, False] * 3)
    forks.read(words[:, 0], going)
    after = forks.caches()
    assert all((b[~going] == a[~going]).all() for b, a in zip(before, after))
    assert any((b[going] != a[going]).any() for b, a in zip(before, after))
    stay = forks.fork(np.arange(6), words[:, :1])[:, 0]
    prefix = np.where(going[:, None], np.concatenate([words, words[:, :1]], axis=1), -1)
    for row in range(6):
        word = prefix[row] if going[row] else words[row]
        state, _ = forward.begin(1)
        _, outputs = forward.advance(state, np.append(word, words[row, 0])[None])
        assert (outputs.dense()[0, -1] == stay[row]).all()


def test_gates_near_1_are_shown_by_what_they_lack():
    assert "at most 1 - 3e-07 is kept" in GateRange(0.5, 0.9999997).allows
    assert "at most 0.98 is kept" in GateRange(0.5, 0.98).allows
    assert "holds for ever" in GateRange(0.5, 1.0).allows
