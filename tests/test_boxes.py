"""Boxes hold what they say: images contain every state's image, and points agree with the engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from automata.machine import MODES, PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.methods.induction.relation import StackRelation
from verify.methods.induction.stack_steps import StackSteps
from verify.numbers.boxes import Box, LinearMap, Maps, NotCovered

small = st.integers(-5, 5)


@given(st.data())
def test_the_image_of_a_box_is_the_smallest_box_around_the_images(data):
    outputs, inputs = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    matrix = np.array(
        data.draw(st.lists(st.lists(small, min_size=inputs, max_size=inputs), min_size=outputs, max_size=outputs))
    )
    ends = np.array(data.draw(st.lists(st.tuples(small, small), min_size=inputs, max_size=inputs)))
    low, high = ends.min(axis=1), ends.max(axis=1)
    box = LinearMap(sparse.csr_array(matrix), 1 << 20)(Box(low[None].astype(np.float32), high[None].astype(np.float32)))
    corners = np.array(np.meshgrid(*zip(low, high))).reshape(inputs, -1)
    assert np.array_equal(box.low[0], (matrix @ corners).min(axis=1))
    assert np.array_equal(box.high[0], (matrix @ corners).max(axis=1))


def test_sums_are_bounded():
    linear = LinearMap(sparse.csr_array(np.array([[3, -4]])), 100)
    assert linear(Box.points([[10, 10]])).low.tolist() == [[-10]]
    with pytest.raises(NotCovered, match="a sum of 105"):
        linear(Box.points([[15, 15]]))
    greatest, sizes = linear.reach(Box(np.array([[10, 1]]), np.array([[20, 30]])))
    assert greatest.tolist() == [56] and sizes.tolist() == [180]


def model(mode, k=3, depth=3):
    machine = DyckMachine(k, depth)
    ssm = lower(bounded_dyck(k, depth, mode), Arithmetic("exact"))
    return machine, ssm, StackRelation.of(ssm, machine)


@pytest.mark.parametrize("mode", MODES)
def test_one_step_of_points_is_the_engines_step(mode):
    """Any depth, any slot bits, any symbol: state and outputs."""
    machine, ssm, relation = model(mode)
    steps, engine = StackSteps(ssm, relation), Engine(ssm)
    rng = np.random.default_rng(0)
    depth_column, slot_columns = relation.columns(ssm)
    symbols = np.arange(len(machine.alphabet))
    for _ in range(40):
        depth, bits = int(rng.integers(-3, 7)), rng.integers(0, 2, len(relation.slot))
        state = np.zeros((len(symbols), ssm.hidden_size), dtype=np.int64)
        state[:, depth_column], state[:, slot_columns] = depth, bits
        after, outputs = engine.advance(state, symbols[:, None])
        features, depths = steps.features(depth, symbols)
        images = steps.slot_images(features)
        slots = np.where(bits, images[1], images[0])
        assert np.array_equal(depths, after[:, depth_column]) and np.array_equal(slots, after[:, slot_columns])
        if mode == PREDICTIVE:
            given = steps.outputs(Box.points(slots), features).low > 0
        else:
            layer = steps.below[-1]
            z = steps.dead_features(Box.points(slots), features)
            dead = layer.increments(z)
            assert np.array_equal(dead.low[:, 0], after[:, -1])
            given = steps.maps.readout(layer.phi(dead, z)).low > 0
        assert np.array_equal(given, outputs.dense()[:, 0])


@pytest.mark.parametrize("mode", MODES)
def test_boxes_of_slots_cover_every_choice_of_bits(mode):
    """Outputs (or the dead register) for unknown bits lie between those of all concrete bits."""
    machine, ssm, relation = model(mode, 2, 3)
    steps = StackSteps(ssm, relation)
    symbols = np.arange(len(machine.alphabet))
    read = steps.outputs if mode == PREDICTIVE else steps.dead_features
    for depth in range(-2, 6):
        features, _ = steps.features(depth, symbols)
        box = read(steps.slot_box(len(symbols)), features)
        for bits in np.ndindex(*(2,) * len(relation.slot)):
            point = read(Box.points(np.tile(bits, (len(symbols), 1))), features)
            assert (box.low <= point.low).all() and (point.high <= box.high).all()


def test_a_relation_needs_its_names():
    machine, ssm, _ = model(RECOGNISE)
    with pytest.raises(NotCovered, match="not the 8 bits of 4 stack cells"):
        StackRelation.of(ssm, DyckMachine(3, 4))
    with pytest.raises(NotCovered, match="the slots are not"):
        StackRelation.of(ssm, DyckMachine(5, 3))


@pytest.mark.parametrize("arithmetic, reason", [("wrap:4", "wrap round"), ("fixed:1", None), ("float16", None)])
def test_what_boxes_cover(arithmetic, reason):
    ssm = lower(bounded_dyck(2, 2), Arithmetic.parse(arithmetic))
    if reason is None:
        assert Maps(ssm).limit <= ssm.arithmetic.limit // 4
    else:
        with pytest.raises(NotCovered, match=reason):
            Maps(ssm)
