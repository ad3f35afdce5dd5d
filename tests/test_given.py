"""What an engine keeps from chunk to chunk changes nothing of what it says; bits in windows are those that matter."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.errors import InputError
from constructions.compile.compiler import compile
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm import engine as engines
from constructions.ssm import first_layers, relevance
from constructions.ssm import given as keeping
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.given import Given, lasting
from constructions.ssm.kept import Kept
from constructions.ssm.lowering import lower
from constructions.ssm.recurrence import Column, Packed, _cuts
from constructions.ssm.relevance import relevant
from constructions.ssm.windows import Windowed, windows_of
from tests.test_engine import assert_engine_is_reference, batches, models
from verify.testing.strategies import cascades


@contextmanager
def patched(module, **values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield


def assert_keeping_changes_nothing(ssm, batches) -> Engine:
    """Reads several batches of words, each in two parts, with one engine that keeps all it can and with fresh ones."""
    keeps = Engine(ssm)
    for words in batches:
        half = words.shape[1] // 2
        state = other = keeps.begin(len(words))[0]
        without = Engine(ssm)
        without._by_table.layers = 0
        for part in (words[:, :half], words[:, half:]):
            state, outputs = keeps.advance(state, part)
            with patched(engines, _LASTING=1 << 60):
                other, wanted = without.advance(other, part)
            assert np.array_equal(state, other, equal_nan=ssm.arithmetic.is_float) and state.dtype == other.dtype
            assert np.array_equal(outputs.dense(), wanted.dense())
    return keeps


def brackets(k, words, upwards):
    """Batches of so many words of 60 brackets of k types, of which about these shares open."""
    rng = np.random.default_rng(k)
    opening, closing = np.arange(0, 2 * k, 2), np.arange(1, 2 * k, 2)
    up = (rng.random((words, 60)) < share for share in upwards)
    return [np.where(one, rng.choice(opening, one.shape), rng.choice(closing, one.shape)) for one in up]


def refused(error: InputError) -> bool:
    """Refusing is right, a wrong number is not."""
    return "beyond" in str(error) or "exactly below" in str(error)


AT_ONCE = {"_LASTING": 1, "_MASKED_SHARE": 0, "_MASKED_BITS": 1, "_OUTPUTS": 1}
several = st.lists(
    st.lists(st.lists(st.integers(0, 1), min_size=8, max_size=8), min_size=1, max_size=3).map(np.array),
    min_size=2,
    max_size=4,
)


@settings(max_examples=150)
@given(models(), several, st.sampled_from([1, 3, 1 << 14]), st.sampled_from([1, 1 << 12]))
def test_random_models(ssm, batches, rows, numbered):
    """Also where all that is kept is forgotten again and again, and where little is numbered."""
    with np.errstate(all="ignore"), patched(engines, **AT_ONCE, _NUMBERED=numbered), patched(keeping, _MOST_ROWS=rows):
        try:
            assert_keeping_changes_nothing(ssm, batches)
        except InputError as error:
            assert refused(error)


@settings(max_examples=60)
@given(
    cascades(),
    st.lists(
        st.lists(st.lists(st.integers(0, 2), min_size=20, max_size=20), min_size=2, max_size=2).map(np.array),
        min_size=3,
        max_size=3,
    ),
    st.sampled_from([2, 1 << 14]),
    st.sampled_from([4, 1 << 20]),
)
def test_lowered_cascades(cascade, batches, rows, cases):
    """Also where few cases have a place in a table."""
    for arithmetic in ("fixed:1", "float32"):
        with patched(engines, **AT_ONCE), patched(keeping, _MOST_ROWS=rows, _CASES=cases):
            assert_keeping_changes_nothing(lower(cascade, Arithmetic.parse(arithmetic)), batches)


WITH_ALL = {"_WORDS": 1, "_TIME": 1, "_SHARE": 1e-3, "_MOST_STEPS": 200}


@settings(max_examples=100)
@given(models(), batches, st.sets(st.integers(1, 8), max_size=3).map(sorted))
def test_tables_windows_and_what_is_kept_are_the_reference_on_random_models(ssm, words, cuts):
    """The definition knows none of them: states and outputs are held against it, not against another engine."""
    with np.errstate(all="ignore"), patched(engines, **AT_ONCE), patched(first_layers, **WITH_ALL):
        try:
            assert_engine_is_reference(ssm, words, cuts)
        except InputError as error:
            assert refused(error)


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("name", ["dyck-2-3", "dyck-8-5", "shuffle-4", "anbncn", "mqar-2-2", "copy-3", "tomita-7"])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_tables_windows_and_what_is_kept_are_the_reference_on_languages(name, mode, tables):
    found = compile(language(name).machine, mode)
    ssm = lower(found.cascade, Arithmetic.parse(found.arithmetic))
    words = np.random.default_rng(2).integers(0, len(ssm.alphabet), (8, 24))
    words[1::2] = words[0]  # some begin alike, and are asked the same again
    with patched(engines, **AT_ONCE), patched(first_layers, **(WITH_ALL if tables else {"_WORDS": 1 << 30})):
        assert_engine_is_reference(ssm, words, [6, 12])


@pytest.mark.parametrize("k, depth", [(2, 7), (4, 4), (8, 12), (64, 13), (64, 33)])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("rows", [20, 1 << 14])
def test_stacks_are_looked_at_through_windows(k, depth, mode, rows, monkeypatch):
    """Words of several batches, of which later ones reach depths and counts that the first did not; also where the
    first layer forgets what it gave, and the last does not.
    """
    monkeypatch.setattr(keeping, "_MOST_ROWS", rows)
    ssm = lower(bounded_dyck(k, depth, mode), Arithmetic("exact"))
    used, mixed = [], Engine._given

    def given_(self, number, layer, tracks, features, ids):
        used.append((number, sum(isinstance(track, Windowed) for track in tracks)))
        return mixed(self, number, layer, tracks, features, ids)

    monkeypatch.setattr(Engine, "_given", given_)
    monkeypatch.setattr(engines, "_LASTING", 64)
    monkeypatch.setattr(engines, "_MASKED_SHARE", 0)
    assert_keeping_changes_nothing(ssm, brackets(k, 12, (0.5, 0.7, 0.3, 0.5)))
    assert (1, 1) in used


def test_layers_by_table_and_without_number_the_same_rows():
    """Short words are read without a table, long ones by it, and then short ones again: the layer below meets rows
    of both.
    """
    found = compile(language("mqar-3-3").machine, "recognise")
    ssm = lower(found.cascade, Arithmetic.parse(found.arithmetic))
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, len(ssm.alphabet), (40, time)) for time in (30, 30, 90, 30, 90)]
    at_once = {"_WORDS": 1, "_TIME": 40, "_SHARE": 1e-2, "_countless": lambda layers: 4}
    with patched(first_layers, **at_once), patched(engines, _LASTING=1):
        engine = assert_keeping_changes_nothing(ssm, batches)
    assert engine._by_table.layers == 4 < len(ssm.layers) and engine._by_table._table is not None


def test_tables_are_made_for_each_case_once_and_their_ends_grow():
    known, asked = Given(1, np.dtype(np.int64)), []

    def look(values, ids):
        column = Column(0, np.array(values))
        cases = known.cases([column], 3, np.array(ids))

        def evaluate(positions):
            asked.extend((values[p], ids[p]) for p in positions.tolist())
            return known.numbered(np.array([[10 * values[p] + ids[p]] for p in positions.tolist()]))

        numbers = known.look(cases, evaluate)
        return known.features[numbers].ravel().tolist()

    assert look([0, 3, 3, -2], [0, 1, 1, 2]) == [0, 31, 31, -18] and len(asked) == 3
    assert look([0, 3, -2, 1], [0, 1, 2, 0]) == [0, 31, -18, 10] and len(asked) == 4
    assert look([-9, 3, 40], [2, 1, 0]) == [-88, 31, 400] and len(asked) == 7
    assert look([0, -2], [0, 2]) == [0, -18] and asked.count((-2, 2)) == 2 and len(asked) == 9
    assert look([1, 1], [0, 2]) == [10, 12]
    assert known.cases([Column(0, np.array([1 << 20]))], 3, np.zeros(1, dtype=np.intp)) is None
    assert known.cases([Column(0, np.array([0.5]))], 3, np.zeros(1, dtype=np.intp)) is None
    assert not known.features.flags.writeable


def test_windows_that_were_found_for_other_bounds_are_other_cases():
    rows, known = np.array([0, 1, 0]), Given(1, np.dtype(np.int64))
    bits = Packed(np.arange(2), np.array([1, 2, 3], dtype=np.uint8), 1, np.array([[0, 1], [0, 1]]))

    def cases(matters, name):
        windows = windows_of(np.array(matters, dtype=bool), np.arange(2))
        return known.cases([Windowed([bits], windows, name, rows)], 2, rows)

    one, other, again = (cases([[1, 0], [0, 1]], "a"), cases([[0, 1], [1, 0]], "b"), cases([[1, 0], [0, 1]], "a"))
    assert one.size == other.size and one.key == again.key != other.key
    assert one.numbers.tolist() == again.numbers.tolist() == [1, 3, 1] and other.numbers.tolist() == [0, 2, 1]


# -- windows ------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 12))
def test_windows_have_the_bits_that_matter(seed, width, rows):
    """Of any bits in any order, in tracks of up to 32: written back, they are what the masked tracks are."""
    rng = np.random.default_rng(seed)
    matters = np.zeros((rows, width), dtype=bool)
    order = rng.permutation(width) if seed % 2 else np.arange(width)
    cuts = np.sort(rng.integers(0, width + 1, 2))
    parts = [part[i : i + 32] for part in np.split(order, cuts) for i in range(0, len(part), 32) if len(part)]
    for row in matters:
        part = parts[int(rng.integers(0, len(parts)))]
        first = int(rng.integers(0, len(part)))
        row[part[first : first + int(rng.integers(0, 9))]] = True
        if rng.random() < 0.2:
            row &= rng.random(width) < 0.5
    ids = rng.integers(0, rows, 50)
    tracks = []
    for part in parts:
        dtype = np.dtype(f"u{next(size for size in (1, 2, 4) if 8 * size >= len(part))}")
        packed = rng.integers(0, 1 << len(part), 50).astype(dtype)
        levels = np.sort(rng.integers(-3, 4, (len(part), 2)), axis=1)
        tracks.append(Packed(part, packed, 1, levels))
    windows = windows_of(matters, *parts)
    assert windows is not None
    one = Windowed(tracks, windows, None, ids)
    wanted, found = np.empty((50, width), dtype=np.int64), np.empty((50, width), dtype=np.int64)
    for track in tracks:
        track.masked(matters, ids).put(wanted, slice(None))
    one.put(found, np.arange(50))
    assert np.array_equal(wanted, found)
    assert (np.sort(one.coordinates) == np.arange(width)).all() and one.ids.max() < 1 << windows.width
    some = np.array([3, 3, 40])
    one.put(found[:3], some)
    assert np.array_equal(wanted[some], found[:3])
    sub = Windowed(tracks, windows, None, ids).at(some)
    sub.put(found[:3], slice(None))
    assert np.array_equal(wanted[some], found[:3])
    # What tells the states apart does so by itself.
    codes = one.column.numbers
    assert codes.max() < one.column.base == one.combinations
    for code in np.unique(codes).tolist():
        assert (wanted[codes == code] == wanted[codes == code][0]).all()


def test_bits_too_far_apart_or_in_two_tracks_have_no_window():
    matters = np.zeros((2, 20), dtype=bool)
    matters[0, [1, 8]] = True
    assert windows_of(matters, np.arange(20)).width == 8
    assert windows_of(matters, np.arange(5), np.arange(5, 20)) is None
    matters[1, [3, 11]] = True
    assert windows_of(matters, np.arange(20)) is None


def test_columns_that_are_the_same_are_not_cut_apart():
    same = np.repeat(np.arange(9), 6)
    changes = np.eye(9, dtype=bool)[:, same]
    assert _cuts(changes) == [30]
    assert _cuts(np.ones((2, 70), dtype=bool)) == [32, 64]
    assert _cuts(changes[:, :32]) == _cuts(np.zeros((1, 0), dtype=bool)) == []


@settings(max_examples=100)
@given(models(), st.integers(0, 2**32))
def test_what_matters_is_the_same_row_by_row_and_together(ssm, seed):
    """Of more rows than are looked at one by one, most of them read alike."""
    engine, rng = Engine(ssm), np.random.default_rng(seed)
    if engine.numbers.dtype == object:
        return
    for layer in ssm.layers:
        features = rng.integers(-2, 3, (100, layer.inputs)).astype(engine.numbers.dtype)
        bounds = np.sort(rng.integers(-2, 3, (2, layer.width)), axis=0).astype(engine.numbers.dtype)
        wanted = relevant(layer, engine.numbers, features, *bounds)
        with patched(relevance, _FEW=1):
            assert np.array_equal(relevant(layer, engine.numbers, features, *bounds), wanted)
        with patched(relevance, _FEW=100):
            assert np.array_equal(relevant(layer, engine.numbers, features, *bounds), wanted)


# -- kept by place ------------------------------------------------------------------------------------


def test_large_arrays_that_nobody_can_write_to_are_known_by_where_they_are():
    calls = []
    total = Kept(lambda rows, factor: calls.append(len(rows)) or int(rows.sum() * factor[0]))
    rows, two = np.ones(5000, dtype=np.int64), np.array([2])
    fixed = lasting(rows)
    assert not fixed.flags.writeable and fixed.flags.owndata and rows.flags.writeable
    assert [total(fixed, two), total(fixed, two), total(fixed, np.array([3]))] == [10_000, 10_000, 15_000]
    assert len(calls) == 2
    # A view that cannot be written to is of an array that can be.
    view = rows.view()
    view.flags.writeable = False
    assert total(view, two) == 10_000
    rows[:] = 3
    assert total(view, two) == 30_000 and len(calls) == 4
    # Two are kept; others are computed again.
    for _ in range(2):
        for factor in (4, 5, 6):
            total(fixed, np.array([factor]))
    assert len(calls) == 10


def test_outputs_of_rows_that_last_are_told_once():
    found = compile(language("shuffle-6").machine, "predictive")
    engine = Engine(lower(found.cascade, Arithmetic.parse(found.arithmetic)))
    words = np.random.default_rng(0).integers(0, len(engine.alphabet), (90, 100))
    _, outputs = engine.advance(engine.begin(90)[0], words)
    _, again = engine.advance(engine.begin(90)[0], words)
    assert len(np.unique(outputs.table, axis=0)) == len(outputs.table) and again.table is outputs.table
    assert len(engine._lasting[-1].features) >= len(outputs.table)


def test_rows_are_mixed_in_blocks_as_they_are_together():
    ssm = lower(bounded_dyck(8, 12, "recognise"), Arithmetic("exact"))
    rng = np.random.default_rng(0)
    words = rng.integers(0, 16, (5, 200))
    whole = Engine(ssm)
    state, wanted = whole.advance(whole.begin(5)[0], words)
    with patched(engines, _TOGETHER=1):
        engine = Engine(ssm)
        after, outputs = engine.advance(engine.begin(5)[0], words)
    assert np.array_equal(after, state) and np.array_equal(outputs.dense(), wanted.dense())
