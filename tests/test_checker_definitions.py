"""What the checker defines - steps, rounding, parts of boxes, languages, expressions - beside the program's own
definitions.
"""

import ast
import copy
import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import BOS, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import NAMES, counter_machine
from automata.machines.flip_flop import FlipFlopMachine
from automata.notation.expressions import parse_regex, regex_to_dfa
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.random_ssm import random_ssm
from tests.hand_made_certificates import (
    certificate,
    check,
    computes,
    dfa_of,
    dyck_relation,
    model,
    tiny,
    with_a_silent_feature,
    word_certificate,
)
from verify import checker


@pytest.fixture(autouse=True)
def _enough_work(monkeypatch):
    """Whatever was checked before in this process."""
    monkeypatch.setattr(checker.Work, "left", 10**9)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "fixed:3", "wrap:4", "float16", "float32", "float64"])
def test_a_step_is_the_definition(arithmetic):
    rng = np.random.default_rng(3)
    for seed in range(4):
        ssm = random_ssm(seed, 2, 4, Arithmetic.parse(arithmetic), bounded=bool(seed % 2))
        value = checker._Model(model(ssm))
        running, state = checker.Run(value), reference.step(ssm, reference.start(ssm), BOS)
        here, given = running.step(0, -1)
        for symbol in rng.integers(0, 2, 12):
            numbers = [Fraction(float(v)) if ssm.arithmetic.is_float else v for h in state.h for v in h]
            assert [v for layer in running.layers for v in running.content(layer, here)] == numbers
            assert given == sum(1 << i for i, name in enumerate(ssm.outputs) if name in state.outputs)
            state = reference.step(ssm, state, ssm.alphabet[symbol])
            here, given = running.step(here, int(symbol))


def overflowing(seed):
    """Two layers of float16 with weights that soon lead to infinities, and to what is no number."""
    rng = np.random.default_rng(seed)

    def rows(outputs, inputs):
        weights = rng.choice([0, 0, 1, -1, 2, 3000, -3000, 2**40], (outputs, inputs))
        pairs = [[int(n) for c in np.flatnonzero(row) for n in (c, row[c])] for row in weights]
        return {"exponent": 0, "bias": [int(n) for n in rng.integers(-2, 3, outputs)], "rows": pairs}

    def layer(inputs):
        stages = [
            {"affine": rows(3, 2 + inputs), "activation": "clip", "low": -5, "high": int(rng.integers(-5, 5))},
            {"affine": rows(2, 3 + inputs), "activation": "relu", "low": 0, "high": 0},
        ]
        initial = {"exponent": 0, "values": [0, 1]}
        return {"initial": initial, "gate": rows(2, inputs), "increment": rows(2, inputs), "phi": stages}

    value = tiny(arithmetic="float16", symbols="ab")
    value["embedding"]["rows"] = rng.integers(-1, 2, (3, 2)).tolist()
    value["layers"], value["readout"] = [layer(2), layer(2)], rows(1, 2)
    return value


def float16_step(value, states, x):
    """The definition: (states, whether the output is positive) in numpy's floats."""

    def image(affine, x):
        sums = []
        for bias, row in zip(affine["bias"], affine["rows"]):
            total = np.float16(0)
            for c, weight in zip(row[::2], row[1::2]):
                total = total + np.float16(weight) * x[c]
            sums.append(total + np.float16(bias))
        return sums

    new = []
    for layer, h in zip(value["layers"], states):
        z = [g * v + b for g, v, b in zip(image(layer["gate"], x), h, image(layer["increment"], x))]
        new.append(z)
        for stage in layer["phi"]:
            low, high = (0, np.inf) if stage["activation"] == "relu" else (stage["low"], stage["high"])
            z = [np.float16(low if v < low else high if v > high else v) for v in image(stage["affine"], z + x)]
        x = z
    return new, bool(image(value["readout"], x)[0] > 0)


def test_floats_that_overflow_are_the_definition():
    met = set()
    for seed in range(60):
        value = overflowing(seed)
        running = checker.Run(checker._Model(copy.deepcopy(value)))
        rows = [[np.float16(n) for n in row] for row in value["embedding"]["rows"]]
        with np.errstate(all="ignore"):
            states, given = float16_step(value, [[np.float16(0), np.float16(1)]] * 2, rows[-1])
            here, found = running.step(0, -1)
            for symbol in np.random.default_rng(seed).integers(0, 2, 40):
                numbers = [v for layer in running.layers for v in running.content(layer, here)]
                wanted = [float(v) for h in states for v in h]
                assert np.array_equal(numbers, wanted, equal_nan=True) and found == given, seed
                met |= {"infinite" for v in wanted if np.isinf(v)} | {"no number" for v in wanted if np.isnan(v)}
                states, given = float16_step(value, states, rows[symbol])
                here, found = running.step(here, int(symbol))
    assert met == {"infinite", "no number"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_what_a_layer_looks_at_changes_with_the_numbers(sign, arithmetic):
    """a counts from 40 towards 0, c back, and b leaves the counter: it is below 25, or not, whatever was met before."""
    value = tiny(increment=-sign, arithmetic=arithmetic, phi=(([-sign, 0], 25, "relu"),), symbols="abc")
    value["embedding"]["rows"], value["layers"][0]["initial"]["values"] = [[1], [0], [-1], [0]], [40 * sign]
    running = checker.Run(checker._Model(value))
    (state, _), count = running.step(0, -1), 40
    for move in 20 * [-1] + 20 * [1]:
        assert running.step(state, 1) == (state, count < 25)
        count += move
        state, given = running.step(state, 1 + move)
        assert given == (count < 25)


@pytest.mark.parametrize(
    "start, symbols, phi, readout, given",
    [
        # b makes 4 no number, inf - inf: it passes the relu, for which all numbers up to then sleep
        (4, {"a": [1, 0], "b": [60000, -60000]}, ([-1, 0, 0], -1, "relu"), (1, 1), {"aa": True, "aba": False}),
        # inf h is clipped to 5 for 1 and -1, between which it is no number
        (
            1,
            {"a": [1, 0], "b": [0, -1], "c": [0, 0]},
            ([2**62, 0, 0], 0, "clip"),
            (1, -4),
            {"a": True, "ba": True, "baca": False},
        ),
    ],
)
def test_a_layer_looks_at_what_may_be_no_number(start, symbols, phi, readout, given):
    """Symbols have features of their own for the gate, and for half of the increment."""
    value = tiny(0, 2, "float16", (phi,), readout, "".join(symbols))
    layer, clip = value["layers"][0], value["layers"][0]["phi"][0]
    value["embedding"]["rows"], layer["initial"]["values"] = [*symbols.values(), [1, 0]], [start]
    layer["gate"]["rows"], layer["increment"]["rows"] = [[0, 1]], [[1, 2]]
    clip["low"] = clip["high"] = 5 * clip["high"]
    running = checker.Run(checker._Model(value))
    for word, wanted in given.items():
        state, _ = running.step(0, -1)
        for name in word:
            state, found = running.step(state, list(symbols).index(name))
        assert found == wanted


@pytest.mark.parametrize("bracket", range(8))
def test_each_bracket_is_looked_at_where_not_all_are_alike(bracket):
    """Another vector for one bracket of four types, so that bits do not make it."""
    value = dyck_relation(4, 1)
    assert check(copy.deepcopy(value)) is None
    rows = value["model"]["embedding"]["rows"]
    rows[bracket] = [-n for n in rows[bracket]]
    assert "relation: in control" in check(value)


def test_what_does_not_fit_into_a_lane(monkeypatch):
    """A coordinate that takes too many numbers, and a counter of the language that grows too far."""
    monkeypatch.setattr(checker, "LANE", 7)
    monkeypatch.setattr(checker, "MASK", 127)
    value = word_certificate(200, "exact")
    assert "a coordinate has more than 127 numbers" in check(value)
    drifting = {"word": {"parts": [[["("], 100]]}}
    language, constant = {"name": "dyck-1"}, tiny(0, 0, readout=(0, 1), symbols="()")
    value = certificate("is wrong about", drifting, mode="recognise", language=language, model=constant)
    assert "a counter is beyond 63" in check(value)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "fixed:3", "wrap:4"])
def test_a_step_of_forms_is_the_definition_where_all_is_known(arithmetic):
    for seed in range(4):
        ssm = random_ssm(seed, 2, 4, Arithmetic.parse(arithmetic), bounded=bool(seed % 2))
        dfa = {"symbols": list(ssm.alphabet), "table": [[0, 0]], "accepting": [0], "start": 0}
        claim = checker._Claim(computes(ssm, {"dfa": dfa}, {"relation": {"entries": []}}))
        relation = checker.Relation(claim, [], "here")

        def forms(values):
            return [{0: v} if v else {} for v in values]

        state = reference.step(ssm, reference.start(ssm), BOS)
        for symbol in (0, 1, 1, 0):
            memo = dict(zip(relation.before, forms(v for h in state.h for v in h)))
            memo.update(zip(relation.inputs, forms(relation.model.embedding[symbol])))
            box = checker._Box([(1, 1)], memo)
            state = reference.step(ssm, state, ssm.alphabet[symbol])
            assert [relation.value(wire, box) for wire in relation.after] == forms(v for h in state.h for v in h)
            given = [relation.value(wire, box).get(0, 0) > 0 for wire in relation.outputs]
            assert given == [name in state.outputs for name in ssm.outputs]


def test_a_weight_on_what_is_always_0_changes_nothing():
    value = dyck_relation(2, 3, arithmetic="float16")
    assert check({**value, "model": with_a_silent_feature(value["model"], 2048)}) is None


@pytest.mark.parametrize("most, says", [(2047, None), (2048, "may not be exact in float16")])
def test_floats_are_added_in_order(most, says):
    """In float16 2048 + 1 is 2048, so that 2048 + 1 - 2048 is 0: in a gate, and in an output of constants."""
    value = dyck_relation(2, 3, arithmetic="float16")
    rows, gate = value["model"]["embedding"]["rows"], value["model"]["layers"][0]["gate"]
    gate["rows"][0], gate["bias"][0] = [*gate["rows"][0], len(rows[0]), most, len(rows[0]) + 1, 1], -most
    value["model"]["embedding"]["rows"] = [[*row, 1, 1] for row in rows]
    assert check(value) == says or says in check(value)
    value = dyck_relation(1, 0, arithmetic="float16")
    last, readout = value["model"]["layers"][-1]["phi"][-1]["affine"], value["model"]["readout"]
    neurons = len(last["bias"])
    last["bias"], last["rows"] = [*last["bias"], most, 1], [*last["rows"], [], []]
    readout["rows"][-1], readout["bias"][-1] = [neurons, 1, neurons + 1, 1], -most
    assert check(value) == says or says in check(value)


def test_what_is_rounded_to_0_is_not_positive():
    """In float16 2^-30 is 0."""
    value = dyck_relation(1, 0, arithmetic="float16")
    readout = value["model"]["readout"]
    readout["exponent"], readout["bias"] = 30, [n << 30 for n in readout["bias"]]
    readout["rows"] = [[n << 30 if i % 2 else n for i, n in enumerate(row)] for row in readout["rows"]]
    assert check(value) is None
    readout["rows"][-1], readout["bias"][-1] = [], 1
    assert "may not be exact in float16" in check(value)


def relation_of(arithmetic, wires):
    """The wires of a relation, without its entries; a sum is ("sum", its ends, its bias, its terms)."""
    relation = object.__new__(checker.Relation)
    relation.arithmetic, relation.precise, relation.wires = checker.arithmetic_of(arithmetic, ""), False, []
    for i, (kind, *parts) in enumerate(wires):
        if kind == "sum":
            columns = {wire: [(0, weight)] for wire, weight in parts[2]}
            parts = [parts[0], checker.Record(first=i, bias=[parts[1]], columns=columns, rows=[parts[2]])]
        relation.wires.append((kind, *parts))
    return relation


def greatest(relation, weights, bias, forms, points):
    """Of a sum of given forms and of clips of sums of them, at some points."""

    def at(point, wire):
        if wire in forms:
            return sum(a * (point[p - 1] if p else 1) for p, a in forms[wire].items())
        _, (low, high), rows = relation.wires[wire]
        total = rows.bias[0] + sum(w * at(point, part) for part, [(_, w)] in rows.columns.items())
        total = checker.floored(total, relation.arithmetic.places)
        return min(max(total, low), high)

    return max(bias + sum(weight * at(point, wire) for wire, weight in weights) for point in points)


RANGES = [(0, 1), (-3, 4), (2, 2), (0, checker.INFINITY), (-checker.INFINITY, 1), (-checker.INFINITY, checker.INFINITY)]
"""Of parameters.  Beyond 12 nothing turns, and 10^6 shows where a sum grows to."""


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "fixed:1"])
def test_what_sleeps_is_what_is_nowhere_greater(arithmetic):
    rng, found = np.random.default_rng(7), {True: 0, False: 0}
    one = [(0, checker.INFINITY), (-1, 2), (-checker.INFINITY, 3)]
    for _ in range(150):
        ranges = [RANGES[i] for i in rng.integers(len(RANGES), size=2)]
        halves = 2 if rng.random() < 0.3 else 1

        def coefficient(most):
            return Fraction(int(rng.integers(-most, most + 1)), halves)

        # Wires 0 and 1 are the parameters, 2 their difference; then clips of sums of them, and at last a clip of those.
        forms = {0: {1: 1}, 1: {2: 1}, 2: {1: 1, 2: -1}}
        wires = [("given", None)] * 3
        for _ in range(3):
            terms = [(int(rng.choice([0, 1, 0, 1, 2])), coefficient(2) or 1)]
            wires.append(("sum", one[rng.integers(3)], coefficient(5), terms))
        wires.append(("sum", one[0], 0, [(3, 1), (4, -1)]))
        chosen = rng.permutation(range(7 if rng.random() < 0.2 else 6))[:3]
        weights, bias = [(int(wire), int(rng.integers(-3, 4))) for wire in chosen], int(rng.integers(-9, 3))
        box, end = checker._Box([(1, 1), *ranges], dict(forms)), int(rng.integers(-1, 2))
        near = {t for t in range(-12, 13)} | {-(10**6), 10**6}
        points = list(product(*[[t for t in near if low <= t <= high] for low, high in ranges]))
        relation = relation_of(arithmetic, [*wires, ("sum", None, bias, weights)])
        said = relation.greatest(box, *relation.sum(len(wires), box)) <= end
        right = greatest(relation, weights, bias, forms, points) <= end
        read = {*chosen, *(wires[wire][-1][0][0] for wire in chosen if wire > 2)}
        assert said <= right and (said == right or halves == 2 or {2, 6} & read)
        found[said] += 1
    assert min(found.values()) > 10


RELU, HALF = (0, checker.INFINITY), Fraction(1, 2)
AWAKE = [
    # t - relu(t) is at most 0; then 1/2 more, and half of it where the relu is of what is rounded down
    ("exact", ("sum", RELU, 0, [(0, 1)]), 0, [(0, 1), (1, 0), (3, -1)], True),
    ("exact", ("sum", RELU, 0, [(0, 1)]), HALF, [(0, 1), (1, 0), (3, -1)], False),
    ("fixed:1", ("sum", RELU, 0, [(0, HALF)]), 0, [(0, HALF), (1, 0), (3, -1)], True),
    ("fixed:0", ("sum", RELU, 0, [(0, HALF)]), 0, [(0, HALF), (1, 0), (3, -1)], False),
    # relu(t - u) depends on two parameters, and 2 t - relu(3 t - 2) is greatest at 1, the integer after its breakpoint
    ("exact", ("sum", RELU, 0, [(2, 1)]), 0, [(0, 0), (1, 0), (3, 1)], False),
    ("exact", ("sum", RELU, -2, [(0, 3)]), 0, [(0, 2), (1, 0), (3, -1)], False),
    # a product of what is not known
    ("exact", ("state", 0, 0, 0), 0, [(0, 0), (1, 0), (3, -1)], False),
]


@pytest.mark.parametrize("arithmetic, wire, bias, weights, sleeps", AWAKE)
def test_what_does_not_sleep(arithmetic, wire, bias, weights, sleeps):
    relation = relation_of(arithmetic, [("given", None)] * 3 + [wire, ("sum", None, bias, weights)])
    box = checker._Box([(1, 1), (-1, 9), (0, 9)], {0: {1: 1}, 1: {2: 1}, 2: {1: 1, 2: -1}})
    assert (relation.greatest(box, *relation.sum(4, box)) <= 0) == sleeps


CONDITIONS_OF_PARTS = [
    ({1: 1}, 0, 0), ({1: 1}, 1, 1), ({2: 1, 0: -1}, 0, 0), ({2: 1}, 1, checker.INFINITY), ({0: 1}, 1, 1), ({}, 1, 1),
    ({3: 1}, 1, 2), ({1: 1, 2: -1}, 0, 0), ({4: 1}, 0, 0), ({4: 1}, 1, checker.INFINITY), ({2: -1}, 0, 0),
]  # fmt: skip


def test_parts_are_all_of_a_box():
    """A point is in a part where all conditions hold if they do, else in one where they do not; in both where one is of
    two parameters.
    """
    rng, box = np.random.default_rng(3), checker._Box([(1, 1), (0, 1), (0, 1), (0, 3), (0, checker.INFINITY)], {})
    for _ in range(200):
        chosen = [CONDITIONS_OF_PARTS[i] for i in rng.permutation(len(CONDITIONS_OF_PARTS))[: rng.integers(0, 4)]]
        parts = list(checker.sides(box, chosen))
        loose = any(len(v) > 1 and 0 not in v for v, *_ in chosen)
        for point in product([1], (0, 1), (0, 1), range(4), (0, 1, 50)):
            here = [holds for part, holds in parts if inside(part, point)]
            right = holding(chosen, point)
            assert right in here and (loose or here == [right])


def inside(box, point):
    return all(low <= n <= high for n, (low, high) in zip(point, box.ranges))


def holding(conditions, point):
    return all(low <= sum(a * point[p] for p, a in v.items()) <= high for v, low, high in conditions)


def test_what_bounds_settle_is_so():
    """A form that is said to be positive where conditions hold and nowhere else is, in each point that is looked at."""
    rng, found = np.random.default_rng(4), {True: 0, False: 0}
    ranges = [(1, 1), (0, 1), (0, 1), (-2, 3), (0, checker.INFINITY), (-checker.INFINITY, 2)]
    box, ends = checker._Box(ranges, {}), (-(10**6), -3, -2, -1, 0, 1, 2, 3, 4, 10**6)
    points = [p for p in product([1], (0, 1), (0, 1), range(-2, 4), ends, ends) if inside(box, p)]
    for _ in range(1500):
        conditions = []
        for p in rng.permutation(range(1, 6))[: rng.integers(0, 4)]:
            v = {int(p): 1, 0: int(rng.integers(-1, 2))}
            low = int(rng.integers(-2, 3))
            high = checker.INFINITY if rng.random() < 0.3 else low + int(rng.integers(0, 2))
            conditions.append(({q: a for q, a in v.items() if a}, low, high))
        if rng.random() < 0.2:
            conditions.append([({}, 0, 0), ({}, 1, 1), ({0: 1}, 1, 1), ({0: 1}, 0, 0)][rng.integers(4)])
        if rng.random() < 0.1 and conditions:  # one parameter, twice
            conditions.append(conditions[0])
        v = {p: int(rng.integers(-3, 4)) for p in (0, *rng.permutation(range(1, 6))[:2].tolist())}
        for form, low, high in conditions if rng.random() < 0.7 else ():  # as a model would have it
            p = max(form, default=0)
            v = {**v, p: 4 if high == checker.INFINITY else int(rng.choice([4, -4]))} if p else v
        v = {p: a for p, a in v.items() if a}
        said = checker.settled(box, v, conditions)
        values = [(sum(a * point[p] for p, a in v.items()) > 0, holding(conditions, point)) for point in points]
        right = all(positive == holds for positive, holds in values)
        assert said <= right
        found[said] += 1
    assert min(found.values()) > 20


def test_a_condition_that_is_given_twice_counts_once():
    box = checker._Box([(1, 1), (0, 3)], {})
    assert checker.settled(box, {1: 2, 0: -1}, [({1: 1}, 1, checker.INFINITY)])
    assert not checker.settled(box, {1: 2, 0: -3}, [({1: 1}, 1, checker.INFINITY)] * 2)


def test_conditions_of_two_parameters_are_not_settled():
    box = checker._Box([(1, 1), (0, 1), (0, 1)], {})
    assert checker.settled(box, {1: 2, 0: -1}, [({1: 1}, 1, 1)])
    assert not checker.settled(box, {2: 2, 0: -1}, [({1: 1, 2: 1}, 1, 2)])
    assert not checker.settled(box, {2: 2, 0: -1}, [({2: -1}, -1, -1)])


POSITIVE = [
    # a relu is positive where its sum is, but for weights below 0, other ends, another term, and what is rounded to 0
    ("exact", [("sum", RELU, -1, [(0, 2)])], 0, [(3, 5)], {0: -1, 1: 2}),
    ("fixed:0", [("sum", RELU, -1, [(0, 2)])], 0, [(3, 5)], {0: -1, 1: 2}),
    ("fixed:0", [("sum", RELU, 0, [(0, HALF)])], 0, [(3, 5)], None),
    ("exact", [("sum", RELU, -1, [(0, 2)])], 0, [(3, -5)], None),
    ("exact", [("sum", RELU, -1, [(0, 2)])], -1, [(3, 5)], None),
    ("exact", [("sum", (1, checker.INFINITY), -1, [(0, 2)])], 0, [(3, 5)], None),
    ("exact", [("sum", RELU, -1, [(0, 2)]), ("sum", RELU, -1, [(0, 1)])], 0, [(3, 5), (4, -5)], None),
    ("exact", [("sum", RELU, -1, [(0, 2)]), ("sum", RELU, -1, [(3, 1), (0, 1)])], 0, [(4, 1)], None),
    ("exact", [("sum", RELU, -1, [(0, 2)])], -1, [(0, 3)], {0: -1, 1: 3}),
]


@pytest.mark.parametrize("arithmetic, wires, bias, weights, form", POSITIVE)
def test_a_relu_is_positive_where_its_sum_is(arithmetic, wires, bias, weights, form):
    relation = relation_of(arithmetic, [("given", None)] * 3 + [*wires, ("sum", None, bias, weights)])
    box = checker._Box([(1, 1), (-1, 9), (0, 9)], {0: {1: 1}, 1: {2: 1}, 2: {1: 1, 2: -1}})
    assert relation.sign(len(relation.wires) - 1, box) == form


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_rounding_is_to_nearest_even(name):
    rounded, kind = checker.rounder(name), np.dtype(name).type
    rng = np.random.default_rng(1)
    numbers = np.ldexp(rng.integers(-(2**20), 2**20, 3000).astype(float), rng.integers(-160, 120, 3000))
    numbers = [
        *numbers,
        *np.ldexp(rng.integers(-(2**13), 2**13, 500).astype(float), -26),
        65519.999,
        65520.0,
        -1e6,
        3.5e38,
    ]
    with np.errstate(over="ignore"):
        assert all(rounded(float(v)) == float(kind(v)) for v in numbers)
    assert rounded(float("nan")) != rounded(float("nan"))


LANGUAGES = [
    ({"name": name}, counter_machine(name)) for name in (*NAMES, "shuffle-3", "shuffle-7", "boolean-1", "boolean-2")
]
LANGUAGES += [({"name": "flip-flop"}, FlipFlopMachine())]
LANGUAGES += [({"dyck": [k, h]}, DyckMachine(k, h)) for k, h in ((1, 0), (1, 3), (2, 2), (3, 2), (30, 1))]


@pytest.mark.parametrize("language, machine", LANGUAGES, ids=[str(language) for language, _ in LANGUAGES])
def test_named_languages_are_the_programs(language, machine):
    order = sorted(machine.alphabet)
    predictive, recognise = (checker._machine_of(language) for _ in range(2))
    predictive.arrange(order, "predictive")
    recognise.arrange(order, "recognise")
    rng = np.random.default_rng(0)
    for _ in range(60):
        here, alive, there = recognise.start, predictive.start, machine.initial
        for _ in range(25):
            legal = sorted(machine.legal(there) - {"<eos>"})
            wanted = sum(1 << i for i, name in enumerate([*order, "<eos>"]) if name in machine.legal(there))
            assert predictive.ways(alive)[0] == wanted
            assert recognise.ways(here)[0] == machine.accepts(there)
            choose = legal if legal and rng.random() < 0.9 else order
            symbol = choose[rng.integers(len(choose))]
            here, there = recognise.step(here, order.index(symbol)), machine.step(there, symbol)
            alive = predictive.step(alive, order.index(symbol))
            assert alive == here and (here == checker.MASK) == (there is None)


EXPRESSIONS = [
    "a", "(ab)*", "a|b", "(a|)b", "|a", "a||b", "()", "ε|a", "∅|a", "[]|ab", "[ab]*c", "[^a]b", "[^]", ".*ab.*",
    "~(.*aa.*)",
    "~a*b", "a~b", "~~a", "a&b|c", "(a|b)*&~(.*bb.*)", "a{3}", "a{2,4}b", "a{,2}", "a{2,}", "(a?b){0,3}", "(a*)*",
    "a+b?",
    "<open>'x y'", "<open>(a|b)*<close>", "\\*a\\|", "'*'a", "<a\\>b>c", "[a-d]*", "[a\\-c]", "[-a]", "[a-]",
    "[a b]c", "^ab$",
    "^a$|^b*$", "^$|^a$", "(?:ab)+", "( a b ) *", "a {2}", "a{ 1 , 2 }", "[^]*", "[<open>a]b", "(a|b)(a|b)?~(ab)",
    "(|)a", "(a|b&)",
    "a*?", "a**", "a+?", "a{2}+", "(^a$)", "^a", "a$", "(?=a)", "[:a:]", "a{3,2}", "(a", "a)", "*a", "a|*", "[a - c]",
    "\\d", "]", "",
    "(a{2}){3}", "((a|b){2})*", "~(a|~b)c", "[a-a]", "[\\]]a", "[]a]", "a?*", "(a?){2}", "(a*b?){3}c", "~", "a&",
    "&a", "{2}", "a^b", "(a|b|c)*&.*a.&~(.*cc.*)",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_mean_what_the_program_reads(text):
    """Each is accepted with its own automaton and refused with others; what is printed is read as the same language."""
    try:
        dfa = regex_to_dfa(text, None if re.search("[a-z]", text) else "a")
    except InputError:
        return
    value, items = dfa_of(dfa), parse_regex(text, dfa.alphabet).postfix()
    language = checker._machine_of({"regex": items, "dfa": value})
    printed = ast.literal_eval(re.match("the regular expression (.*) over the", language.text)[1])
    again = regex_to_dfa(printed, dfa.alphabet)
    assert (again.table.tolist(), again.accepting) == (dfa.table.tolist(), dfa.accepting)
    language.arrange(value["symbols"], "recognise")
    assert language.ways(language.start)[0] == dfa.accepts(dfa.initial)
    for q in range(dfa.states):
        other = {**value, "accepting": sorted({q} ^ set(value["accepting"]))}
        with pytest.raises(checker.Failed, match="differ"):
            checker._machine_of({"regex": items, "dfa": other})


def test_symbols_that_would_be_operators_are_quoted():
    names = ["ε", "*", "\\", "'", "b'", "1"]
    dfa = {"symbols": names, "table": [[1] * 6, [2] * 6, [2] * 6], "accepting": [1], "start": 0}
    union = [[name] for name in names] + 5 * ["|"]
    text = ast.literal_eval(
        re.search("expression (.*) over", checker._machine_of({"regex": union, "dfa": dfa}).text)[1]
    )
    assert regex_to_dfa(text).alphabet == tuple(sorted(names)) and regex_to_dfa(text).states == 3


def test_random_expressions_agree_with_the_program():
    rng = np.random.default_rng(5)

    def text(depth):
        kind = rng.integers(0, 9) if depth else 0
        if kind <= 1:
            return str(rng.choice(["a", "b", "[ab]", ".", "[^a]", "()"]))
        if kind <= 3:
            return text(depth - 1) + text(depth - 1)
        if kind <= 5:
            return f"({text(depth - 1)}{rng.choice(['|', '&', '|'])}{text(depth - 1)})"
        if kind == 6:
            return f"~({text(depth - 1)})"
        return f"({text(depth - 1)})" + str(rng.choice(["*", "+", "?", "{2}", "{1,3}", "{2,}"]))

    for _ in range(60):
        expression = text(4)
        read = parse_regex(expression, "ab")
        dfa, items = DFA.from_machine(read, 1000).minimise(), read.postfix()
        value = dfa_of(dfa)
        checker._machine_of({"regex": items, "dfa": value})
        other = copy.deepcopy(value)
        q, i = rng.integers(dfa.states), rng.integers(2)
        other["table"][q][i] = int(rng.integers(dfa.states))
        same = all(dfa.accepts_word(word) == run_dfa(other, word) for n in range(9) for word in product("ab", repeat=n))
        if not same:
            with pytest.raises(checker.Failed, match="differ"):
                checker._machine_of({"regex": items, "dfa": other})


def run_dfa(dfa, word):
    q = dfa["start"]
    for symbol in word:
        q = dfa["table"][q][dfa["symbols"].index(symbol)]
    return q in dfa["accepting"]


def test_the_programs_machines_run_alike():
    """A guard for the tests above: the oracle itself is asked something."""
    assert run(counter_machine("anbn"), "aab") == ("b", (1,))
