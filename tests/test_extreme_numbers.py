"""Whatever numbers a model holds, the engine gives what the definition gives, or refuses in one line; so do the
proofs.
"""

import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.box_arithmetic import affine_boxes
from constructions.ssm.engine import Engine
from constructions.ssm.horizon import exact_length
from constructions.ssm.layers import GATES, Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.number_formats import ScaledIntegers
from constructions.ssm.ranges import outputs_when, ranges
from constructions.ssm.weights import SSM
from verify.methods.bisimulation import bisimulation
from verify.methods.bounded_search import pair_keys
from verify.methods.sticky import find_sticky
from verify.methods.translation import Folded, find_translation
from verify.numbers.boxes import Maps, NotCovered
from verify.numbers.sparse_rows import SparseMaps
from verify.verdict import PROVED, REFUTED

ARITHMETICS = [
    "exact",
    "fixed:0",
    "fixed:4",
    "fixed:32",
    "wrap:1",
    "wrap:31",
    "wrap:52",
    "float16",
    "float32",
    "float64",
]
EDGES = [2**10, 2**11, 2**15, 65_504, 65_520, 2**24, 2**31, 2**50, 2**52, 2**53, 2**61, 2**62]
LEAST, GREATEST = -(2**63), 2**63 - 1

# Mostly numbers that models are built of, so that edges meet something; neighbours of edges; never only extremes.
small = st.integers(-2, 2)
edge = st.builds(
    lambda n, by, sign: max(-(2**62), min(2**62, sign * (n + by))),
    st.sampled_from(EDGES),
    small,
    st.sampled_from([1, -1]),
)
numbers = st.one_of(small, small, small, edge)
exponents = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 62), st.sampled_from([30, 31, 53, 61, 62]))


def affines(rows, columns, entries=numbers, exponent=exponents):
    def build(matrix, bias, exponent):
        return Affine(np.array(matrix, dtype=np.int64).reshape(rows, columns), np.array(bias, dtype=np.int64), exponent)

    return st.builds(build, *(st.lists(entries, min_size=n, max_size=n) for n in (rows * columns, rows)), exponent)


@st.composite
def models(draw):
    """Any small model at all, whose numbers lie at the edges of everything."""
    arithmetic = Arithmetic.parse(draw(st.sampled_from(ARITHMETICS)))
    exponent = draw(st.sampled_from([st.just(0), exponents]))
    entries = draw(st.sampled_from([small, numbers, numbers]))
    features = draw(st.integers(1, 2))

    def vector(n):
        return draw(st.lists(entries, min_size=n, max_size=n).map(lambda values: np.array(values, dtype=np.int64)))

    embedding = vector(3 * features).reshape(3, features)
    layers, inputs = [], features
    for _ in range(draw(st.integers(1, 2))):
        width, phi, previous = draw(st.integers(1, 3)), [], None
        for stage in range(draw(st.integers(1, 2))):
            neurons = draw(st.integers(1, 2))
            affine = draw(affines(neurons, (width if stage == 0 else previous) + inputs, entries, exponent))
            ends = sorted(draw(st.tuples(numbers, numbers)))
            phi.append(Mix(affine, draw(st.sampled_from(["relu", "linear", "clip"])), *ends))
            previous = neurons
        function = draw(st.sampled_from(GATES)) if arithmetic.is_float else "affine"
        gate = draw(affines(width, inputs, draw(st.sampled_from([small, entries])), exponent))
        increment = draw(affines(width, inputs, entries, exponent))
        layers.append(Layer(gate, increment, vector(width), tuple(phi), draw(exponent), function))
        inputs = previous
    readout = draw(affines(1, inputs, entries, exponent))
    return SSM(("a", "b"), (ACCEPT,), embedding, tuple(layers), readout, arithmetic, draw(exponent))


def refused_or(function):
    """What the function returns, or None where it raises an InputError of one short line; no warning, no other
    error.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return function()
        except InputError as error:
            assert len(str(error)) <= 400 and "\n" not in str(error)
            return None


def truth(ssm, word):
    """States and outputs of the definition: after BOS, then after each symbol."""
    state, found = ssm.initial, [ssm.initial]
    for symbol in word:
        state = ssm.step(state, symbol)
        found.append(state)
    return found


def assert_equal_states(ssm, given_, wanted):
    flat = [value for layer in wanted.h for value in layer]
    if ssm.arithmetic.is_float:
        assert np.array_equal(given_, np.array(flat, dtype=given_.dtype), equal_nan=True)
    else:
        scale = 1 << ssm.arithmetic.unit_bits
        assert [Fraction(int(v)) if isinstance(v, (int, np.integer)) else v for v in given_.tolist()] == [
            v * scale for v in flat
        ]


def assert_engine_is_reference(ssm, word):
    """One symbol at a time, and all at once: each run stops where the engine refuses."""
    wanted = truth(ssm, word)
    engine = refused_or(lambda: Engine(ssm))
    if engine is None:
        return 0
    compared, step = 0, refused_or(lambda: engine.begin(1))
    for place, symbol in enumerate([*word, None]):
        if step is None:
            break
        state, outputs = step
        assert_equal_states(ssm, state[0], wanted[place])
        assert engine.names(outputs.dense()[0, -1]) == wanted[place].outputs
        compared += 1
        if symbol is not None:
            step = refused_or(lambda: engine.advance(state, engine.encode([symbol])))
    started = refused_or(lambda: engine.begin(1))
    whole = started and refused_or(lambda: engine.advance(started[0], engine.encode(word)))
    if whole is not None and word:
        assert_equal_states(ssm, whole[0][0], wanted[-1])
        assert [engine.names(row) for row in whole[1].dense()[0]] == [state.outputs for state in wanted[1:]]
    return compared


@settings(max_examples=120)
@given(models(), st.lists(st.sampled_from("ab"), max_size=8))
def test_the_engine_is_the_definition_or_refuses(ssm, word):
    assert_engine_is_reference(ssm, word)


# -- one coordinate, one fault ------------------------------------------------------------------------


def affine(matrix, bias, exponent=0):
    return Affine(np.array(matrix, dtype=np.int64), np.array(bias, dtype=np.int64), exponent)


def one_coordinate(
    arithmetic, gate, increment, phi, readout=([[1]], [0]), initial=0, embedding=((1,), (-1,), (0,)), initial_exponent=0
):
    """A recogniser over a and b with one feature (1, -1, and 0 for BOS) and one state coordinate."""
    layer = Layer(affine(*gate), affine(*increment), np.array([initial]), phi, initial_exponent)
    return SSM(("a", "b"), (ACCEPT,), np.array(embedding), (layer,), affine(*readout), Arithmetic.parse(arithmetic))


PASS = (Mix(affine([[1, 0]], [0]), "linear"),)


@pytest.mark.parametrize(
    "start, gate", [(2**62, 4), (-(2**62), 4), (2**61, 8), (2**60, -16), (2**40, 2**24), (2**53, 2**11), (3, 2**62)]
)
@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "wrap:52"])
def test_a_product_that_64_bits_would_take_for_0_is_refused(start, gate, arithmetic):
    """A flip-flop whose bit starts at a number that the gate on BOS makes a multiple of 2^64."""
    ssm = lower(flip_flop(), Arithmetic.parse(arithmetic))
    layer = ssm.layers[1]
    bos = ssm.layers[1].gate.matrix.toarray()
    bias = layer.gate.bias.copy()
    names = ssm.layers[0].phi[-1].names
    bias[0] = gate
    wrong = replace(layer, gate=Affine(0 * bos, bias), initial=np.array([start]))
    wrong = replace(ssm, layers=(ssm.layers[0], wrong))
    assert len(names) == wrong.layers[1].inputs
    word = []
    compared = assert_engine_is_reference(wrong, word)
    if compared:  # wrapping states are small: there the product is right
        assert arithmetic == "wrap:52"
    verdict = refused_or(lambda: bisimulation(FlipFlopMachine(), Engine(wrong)))
    assert verdict is None or verdict.outcome == REFUTED


def test_additions_over_a_long_word_stay_within_the_bound():
    """A gate just below 1 keeps what is added, 2^20 a step; 2^33 times the gate's numerator needs 63 bits."""
    one = 1 << 30
    ssm = one_coordinate("fixed:0", ([[0]], [one - 1], 30), ([[0]], [1 << 20]), PASS, ([[1]], [-(2**31)]))
    engine = Engine(ssm)
    state, outputs = engine.begin(1)
    with pytest.raises(InputError, match="62 bits"):
        engine.advance(state, np.zeros((1, 10_000), dtype=np.int64))
    few = np.zeros((1, 2_000), dtype=np.int64)
    wanted = truth(ssm, ["a"] * 2_000)
    state, outputs = engine.advance(state, few)
    assert_equal_states(ssm, state[0], wanted[-1])
    assert [engine.names(row) for row in outputs.dense()[0]] == [state.outputs for state in wanted[1:]]


def test_what_is_added_counts_in_the_bound_of_a_step():
    layer = one_coordinate("exact", ([[0]], [1]), ([[0]], [0]), PASS).layers[0]
    step = ScaledIntegers(Arithmetic("exact")).update
    gate, h = np.array([[1 << 31]]), np.array([[(1 << 31) - 1]])
    assert step(layer, gate, h, np.array([[(1 << 31) - 1]])).tolist() == [[(1 << 62) - 1]]
    with pytest.raises(InputError, match="62 bits"):
        step(layer, gate, h, np.array([[1 << 31]]))


@pytest.mark.parametrize(
    "gate, increment, start",
    [
        ((2, 1), (3, 3), 5),
        ((3, 2), (-7, 1), -9),
        ((-1, 0), (1, 4), 8),
        ((5, 3), (-1, 0), 1),
        ((1, 62), (-1, 62), 9),
        ((3, 2), (1, 1), 1),
    ],
)
@pytest.mark.parametrize("arithmetic", ["fixed:0", "fixed:2", "fixed:32", "wrap:5"])
def test_a_step_rounds_once(gate, increment, start, arithmetic):
    """Gate, increment and unit have different binary places; the sum is rounded down, not its terms."""
    gate, increment = ([[0]], [gate[0]], gate[1]), ([[1]], [increment[0]], increment[1])
    ssm = one_coordinate(arithmetic, gate, increment, PASS, ([[1]], [-3]), start)
    assert assert_engine_is_reference(ssm, list("aabbab")) == 7


def test_sums_over_a_long_word_stay_within_the_bound():
    """2^45 is added at every step: 2^53 after 256."""
    ssm = one_coordinate("exact", ([[0]], [1]), ([[0]], [1 << 45]), PASS, ([[1]], [-(2**50)]))
    engine = Engine(ssm)
    state, outputs = engine.begin(1)
    with pytest.raises(InputError, match="exactly below 2.53"):
        engine.advance(state, np.zeros((1, 1 << 20), dtype=np.int64))
    assert assert_engine_is_reference(ssm, ["a"] * 100) == 101
    # Nor may a state pass that nothing reads, and that no other bound would stop.
    unread = one_coordinate(
        "exact", ([[0]], [1]), ([[0]], [1 << 45]), (Mix(affine([[0, 1]], [0]), "linear"),), ([[1]], [0])
    )
    with pytest.raises(InputError, match="exactly below 2.53"):
        Engine(unread).advance(state, np.zeros((1, 1 << 20), dtype=np.int64))


@pytest.mark.parametrize(
    "low, high", [(2**60, 2**61), (-(2**61), -(2**60)), (-(2**62), 2**62), (-3, 2**62), (-(2**62), 2)]
)
@pytest.mark.parametrize("arithmetic", ["exact", "fixed:32", "wrap:8", "float16"])
def test_a_clip_to_numbers_beyond_the_bound_is_refused(low, high, arithmetic):
    phi = (Mix(affine([[1, 0]], [0]), "clip", low, high),)
    ssm = one_coordinate(arithmetic, ([[0]], [1]), ([[1]], [0]), phi, ([[1]], [-1]), 1)
    compared = assert_engine_is_reference(ssm, list("aab"))
    assert compared == (0 if max(low, -high) >= 2**60 and arithmetic != "float16" else 4)


def test_a_sum_of_floats_counts_its_bias_in_full():
    """2^52 + 1 and a quarter is 2^52 + 1 in float64; four times the bias is not exact, and rounds the sum up."""
    embedding = [[1], [1], [1]]
    phi = (Mix(affine([[0, 1]], [4 * (2**52 + 1)], 2), "linear"), Mix(affine([[1, 0]], [-(2**52 + 1)]), "linear"))
    ssm = one_coordinate("float64", ([[0]], [0]), ([[0]], [0]), phi, ([[1]], [0]), embedding=embedding)
    assert_engine_is_reference(ssm, ["a"])
    quarter = replace(
        ssm,
        embedding_exponent=2,
        layers=(replace(ssm.layers[0], phi=(Mix(affine([[0, 1]], [2**52 + 1]), "linear"), phi[1])),),
    )
    assert assert_engine_is_reference(quarter, ["a"]) == 2
    assert quarter.initial.outputs == frozenset()


@pytest.mark.parametrize("start", [65_504, 65_519, 65_520, 2**17, -(2**40)])
def test_a_start_beyond_float16_is_infinite(start):
    for gate in (0, 1, -1):
        ssm = one_coordinate("float16", ([[0]], [gate]), ([[1]], [0]), PASS, ([[1]], [0]), start)
        assert assert_engine_is_reference(ssm, list("ab")) == 3


def test_arrays_edited_after_the_model_was_made_are_checked_by_the_engine():
    ssm = lower(flip_flop(RECOGNISE), Arithmetic.parse("fixed:1"))
    for name, array in [
        ("embedding", ssm.embedding),
        ("layers.0.initial", ssm.layers[0].initial),
        ("readout.bias", ssm.readout.bias),
    ]:
        kept, array.flat[0] = array.flat[0], LEAST
        with pytest.raises(InputError, match=f"{name} .* is {LEAST}"):
            Engine(ssm)
        array.flat[0] = kept
    ssm.layers[0].gate.matrix.data[0] = GREATEST
    with pytest.raises(InputError, match="layers.0.gate.values"):
        Engine(ssm)


# -- proofs -------------------------------------------------------------------------------------------


BUILT = [
    (FlipFlopMachine(), lower(flip_flop(), Arithmetic("exact"))),
    (FlipFlopMachine(), lower(flip_flop(RECOGNISE), Arithmetic("fixed", 1))),
]
BUILT += [
    (DyckMachine(1, 2), lower(bounded_dyck(1, 2, mode), Arithmetic.parse(arithmetic)))
    for mode in (PREDICTIVE, RECOGNISE)
    for arithmetic in ("exact", "fixed:0", "fixed:32", "float16", "float64")
]


@st.composite
def edited_models(draw):
    """A built model, flip-flop or bounded Dyck, of which a few numbers are something else: those of BOS in
    particular.
    """
    machine, ssm = draw(st.sampled_from(BUILT))
    mode = ssm.mode
    layers = list(ssm.layers)
    for _ in range(draw(st.integers(1, 2))):
        number = draw(st.integers(0, len(layers) - 1))
        layer, value = layers[number], draw(numbers)
        part = draw(st.sampled_from(["initial", "initial", "gate", "increment", "embedding"]))
        if part == "embedding":
            embedding = ssm.embedding.copy()
            embedding[draw(st.sampled_from([-1, -1, 0])), draw(st.integers(0, embedding.shape[1] - 1))] = value
            ssm = replace(ssm, embedding=embedding)
        elif part == "initial" and layer.width:
            initial = layer.initial.copy()
            initial[draw(st.integers(0, layer.width - 1))] = value
            layers[number] = replace(layer, initial=initial)
        elif layer.width:
            old = getattr(layer, part) if part != "initial" else layer.gate
            matrix = old.matrix.toarray()
            matrix[draw(st.integers(0, matrix.shape[0] - 1)), draw(st.integers(0, matrix.shape[1] - 1))] = value
            layers[number] = replace(
                layer, **{part if part != "initial" else "gate": Affine(matrix, old.bias, old.exponent)}
            )
    return machine, mode, replace(ssm, layers=tuple(layers))


def expected(machine, mode, state):
    if mode == PREDICTIVE:
        return machine.legal(state)
    return frozenset({ACCEPT} if machine.accepts(state) else ())


def assert_right_on_all_strings(machine, mode, ssm, most):
    """Every string of the mode up to a length, by the definition."""

    def follow(state, model, left):
        assert model.outputs == expected(machine, mode, state)
        for symbol in (
            (machine.legal(state) & set(machine.alphabet) if mode == PREDICTIVE else machine.alphabet) if left else ()
        ):
            follow(machine.step(state, symbol), ssm.step(model, symbol), left - 1)

    follow(machine.initial, ssm.initial, most)


@settings(max_examples=40)
@given(edited_models())
def test_a_search_that_closes_agrees_with_brute_force(case):
    assert_search_is_brute_force(*case)


def assert_search_is_brute_force(machine, mode, ssm, most=3):
    def search():
        engine = Engine(ssm)
        return bisimulation(
            machine, engine, mode, limit=2_000, absorbed=find_sticky(engine) if mode == RECOGNISE else None
        )

    verdict = refused_or(search)
    if verdict is None:
        return "refused"
    if verdict.outcome == REFUTED:
        wanted = expected(machine, mode, run(machine, verdict.witness.word))
        assert (
            truth(ssm, verdict.witness.word)[-1].outputs == verdict.witness.given != wanted == verdict.witness.expected
        )
    if verdict.outcome == PROVED:
        assert_right_on_all_strings(machine, mode, ssm, most)
    return verdict.outcome


# -- bounds -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(models(), st.lists(st.sampled_from("ab"), max_size=6))
def test_ranges_hold_every_number(ssm, word):
    assert_ranges_hold(ssm, word)


def assert_ranges_hold(ssm, word):
    if not ssm.arithmetic.monotone:
        return
    known = refused_or(lambda: ranges(ssm))
    length = refused_or(lambda: exact_length(ssm))
    boxes = affine_boxes(
        ssm.arithmetic, ssm.readout, known.features[-1].low, known.features[-1].high, known.feature_bits[-1]
    )
    for steps, state in enumerate(truth(ssm, word)):
        for h, low, high in zip(state.h, known.low, known.high):
            for value, least, greatest in zip(h, low.tolist(), high.tolist()):
                if not ssm.arithmetic.is_float:
                    assert (least == -np.inf or Fraction(least) <= value) and (
                        greatest == np.inf or value <= Fraction(greatest)
                    )
                elif np.isfinite(value):
                    assert least <= value <= greatest
        if not ssm.arithmetic.is_float or length is None or steps <= length:
            assert not (state.outputs and (boxes.high <= 0).all())
        if not ssm.arithmetic.is_float:
            assert state.outputs or not (boxes.low > 0).all()
    if ssm.arithmetic.is_float and length and all(layer.gate_function == "affine" for layer in ssm.layers):
        rounded, exact = (truth(s, word[:length])[-1].h for s in (ssm, replace(ssm, arithmetic=Arithmetic("exact"))))
        assert [Fraction(float(v)) for h in rounded for v in h] == [v for h in exact for v in h]


def test_a_falling_ray_does_not_pass_a_relu():
    """relu(100 - c) of a counter c is 0 at last, whatever it is where the ray begins; the first mix has no sign change
    there.
    """
    phi = (Mix(affine([[1, 0]], [0]), "linear"), Mix(affine([[-1, 0]], [100]), "relu"))
    ssm = one_coordinate("exact", ([[0]], [1]), ([[0]], [1]), phi, ([[-1]], [1]))
    known = ranges(ssm)
    assert known.features[1].low.min() == 0 and known.features[1].high.max() >= 99
    assert assert_engine_is_reference(ssm, ["a"] * 101) == 102
    assert truth(ssm, ["a"] * 101)[-1].outputs == {ACCEPT}
    for least in (0.0, 1.0):
        assert (outputs_when(ssm, known, 0, 0, least).high > 0).any()


def test_sums_on_an_unknown_grid_round():
    """1 + 2^-12 is 1 in float16: a box of points whose binary places are not known holds both."""
    low = np.array([[1.0, 2.0**-12]])
    boxes = affine_boxes(Arithmetic.parse("float16"), affine([[1, 1]], [0]), low, low, np.inf)
    assert boxes.low[0, 0] <= 1.0 < 1.0 + 2.0**-12 <= boxes.high[0, 0]
    known = affine_boxes(Arithmetic.parse("float16"), affine([[1, 1]], [0]), low * 2**12, low * 2**12, 0)
    assert known.low[0, 0] <= 4096 and known.high[0, 0] >= 4097
    small = affine_boxes(
        Arithmetic.parse("float16"), affine([[1, 1]], [0]), np.array([[5.0, 2.0]]), np.array([[5.0, 2.0]]), 0
    )
    assert small.low.tolist() == small.high.tolist() == [[7.0]]


def test_an_infinite_weight_meets_zero_in_no_box():
    for x in (0.0, 2.0**-10):
        boxes = affine_boxes(Arithmetic.parse("float16"), affine([[70_000]], [0]), np.array([[x]]), np.array([[x]]), 10)
        assert (boxes.low, boxes.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("arithmetic, most", [("float16", 2**11), ("float32", 2**24), ("exact", 2**53)])
def test_the_exact_length_counts_bos(arithmetic, most):
    """One is added on BOS too: after n symbols the counter is n + 1, and every number has to stay below the bound."""
    ssm = one_coordinate(arithmetic, ([[0]], [1]), ([[0]], [1]), PASS, ([[1]], [0]))
    assert exact_length(ssm) == most - 2


def test_an_infinite_embedding_has_no_exact_length():
    """In float16 the embedding is infinite; the neuron that does not read it has a product of 0 and infinity in the
    bound.
    """
    phi = (Mix(affine([[1, 0], [0, 1]], [0, 0]), "linear"),)
    ssm = one_coordinate("float16", ([[0]], [1]), ([[0]], [1]), phi, ([[1, 0]], [0]), embedding=((2**17,), (0,), (0,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert exact_length(ssm) == 0


def test_pairs_of_fractions_have_the_keys_of_their_values():
    rows = np.array([[Fraction(1, 2)], [Fraction(2, 4)], [Fraction(1, 3)]], dtype=object)
    assert rows[0, 0] is not rows[1, 0]
    same, other, third = pair_keys(np.zeros(3, dtype=np.int32), rows)
    assert same == other != third


def test_a_bounded_search_tells_fractions_apart_by_their_values():
    """The counter goes up by a half; the model accepts while it is small, the machine always: only its values
    differ.
    """
    from automata.dfa import DFA
    from verify.methods.bounded_search import bounded_search

    phi = (Mix(affine([[-1, 0]], [20]), "relu"),)
    ssm = one_coordinate("exact", ([[0]], [1]), ([[0]], [1], 1), phi, ([[1]], [0]))
    verdict = bounded_search(DFA("ab", [[0, 0]], [0]), Engine(ssm), 30)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == 39
    inside = bounded_search(DFA("ab", [[0, 0]], [0]), Engine(ssm), 5)
    assert inside.explored["pairs"] == 10


def test_a_translation_is_not_followed_beyond_62_bits():
    """A counter times 2^62 moves by 2^64 when it moves by 4: that is 0 in 64 bits, and not what the outputs see."""
    phi = (Mix(affine([[2**62, 0]], [0]), "linear"),)
    ssm = one_coordinate("fixed:0", ([[0]], [1]), ([[0]], [1]), phi, ([[1]], [0]))
    assert find_translation(ssm) is None
    clear = one_coordinate("fixed:0", ([[0]], [1]), ([[0]], [1]), PASS, ([[2**62]], [0]))
    assert find_translation(clear) is None
    folded = Folded(Engine(ssm), np.array([1, 2**61]))
    with pytest.raises(InputError, match="62 bits"):
        folded._fold(np.array([[8, 0]]))


@settings(max_examples=60)
@given(models(), st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_sparse_rows_are_the_engine(ssm, symbols):
    assert_sparse_is_engine(ssm, symbols)


def assert_sparse_is_engine(ssm, symbols):
    """Layer by layer on the rows of some symbols, from the states before BOS."""
    try:
        maps = refused_or(lambda: SparseMaps(Engine(ssm)))
    except NotCovered:
        return
    if maps is None:
        return
    engine = Engine(ssm)
    rows = refused_or(lambda: maps.embedding(np.array(symbols)))
    dense = engine.embedding[symbols] if rows is not None else None
    for number, layer in enumerate(ssm.layers):
        if rows is None:
            return
        parts = []
        for ours, product, array in (
            (maps.gates, engine._gates, layer.gate),
            (maps.increments, engine._increments, layer.increment),
        ):
            ours = refused_or(lambda: ours(number, rows))
            theirs = refused_or(lambda: engine.numbers.affine(product[number], array, dense))
            if ours is None or theirs is None:
                return
            assert ours.tolist() == theirs.tolist()
            parts.append(theirs)
        start = engine.start(len(symbols))[:, engine.spans[number]]
        h = refused_or(lambda: engine.numbers.update(layer, parts[0], start, parts[1]))
        z = h
        for mix, product in zip(layer.phi, engine._mixes[number]):
            z = (
                None
                if z is None
                else refused_or(lambda: engine.numbers.mix(product, mix, np.concatenate([z, dense], axis=1)))
            )
        rows = None if z is None else refused_or(lambda: maps.phi(number, h, rows))
        if rows is not None:
            assert rows.toarray().tolist() == z.tolist()
        dense = z


def test_a_bias_that_wraps_with_its_unit_is_refused_on_sparse_rows():
    """2^32 units of 2^-32 need 64 bits, and would be 0."""
    phi = (Mix(affine([[1, 0]], [2**32]), "relu"),)
    ssm = one_coordinate("fixed:32", ([[0]], [1]), ([[0]], [0]), phi, ([[1]], [-1]))
    with pytest.raises(InputError, match="exactly below"):
        SparseMaps(Engine(ssm))


@pytest.mark.parametrize("place", ["embedding", "bias", "readout"])
def test_boxes_do_not_speak_about_numbers_that_they_cannot_hold(place):
    value = -(2**62)
    phi = (Mix(affine([[1, 0]], [value if place == "bias" else 0]), "relu"),)
    embedding = ((1,), (-1,), (value if place == "embedding" else 0,))
    ssm = one_coordinate(
        "exact", ([[0]], [1]), ([[0]], [0]), phi, ([[1]], [value if place == "readout" else 0]), embedding=embedding
    )
    with pytest.raises(NotCovered, match="too large"):
        Maps(ssm)
