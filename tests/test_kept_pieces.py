"""What is kept of the pieces of a layer changes nothing of what it gives out, and adds nothing that is not exact."""

from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.compile.compiler import compile
from constructions.ssm import engine as engines
from constructions.ssm import given as keeping
from constructions.ssm import kept_pieces, slots
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.kept_pieces import KeptPieces
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from tests.test_engine import assert_engine_is_reference, batches, models
from tests.test_given import AT_ONCE, assert_keeping_changes_nothing, patched, refused
from tests.test_pieces import models as models_that_read_little
from tests.test_pieces import two_counters
from verify.testing.strategies import cascades


@contextmanager
def at_once(rows: int = 1 << 14, words: int = 1):
    """All that is kept is kept at once, however little there is to be gained; also slots, from so many words on."""
    with patched(engines, **AT_ONCE), patched(kept_pieces, _GAIN=0), patched(slots, _WORDS=words, _COORDINATES=1):
        with patched(keeping, _MOST_ROWS=rows), np.errstate(all="ignore"):
            yield


@contextmanager
def counted():
    """How often what is kept says what a layer gives out, and how often it does not."""
    found, numbered = [], KeptPieces.numbered

    def count(self, *given_):
        found.append(numbered(self, *given_))
        return found[-1]

    with mock.patch.object(KeptPieces, "numbered", count):
        yield lambda: (sum(one is not None for one in found), sum(one is None for one in found))


three = st.lists(
    st.lists(st.lists(st.integers(0, 2), min_size=12, max_size=12), min_size=2, max_size=3).map(np.array),
    min_size=3,
    max_size=3,
)


@settings(max_examples=200)
@given(models_that_read_little(), three, st.sampled_from([1, 4, 1 << 14]), st.sampled_from([1, 1 << 30]))
def test_models_that_read_little(ssm, some, rows, words):
    """Several batches; also where all that is kept is forgotten again and again."""
    with at_once(rows, words):
        try:
            assert_keeping_changes_nothing(ssm, some)
        except InputError as error:
            assert refused(error)


@settings(max_examples=100)
@given(st.one_of(models(), models_that_read_little()), batches, st.sets(st.integers(1, 8), max_size=3).map(sorted))
def test_any_model_gives_what_the_reference_gives(ssm, words, cuts):
    with at_once():
        try:
            assert_engine_is_reference(ssm, words, cuts)
        except InputError as error:
            assert refused(error)


@settings(max_examples=60)
@given(cascades(), three, st.sampled_from([2, 1 << 14]), st.sampled_from([8, 1 << 20]), st.sampled_from([1, 1 << 22]))
def test_lowered_cascades(cascade, some, rows, cases, most):
    """Also where few cases have a place in a table, or little is kept of a piece."""
    with at_once(rows), patched(kept_pieces, _CASES=cases, _MOST_NUMBERS=most, _TOGETHER=1 if most == 1 else 1 << 16):
        assert_keeping_changes_nothing(lower(cascade, Arithmetic.parse("fixed:1")), some)


@pytest.mark.parametrize("name", ["dyck-2-3", "dyck-8-5", "anbncn", "mqar-2-2", "copy-3", "tomita-7", "shuffle-2"])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_languages(name, mode):
    found = compile(language(name).machine, mode)
    ssm = lower(found.cascade, Arithmetic.parse(found.arithmetic))
    words = np.random.default_rng(2).integers(0, len(ssm.alphabet), (8, 24))
    words[1::2] = words[0]
    with at_once(), counted() as counts:
        assert_engine_is_reference(ssm, words, [6, 12])
    assert counts()[0] or name in ("tomita-7", "mqar-2-2", "copy-3")


def test_new_cases_are_made_of_parts_that_were_met():
    """Of a second batch, most cases are new, and hardly a row is evaluated."""
    found = compile(language("dyck-16-8").machine, "recognise")
    ssm = lower(found.cascade, Arithmetic.parse(found.arithmetic))
    engine, rng = Engine(ssm), np.random.default_rng(0)
    mixed = []
    with patched(engines, _LASTING=64, _MASKED_SHARE=0), counted() as counts:
        for _ in range(4):
            up = rng.random((80, 60)) < 0.6
            symbols = np.where(up, 2 * rng.integers(0, 16, up.shape), 2 * rng.integers(0, 16, up.shape) + 1)
            made, kept = KeptPieces._made, []
            with mock.patch.object(KeptPieces, "_made", lambda *given_: kept.append(len(given_[3])) or made(*given_)):
                engine.advance(engine.begin(80)[0], symbols)
            mixed.append(sum(kept))
    assert counts()[0] >= 8 and mixed[3] * 4 < mixed[0]


@pytest.mark.parametrize("both", [1, 0])
@pytest.mark.parametrize("later", [False, True])
def test_a_sum_that_might_not_be_exact_is_not_taken_apart(both, later):
    """Whether a number that is too large is met at once or when much is kept: the two neurons cancel, or do not."""
    words = np.array([[0, 0, 1], [1, 1, 1]])
    large, small = (two_counters("exact", (8, 1), [size, 1, size * both, 0]) for size in (1 << 50, 1 << 40))
    with at_once(), counted() as counts:
        engine = Engine(large)
        if later:
            engine.advance(engine.begin(1)[0], words[1:])
        assert counts()[1] == 0
        with pytest.raises(InputError, match="exactly below"):
            engine.advance(engine.begin(2)[0], words)
        assert counts()[1] == 1
    with at_once(), counted() as counts:
        assert_engine_is_reference(small, words, [])
    assert counts()[0] and not counts()[1]


def test_a_number_that_was_too_large_once_is_remembered():
    """A second batch meets it again, and beside it one number that is new, and small."""
    large = two_counters("exact", (8, 1), [1 << 49, 1, 1 << 49, 0])
    with at_once(), counted() as counts:
        engine = Engine(large)
        for words in ([[0, 0, 0]], [[1, 0, 0, 0]]):
            with pytest.raises(InputError, match="exactly below"):
                engine.advance(engine.begin(1)[0], np.array(words))
        assert counts() == (0, 2)


@pytest.mark.parametrize("later", [False, True])
def test_a_feature_that_is_too_large_is_not_added(later):
    """The second mix reads the feature of a symbol that comes at once, or later: then it is of a row that is new."""
    first = Mix(Affine([[1, 0, 0]], [0]), "linear")
    second = Mix(Affine([[1, 0, 1 << 20]], [0]), "linear")
    layer = Layer(Affine([[0, 0]], [1]), Affine([[1, 0]], [0]), np.zeros(1, dtype=np.int64), (first, second))
    ssm = SSM(
        ("a", "b"),
        (ACCEPT,),
        np.array([[1, 0], [0, 1 << 40], [0, 0]]),
        (through(2), layer),
        Affine([[1]], [0]),
        Arithmetic("exact"),
    )
    with at_once(), counted() as counts:
        engine = Engine(ssm)
        if later:
            engine.advance(engine.begin(2)[0], np.array([[0, 0], [0, 0]]))
        with pytest.raises(InputError, match="exactly below"):
            engine.advance(engine.begin(2)[0], np.array([[0, 1], [0, 0]]))
    assert counts()[1] == 1


def test_the_same_number_of_another_state_is_another_case():
    """A bit that begins as 1 is always 1 at first: its number is 0.  Then a symbol sets it to 0, which has it too."""
    mixes = Mix(Affine([[1, 0, 0]], [0])), Mix(Affine([[1, 0, 0]], [0]), "linear")
    layer = Layer(Affine([[0, -1]], [1]), Affine([[0, 0]], [0]), np.ones(1, dtype=np.int64), mixes)
    embedding = np.array([[1, 0], [1, 1], [1, 0]])
    ssm = SSM(("a", "b"), (ACCEPT,), embedding, (through(2), layer), Affine([[1]], [0]), Arithmetic("exact"))
    words = np.array([[0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]])
    with at_once(), counted() as counts:
        assert_keeping_changes_nothing(ssm, [words[:1], words])
    assert counts()[0] > 1


def through(width: int) -> Layer:
    """Gives out the features that it reads, so that the layer after it meets those alone that have been read."""
    mix = Mix(Affine(np.eye(width, dtype=np.int64), np.zeros(width)), "linear")
    nothing = Affine(np.zeros((0, width)), np.zeros(0))
    return Layer(nothing, nothing, np.zeros(0, dtype=np.int64), (mix,))
