"""What makes a search quick, each part beside its slow and obvious twin: packed pairs, coded rows, tables of an engine,
stacks without a table, and the whole search beside one over a Python set of tuples.
"""

import tracemalloc
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.growing import Growing
from constructions.joint_states import JointStates
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm import tabulated
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.tabulated import Tabulated, TooManyStates
from constructions.ssm.weights import SSM
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.methods.coded_models import RowCodes
from verify.methods.machine_states import Stacks
from verify.methods.sticky import find_sticky
from verify.testing.strategies import cascades, corrupted, dfas, ssm_of
from verify.verdict import PROVED, REFUTED, UNDECIDED

ARITHMETICS = ("exact", "fixed:0", "fixed:4", "wrap:8", "float16", "float32", "float64")


# -- packed pairs -------------------------------------------------------------------------------------


@st.composite
def batches(draw):
    fields = draw(st.integers(1, 5))
    most = [draw(st.sampled_from([1, 2, 255, 2**12, 2**16, 2**20, 2**40, 2**64 - 1])) for _ in range(fields)]
    row = st.tuples(*(st.integers(0, number) for number in most))
    return fields, draw(st.lists(st.lists(row, max_size=30), max_size=6))


@given(batches())
def test_pairs_are_kept_as_a_list_without_repetitions_keeps_them(drawn):
    width, given_batches = drawn
    pairs, order = JointStates(width), []
    for batch in given_batches:
        expected = []
        for place, row in enumerate(batch):
            if row not in order:
                order.append(row)
                expected.append(place)
        columns = [np.array([row[i] for row in batch], dtype=np.uint64) for i in range(width)]
        assert pairs.add(columns).tolist() == expected
        assert list(zip(*(field.tolist() for field in pairs.fields(0, len(pairs))))) == order
    for i in range(width):
        assert pairs.values(i).tolist() == sorted({row[i] for row in order})


def test_pairs_whose_hashes_are_alike_are_told_apart(monkeypatch):
    monkeypatch.setattr(JointStates, "_places", lambda self, first, last: np.zeros(last - first, dtype=np.intp))
    pairs = JointStates(2)
    # Two words each: either alone does not tell them apart.
    columns = [np.arange(700) % 50 + (1 << 40), np.arange(700) // 350 + (1 << 40)]
    assert len(pairs.add(columns)) == 100 and len(pairs.add(columns)) == 0
    first, second = (field - np.uint64(1 << 40) for field in pairs.fields(0, 51))
    assert first.tolist() == [*range(50), 0] and second.tolist() == [0] * 50 + [1]


def test_pairs_of_more_fields_than_a_word_has_bits():
    pairs = JointStates(130)
    columns = [np.zeros(3, dtype=np.int64) for _ in range(129)]
    assert pairs.add([*columns, np.array([0, 1, 0])]).tolist() == [0, 1]
    assert [field.tolist() for field in pairs.fields(0, 2)] == [*([[0, 0]] * 129), [0, 1]]


def test_many_pairs_fill_the_table_again_and_again():
    pairs, known = JointStates(3), set()
    rng = np.random.default_rng(0)
    for bits in (3, 7, 15, 31, 63):
        columns = [rng.integers(0, 1 << bits, 3000, dtype=np.uint64) for _ in range(3)]
        rows = list(zip(*(column.tolist() for column in columns)))
        assert len(pairs.add(columns)) == len({*rows} - known)
        known.update(rows)
    assert set(zip(*(field.tolist() for field in pairs.fields(0, len(pairs))))) == known


def test_a_growing_array_has_the_rows_that_were_added():
    growing, rows = Growing(np.int64, (2,)), []
    for size in (0, 1, 40, 3, 100):
        new = np.arange(2 * size).reshape(size, 2) + len(rows)
        growing.append(new)
        rows += new.tolist()
    assert growing.rows.tolist() == rows and len(growing) == len(rows)


# -- coded rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int32, np.int64])
def test_rows_are_decoded_to_the_very_bytes(dtype):
    bits = np.random.default_rng(0).integers(0, 256, (500, 3 * np.dtype(dtype).itemsize), dtype=np.uint8)
    rows = bits.view(dtype)
    codes = RowCodes(rows)
    assert codes.decode(codes.encode(rows)).tobytes() == np.ascontiguousarray(rows).tobytes()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_small_whole_numbers_have_small_codes(dtype):
    codes = RowCodes(np.zeros((1, 1), dtype=dtype))
    (found,) = codes.encode(np.arange(-8, 9).astype(dtype)[:, None])
    assert len(set(found.tolist())) == 17 and int(found.max()) < 1 << 15


def test_extreme_integers_are_coded_too():
    rows = np.array([[-(2**63)], [2**63 - 1], [0], [-1]])
    codes = RowCodes(rows)
    assert codes.encode(rows)[0].tolist() == [2**64 - 1, 2**64 - 2, 0, 1]
    assert codes.decode(codes.encode(rows)).tolist() == rows.tolist()


# -- stacks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k, depth", [(1, 0), (1, 4), (2, 0), (2, 1), (2, 4), (3, 2), (5, 2)])
@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_stacks_are_the_states_of_the_machine(k, depth, mode):
    """Numbers of stacks and states of the machine go the same ways, under symbols in another order too."""
    machine = DyckMachine(k, depth)
    alphabet = tuple(reversed(machine.alphabet))
    outputs = (ACCEPT,) if mode == RECOGNISE else (*alphabet, "<eos>")
    stacks, number = Stacks(machine, alphabet, outputs, mode), {(): 0}
    waiting = [()]
    for state in waiting:
        at = np.array([number[state]])
        expected = (
            machine.legal(state) if mode == PREDICTIVE else frozenset({ACCEPT} & {ACCEPT * machine.accepts(state)})
        )
        place = int(stacks.expected_at(at)[0])
        assert stacks.sets[place] == expected
        assert {name for name, on in zip(outputs, stacks.table()[place]) if on} == expected
        assert stacks.reject_for_ever(at)[0] == (state is None)
        for symbol, target in zip(alphabet, stacks.targets(at)[0].tolist()):
            followed = mode == RECOGNISE or symbol in machine.legal(state)
            assert (target >= 0) == followed
            if followed:
                after = machine.step(state, symbol)
                if after not in number:
                    number[after] = target
                    waiting.append(after)
                assert number[after] == target
    assert len(set(number.values())) == len(number) == machine.classes() + (mode == RECOGNISE)


# -- tables of an engine ------------------------------------------------------------------------------


def followed_alike(ssm, steps=60, words=20):
    """Whether tables give the states and outputs that the engine gives, along random words.

    The engine has to give on whole words what it gives step by step.
    """
    engine = Engine(ssm)
    try:
        model = Tabulated(engine)
        rows, outputs = engine.begin(1)
        parts, given = model.begin()
    except TooManyStates:
        return False
    rows, parts = np.repeat(rows, words, axis=0), [np.repeat(part, words) for part in parts]
    assert (outputs.dense() == given.dense()).all()
    strings = np.random.default_rng(0).integers(0, len(engine.alphabet), (words, steps))
    last, whole = engine.advance(rows, strings)
    for time, symbols in enumerate(strings.T):
        rows, outputs = engine.advance(rows, symbols[:, None])
        assert (outputs.dense()[:, 0] == whole.dense()[:, time]).all()
        parts, given = model.step(parts, symbols)
        found = model.rows(parts)
        assert found.dtype == rows.dtype and (found.tolist() == rows.tolist() or found.tobytes() == rows.tobytes())
        for column in range(rows.shape[1]):
            assert model.column(parts, column).tolist() == found[:, column].tolist() or rows.dtype.kind == "f"
        assert (outputs.dense() == given.dense()).all()
    assert last.tolist() == rows.tolist() or last.tobytes() == rows.tobytes()
    return True


@settings(max_examples=40)
@given(st.data(), st.sampled_from(["exact", "fixed:4", "float32", "float16"]))
def test_tables_follow_compiled_models_and_changed_ones(data, arithmetic):
    before = arithmetic.startswith("f") and arithmetic != "fixed:0"
    ssm = ssm_of(data.draw(cascades("ab", before=before)), arithmetic)
    if data.draw(st.booleans()):
        ssm = data.draw(corrupted(ssm))
    assert followed_alike(ssm)


@pytest.mark.parametrize("gates", ["affine", "sigmoid", "exp-softplus"])
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_tables_follow_random_models(arithmetic, gates):
    if gates != "affine" and not arithmetic.startswith("float"):
        return
    for seed in range(4):
        ssm = random_ssm(seed, 1 + seed % 3, 3 + 4 * (seed % 4), Arithmetic.parse(arithmetic), gates)
        followed_alike(ssm, steps=8 if arithmetic == "exact" else 25, words=8)


def affine(matrix, bias, exponent=0):
    return Affine(np.array(matrix), np.array(bias), exponent)


def nine_bits(first, embedding, arithmetic, exponent=0, embedding_exponent=0, activation="relu"):
    """Nine bits, too many for one part, that an `a` sets and a `b` clears; the output is one neuron's.

    Args:
        first: the neuron's weight of the first bit, its weights of the features after the first two, and its bias.
        embedding: of those features, for a, b and BOS.
    """
    width, (own, others, bias) = 9, first
    extra = len(others)
    gate, increment = np.zeros((width, 2 + extra), dtype=int), np.zeros((width, 2 + extra), dtype=int)
    gate[:, :2], increment[:, 0] = -1, 1
    neuron = np.zeros((1, width + 2 + extra), dtype=int)
    neuron[0, 0], neuron[0, width + 2 :] = own, others
    one = 1 << embedding_exponent
    rows = np.array([[one, 0, *embedding[0]], [0, one, *embedding[1]], [0, 0, *embedding[2]]])
    layer = Layer(
        affine(gate, [1] * width),
        affine(increment, [0] * width),
        np.zeros(width, int),
        (Mix(affine(neuron, [bias], exponent), activation, -(2**20), 2**20),),
    )
    # What is below 0 is seen where no relu hides it.
    readout = affine([[1 if activation == "relu" else -1]], [0])
    arithmetic = Arithmetic.parse(arithmetic)
    return SSM(("a", "b"), (ACCEPT,), rows, (layer,), readout, arithmetic, embedding_exponent=embedding_exponent)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:2", "float16", "float64"])
@pytest.mark.parametrize("activation", ["relu", "linear", "clip"])
@pytest.mark.parametrize("own, bias", [(1, 0), (-1, 1), (-2, 2), (3, -3), (3, -2), (-1, 0), (-5, 7)])
def test_a_bit_matters_where_it_does(arithmetic, activation, own, bias):
    assert followed_alike(nine_bits((own, (), bias), ((), (), ()), arithmetic, activation=activation), steps=10)


def test_a_neuron_that_would_be_0_without_rounding_is_not_taken_to_be():
    """3 + 4096 rounds to 4100: less 4096 and less 3 it is 1, not 0."""
    assert followed_alike(nine_bits((3, (1, -1), -3), ((4096, 4096),) * 3, "float16"))
    # In units of 2^-12: 4096 - 1 rounds to 4096, and again; less 4094 it is 2, not 0.
    assert followed_alike(nine_bits((1, (1, 1, 1), 0), ((-1, -1, -4094),) * 3, "float16", embedding_exponent=12))
    # Half of the smallest number there is rounds to 0, and three halves to two of it.
    assert followed_alike(nine_bits((3, (-1, -1, -1), 0), ((1, 1, 1),) * 3, "float16", exponent=25))


def late_reader(arithmetic, weight=1, steps_up=1):
    """Nine bits that an `a` sets, and a counter; the output reads the first bit once the counter is beyond 3, or the
    counter alone: what matters depends on how far the counter has come.
    """
    width = 10
    gate, increment = np.zeros((width, 2), dtype=int), np.zeros((width, 2), dtype=int)
    gate[:9, 0] = -1
    increment[:9, 0] = 1
    increment[9, 1] = steps_up
    first = np.zeros((1, width + 2), dtype=int)
    first[0, 0], first[0, 9] = weight, 1
    layer = Layer(
        affine(gate, [1] * width), affine(increment, [0] * width), np.zeros(width, int), (Mix(affine(first, [-4])),)
    )
    return SSM(("a", "b"), (ACCEPT,), np.array([[1, 0], [0, 1], [0, 0]]), (layer,), affine([[1]], [0]), arithmetic)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:3", "float32", "float16"])
@pytest.mark.parametrize("weight, up", [(1, 1), (-2, 1), (3, 2), (-7, 3), (1, -1)])
def test_what_does_not_matter_yet_may_matter_later(arithmetic, weight, up):
    """Values that reach further than before make coordinates matter that did not."""
    assert followed_alike(late_reader(Arithmetic.parse(arithmetic), weight, up), steps=30)


def test_a_counter_that_goes_on_and_on_is_followed():
    assert followed_alike(late_reader(Arithmetic("exact"), -7, 3), steps=400, words=3)


def test_slots_that_a_depth_does_not_ask_for_are_not_told_apart():
    """At each depth one slot matters, so few rows of outputs are ever computed."""
    engine = Engine(lower(bounded_dyck(8, 4), Arithmetic("exact")))
    model, computed = Tabulated(engine), []
    parts, _ = model.begin()
    layer = model._layers[-1]
    given, layer._result._compute = layer._result._compute, lambda *pair: computed.append(len(pair[0])) or given(*pair)
    rng = np.random.default_rng(0)
    parts = [np.repeat(part, 500) for part in parts]
    for _ in range(60):
        parts, _ = model.step(parts, rng.integers(0, 16, 500))
    assert len(set(zip(*(part.tolist() for part in parts)))) > 300 and sum(computed) < 300


# -- the search ---------------------------------------------------------------------------------------


def slow_search(machine, model, mode, limit):
    """Outcome, length of a shortest witness, machine states and joint states: one pair at a time, in a set."""

    def given(outputs):
        return {name for name, on in zip(model.outputs, outputs.dense()[0, 0]) if on}

    def expected(state):
        if mode == PREDICTIVE:
            return machine.legal(state)
        return {ACCEPT} if machine.accepts(state) else set()

    rows, outputs = model.begin(1)
    if given(outputs) != expected(machine.initial):
        return REFUTED, 0, 0, 0
    key = lambda state, rows: (state, rows.tobytes() if rows.dtype != object else tuple(rows[0]))  # noqa: E731
    seen, waiting = {key(machine.initial, rows)}, deque([(machine.initial, rows, 0)])
    while waiting:
        state, rows, length = waiting.popleft()
        for place, symbol in enumerate(model.alphabet):
            if mode == PREDICTIVE and symbol not in machine.legal(state):
                continue
            after = machine.step(state, symbol)
            stepped, outputs = model.advance(rows, np.array([[place]]))
            if given(outputs) != expected(after):
                return REFUTED, length + 1, 0, 0
            if key(after, stepped) not in seen:
                seen.add(key(after, stepped))
                waiting.append((after, stepped, length + 1))
        if len(seen) > limit:
            return UNDECIDED, 0, 0, 0
    return PROVED, 0, len({state for state, _ in seen}), len(seen)


def agree(machine, model, mode, limit=30):
    """Holds the search to the slow one, where that does not give up."""
    outcome, length, states, joint = slow_search(machine, model, mode, limit)
    if outcome == UNDECIDED:
        return
    verdict = bisimulation(machine, model, mode, limit=4 * limit)
    assert verdict.outcome == outcome
    if outcome == REFUTED:
        assert len(verdict.witness.word) == length
    else:
        assert (verdict.explored["machine states"], verdict.explored["joint states"]) == (states, joint)


@settings(max_examples=30)
@given(st.data(), st.sampled_from(["exact", "fixed:4", "float32", "float64"]))
def test_the_search_finds_what_the_slow_one_finds_on_right_and_wrong_models(data, arithmetic):
    cascade = data.draw(cascades("ab", before=arithmetic.startswith("f")))
    ssm = ssm_of(cascade, arithmetic)
    if data.draw(st.booleans()):
        ssm = data.draw(corrupted(ssm))
    agree(cascade, Engine(ssm), cascade.mode)


@settings(max_examples=30)
@given(dfas("01"), st.integers(0, 10**6), st.sampled_from(ARITHMETICS))
def test_the_search_finds_what_the_slow_one_finds_on_random_models(machine, seed, arithmetic):
    agree(machine, Engine(random_ssm(seed, 1 + seed % 2, 1 + seed % 9, Arithmetic.parse(arithmetic))), RECOGNISE)


@given(dfas(), dfas(), st.sampled_from([PREDICTIVE, RECOGNISE]))
def test_the_search_finds_what_the_slow_one_finds_on_stepped_machines(machine, other, mode):
    agree(machine, Stepwise(other, mode), mode)


@pytest.mark.parametrize("truth", [(2, 3), (3, 2), (2, 2)])
@pytest.mark.parametrize("arithmetic", ["exact", "float16"])
@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_a_search_over_stacks_is_a_search_over_states(truth, arithmetic, mode):
    """Dyck languages are numbered without a table; a subclass, which might answer differently, is not."""

    class Other(DyckMachine):
        pass

    engine = Engine(
        lower(bounded_dyck(2, 3, mode) if truth[0] == 2 else bounded_dyck(3, 3, mode), Arithmetic.parse(arithmetic))
    )
    absorbed = find_sticky(engine) if mode == RECOGNISE else None
    found, other = (bisimulation(kind(*truth), engine, mode, absorbed=absorbed) for kind in (DyckMachine, Other))
    assert found.outcome == other.outcome == (PROVED if truth == (2, 3) else REFUTED)
    if found.outcome == PROVED:
        assert found == other
    else:
        assert len(found.witness.word) == len(other.witness.word)


def test_a_subclass_of_bounded_dyck_may_answer_differently():
    class OneMore(DyckMachine):
        def legal(self, state):
            return super().legal(state) | {"<eos>"}

    class OneType(DyckMachine):
        def step(self, state, symbol):
            return super().step(state, symbol.replace("b", "a"))

    for machine in (OneMore(2, 3), OneType(2, 3)):
        verdict = bisimulation(machine, Engine(lower(bounded_dyck(2, 3), Arithmetic("exact"))))
        assert verdict.outcome == REFUTED and len(verdict.witness.word) == 1


def test_a_model_of_too_many_parts_is_run_as_it_is(monkeypatch):
    engine = Engine(lower(bounded_dyck(2, 3), Arithmetic("exact")))
    quick = bisimulation(DyckMachine(2, 3), engine)
    monkeypatch.setattr(tabulated, "_MOST_ENTRIES", 4)
    with pytest.raises(TooManyStates):
        model = Tabulated(engine)
        parts, _ = model.begin()
        for symbol in (0, 2, 0, 1, 3):
            parts, _ = model.step(parts, np.array([symbol]))
    assert bisimulation(DyckMachine(2, 3), engine) == quick


@pytest.mark.parametrize(
    "k, depth, mode, arithmetic",
    [
        (2, 15, PREDICTIVE, "exact"),
        (8, 5, PREDICTIVE, "exact"),
        (8, 5, PREDICTIVE, "float32"),
        (8, 5, RECOGNISE, "float32"),
    ],
)
def test_a_joint_state_takes_at_most_a_hundred_bytes(k, depth, mode, arithmetic):
    """Everything that the search holds at once, divided by the joint states."""
    engine = Engine(lower(bounded_dyck(k, depth, mode), Arithmetic.parse(arithmetic)))
    absorbed = find_sticky(engine) if mode == RECOGNISE else None
    tracemalloc.start()
    try:
        verdict = bisimulation(DyckMachine(k, depth), engine, mode, absorbed=absorbed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    joint = (depth + 1) * k**depth
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == joint
    assert peak <= 100 * joint
