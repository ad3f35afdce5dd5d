"""Slots that are carried along hold what one step after the other puts there, and are used only where they can be."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm import engine as engines
from constructions.ssm import slots
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Layer
from constructions.ssm.lowering import lower
from constructions.ssm.recurrence import Recurrence
from constructions.ssm.slots import Slots, Slotted
from tests.test_given import assert_keeping_changes_nothing, brackets, patched
from tests.test_recurrence import EXPONENT, FORMATS, raw, stepwise, without_weights


@dataclass
class Stack:
    """Rows of features that are their own numbers; what they do to some coordinates, and which of these they read."""

    numbers: object
    layer: Layer
    gates: np.ndarray
    increments: np.ndarray
    matters: np.ndarray
    start: np.ndarray
    slot: np.ndarray

    def recurrence(self, features, starts):
        rows = features[:, 0].astype(np.intp)
        return Recurrence(self.numbers, self.layer, self.gates[rows], self.increments[rows], starts)

    def slots(self):
        return Slots(self.recurrence, lambda features, least, greatest: self.matters[features[:, 0].astype(np.intp)])

    def features(self, rows):
        features = np.arange(rows)[:, None]
        features.flags.writeable = False
        return features

    def steps(self, ids, h):
        return stepwise(self.numbers, self.layer, self.gates, self.increments, ids, h)

    def masked(self, ids, states, track):
        """The states, those put to their lesser one that do not matter."""
        return np.where(self.matters[ids.ravel()], states, track.arrangement.levels[:, 0])


def stack(name, seed, rows, sizes, least=0) -> Stack:
    """Each row holds all slots or writes one, and reads some bits of one; quarters, as in the tests of recurrences.

    Args:
        least: of the greater state of each coordinate; where it is 0, some have one state alone.
    """
    numbers = FORMATS[name](Arithmetic.parse(name))
    rng = np.random.default_rng(seed)
    width = sum(sizes)
    slot = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    levels = np.stack([rng.integers(0, 2 - least, width), rng.integers(least, 2, width)]) * 4
    levels.sort(axis=0)
    writes = rng.integers(-1, len(sizes), rows)
    # The first rows show which coordinates are together, and which states they have.
    writes[: 2 * len(sizes)] = np.tile(np.arange(len(sizes)), 2)
    set_ = slot == writes[:, None]
    value = np.where(rng.random((rows, width)) < 0.5, *levels)
    value[: len(sizes)], value[len(sizes) : 2 * len(sizes)] = levels[:: 1 if seed % 2 else -1]
    gate, increment = np.where(set_, 0, 4), np.where(set_, value, 0)
    matters = (slot == rng.integers(-1, len(sizes), rows)[:, None]) & (rng.random((rows, width)) < 0.7)
    start = numbers.stored(levels[rng.integers(0, 2, width), np.arange(width)][None], EXPONENT)
    return Stack(numbers, without_weights(width), raw(numbers, gate), raw(numbers, increment), matters, start, slot)


EACH = st.sampled_from(["exact", "fixed:1", "fixed:3", "wrap:3", "float16", "float32"])


@settings(max_examples=200)
@given(
    EACH,
    st.integers(0, 2**32),
    st.lists(st.integers(1, 8), min_size=1, max_size=5),
    st.integers(1, 40),
    st.sampled_from([1, 40, 1 << 16]),
)
def test_what_is_read_is_what_the_steps_make(name, seed, sizes, time, together):
    """In two parts, of which the second meets rows of features that the first did not, and words begin anyhow; rows are
    looked at one by one, too.
    """
    one, rng = stack(name, seed, 12 + 2 * len(sizes), sizes), np.random.default_rng(seed)
    found, h, met = one.slots(), np.repeat(one.start, 5, axis=0), None
    for rows in (6 + 2 * len(sizes), 12 + 2 * len(sizes)):
        ids = rng.integers(0, rows, (5, time + 1))
        with patched(slots, _WORDS=1, _COORDINATES=1, _TOGETHER=together):
            track = found.read(one.features(rows), ids, h)
        assert track is not None
        states = one.steps(ids, h)
        wanted, given_ = one.masked(ids, states, track), np.empty_like(states)
        track.put(given_, np.arange(ids.size))
        assert np.array_equal(given_, wanted)
        some = rng.integers(0, ids.size, 7)
        track.at(some).put(given_[:7], slice(None))
        assert np.array_equal(given_[:7], wanted[some])
        h = np.empty_like(h)
        track.put_after(h)
        assert np.array_equal(h, states.reshape(5, -1, sum(sizes))[:, -1])
        # What tells the states apart does so, and the same number with the same row is the same state.
        codes = track.column.numbers
        assert codes.max() < track.column.base and track.ids.max() < 1 << track.bits
        for case in (codes, track.ids.astype(np.intp) * len(one.gates) + track.rows):
            for code in np.unique(case).tolist():
                assert (wanted[case == code] == wanted[case == code][0]).all()
        assert met is None or met == track.name
        met = track.name


def two_slots(seed: int) -> Stack:
    return stack("exact", seed, 10, [3, 4], least=1)


def read(one: Stack, found: Slots, rows: int, ids, h=None):
    ids = np.array(ids)
    with patched(slots, _WORDS=1, _COORDINATES=1, _TOGETHER=1):
        return found.read(one.features(rows), ids, np.repeat(one.start, len(ids), axis=0) if h is None else h)


@pytest.mark.parametrize("met", ["before", "later"])
@pytest.mark.parametrize("fault", ["writes two", "writes a part", "reads two", "adds", "a third value"])
def test_layers_that_are_no_stacks_have_no_slots(fault, met):
    """Whether the row that shows it is among the first, or comes when slots were found."""
    one = two_slots(3)
    in_slot = [np.flatnonzero(one.slot == i) for i in (0, 1)]
    other, found = len(one.gates) - 1, one.slots()
    one.gates[other], one.increments[other], one.matters[other] = 4, 0, False
    assert read(one, one.slots(), 10, [[0, 1, other]]) is not None
    if fault == "writes two":
        one.gates[other], one.increments[other] = 0, one.start[0]
    elif fault == "writes a part":
        one.gates[other, in_slot[0][0]] = 0
        one.increments[other] = np.where(one.gates[other] == 0, one.start[0], 0)
    elif fault == "reads two":
        one.matters[other, [in_slot[0][0], in_slot[1][0]]] = True
    elif fault == "adds":
        one.increments[other, in_slot[0]] = 4
    else:
        one.gates[other, in_slot[0]], one.increments[other, in_slot[0]] = 0, 8
    if met == "later":
        assert read(one, found, 9, [[0, 1, 2]]) is not None
    assert read(one, found, 10, [[0, 1, other]]) is None
    # They are not looked for again before there are twice as many rows; then they may be found.
    assert read(one, found, 10, [[0, 1, 2]]) is None
    found.forget()
    assert read(one, found, 9, [[0, 1, 2]]) is not None


def test_a_state_that_was_not_met_before_is_another_name():
    """Slot 0 is set to its lesser state alone at first, which is no bit then."""
    one = two_slots(3)
    first = one.slot == 0
    one.start[:, first], one.increments[:, first] = 0, 0
    one.gates[9], one.increments[9], one.matters[9] = np.where(first, 0, 4), np.where(first, 4, 0), first
    found = one.slots()
    before, after = read(one, found, 9, [[0, 1, 2]]), read(one, found, 10, [[0, 1, 9]])
    assert before is not None and after is not None and before.name != after.name
    state = np.empty((1, 7), dtype=np.int64)
    after.put_after(state)
    assert np.array_equal(state[0], one.steps(np.array([[0, 1, 9]]), one.start)[-1]) and (state[0, first] == 1).all()


def test_words_that_begin_in_other_states_are_not_carried():
    one = two_slots(4)
    found, h = one.slots(), np.repeat(one.start, 2, axis=0)
    other = h.copy()
    other[1, 0] = 7 << 4
    ids = np.array([[0, 1, 2]] * 2)
    assert read(one, found, 10, ids, other) is None
    assert read(one, found, 10, ids, h) is not None
    assert read(one, found, 10, ids, other) is None
    assert read(one, found, 10, ids, h) is not None


def test_a_slot_holds_eight_bits():
    for size in (8, 9):
        one = stack("exact", 3, 8, [size, 2], least=1)
        assert (read(one, one.slots(), 8, [[0, 1, 2, 3]]) is None) == (size == 9)


def test_few_words_single_steps_or_few_coordinates_are_not_carried():
    one = two_slots(4)

    def carried(words, time, coordinates=7):
        with patched(slots, _COORDINATES=coordinates):
            ids = np.zeros((words, time), dtype=np.intp)
            return one.slots().read(one.features(10), ids, np.repeat(one.start, words, axis=0)) is not None

    assert carried(32, 3) and not carried(31, 3) and not carried(32, 1) and not carried(32, 3, 8)


def test_coordinates_that_no_row_changes_wait_for_one_that_does():
    """Twenty coordinates that are set by no row yet are more than a slot holds."""
    one = stack("exact", 5, 12, [2, 5, 5, 5, 5])
    holds = np.isin(np.arange(12), [1, 2, 3, 4])
    order = np.argsort(holds, kind="stable")
    one.gates, one.increments, one.matters = one.gates[order], one.increments[order], one.matters[order]
    one.gates[1:8], one.increments[1:8], one.matters[:8] = 4, 0, False
    found = one.slots()
    assert read(one, found, 8, [[0, 1, 2]]) is not None
    ids = np.array([[0, 8, 9, 10, 11, 3, 8]])
    track, states = read(one, found, 12, ids), one.steps(ids, one.start)
    given_ = np.empty_like(states)
    track.put(given_, np.arange(ids.size))
    assert np.array_equal(given_, one.masked(ids, states, track))


@pytest.mark.parametrize("k, depth", [(2, 7), (8, 12), (64, 13), (64, 33)])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("rows", [20, 1 << 14])
def test_stacks_of_brackets_are_carried(k, depth, mode, rows, monkeypatch):
    """Batches of which later ones reach depths that the first did not; also where the first layer forgets what it
    gave.
    """
    monkeypatch.setattr("constructions.ssm.given._MOST_ROWS", rows)
    monkeypatch.setattr(engines, "_LASTING", 64)
    monkeypatch.setattr(engines, "_MASKED_SHARE", 0)
    monkeypatch.setattr(slots, "_COORDINATES", 6)
    ssm, used, mixed = lower(bounded_dyck(k, depth, mode), Arithmetic("exact")), [], Engine._given

    def given_(self, number, layer, tracks, features, ids):
        used.append((number, any(isinstance(track, Slotted) for track in tracks)))
        return mixed(self, number, layer, tracks, features, ids)

    monkeypatch.setattr(Engine, "_given", given_)
    assert_keeping_changes_nothing(ssm, brackets(k, 40, (0.4, 0.7, 0.3, 0.5)))
    assert (1, True) in used and (0, True) not in used
