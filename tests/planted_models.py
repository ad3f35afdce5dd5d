"""Wrong models that show what a prover with a certain fault believes: each made by hand for one file of the provers,
with the language that it does not have.
"""

from __future__ import annotations

import numpy as np
from float_faults import model_of, with_detector, with_feature, with_letters, with_neuron
from test_audit_by_runs import swapping_counter

from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import ACCEPT, BOS, PREDICTIVE, RECOGNISE, Machine
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM
from verify.testing.corruption import with_layer

Pair = tuple[Machine | None, SSM]
"""A language and a model; where there is none, what the model seems to have where it is run with the fault."""

# -- recognisers of a*: a b sets a register that silences the readout, but not for ever ----------------

LANGUAGE = DFA("ab", [[0, 1], [1, 1]], [0])


def affine(matrix, bias, exponent: int = 0) -> Affine:
    """From lists of integers."""
    return Affine(np.array(matrix, dtype=np.int64), np.array(bias, dtype=np.int64), exponent)


def recogniser(arithmetic: str, features, layers, readout) -> SSM:
    """The model whose first feature is 1 on ``b`` alone; the others on a, b and BOS are given."""
    rows = np.array([[0, *features[0]], [1, *features[1]], [0, *features[2]]])
    return SSM(("a", "b"), (ACCEPT,), rows, tuple(layers), readout, Arithmetic.parse(arithmetic))


def latch(inputs: int, *others) -> Layer:
    """A layer with a bit that the first feature sets, and the features (bit, others) of mixes over it."""
    gate, increment = [[-1] + [0] * (inputs - 1)], [[1] + [0] * (inputs - 1)]
    return Layer(affine(gate, [1]), affine(increment, [0]), np.zeros(1, dtype=np.int64), tuple(others))


def counting(steps: int, *phi: Mix) -> Layer:
    """A layer with a counter that the second feature moves; the first is the bit."""
    return Layer(affine([[0, 0]], [1]), affine([[0, steps]], [0]), np.zeros(1, dtype=np.int64), phi)


def a_counter_that_silences_no_more() -> Pair:
    """After a ``b`` relu(100 - counter) falls to 0, and the word is accepted again."""
    first = latch(1, Mix(affine([[1, 0], [1, 0]], [0, 0])))
    phi = (
        Mix(affine([[1, 0, 0], [0, 1, 0]], [0, 0]), "linear"),
        Mix(affine([[-1, 0, 0, 0], [0, 1, 0, 0]], [100, 0])),
    )
    return LANGUAGE, recogniser("exact", ([], [], []), (first, counting(1, *phi)), affine([[-1, -200]], [201]))


def a_counter_that_rounds() -> Pair:
    """3 on BOS and with every symbol after a ``b``: 3 (n + 1) + 3 rounds for the first time after n = 681 symbols, and
    the difference of two neurons is no longer 3.
    """
    first = latch(2, Mix(affine([[1, 0, 0], [-1, 0, -1]], [0, 1])), Mix(affine([[1, 0, 0, 0], [0, -1, 0, 0]], [0, 1])))
    phi = (
        Mix(affine([[1, 0, 0], [1, 0, 0], [0, 1, 0]], [0, 3, 0])),
        Mix(affine([[1, -1, 0, 0, 0], [0, 0, 1, 0, 0]], [3, 0])),
    )
    return LANGUAGE, recogniser("float16", ([0], [0], [1]), (first, counting(3, *phi)), affine([[1, -1]], [1]))


def a_sum_that_rounds_up() -> Pair:
    """1 + 3/4096 is 1 + 4/4096 in float16, which is seen on BOS and ``a``.  The other coordinate, which goes on being
    halved, has no last binary place that is known, nor have the sums in its layer.
    """
    one = 1 << 12
    phi = (
        Mix(affine([[one, 0, 0, 0], [0, 0, 0, one], [0, 0, 0, 3]], [0, 0, 0], 12)),
        Mix(affine([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]], [0, 0, 0, 0])),
        Mix(affine([[1, 0, 0, 0, 0, 0], [0, 1, -1, -1, 0, 0]], [0, 0])),
    )
    gate, increment = affine([[-2, 0], [0, 0]], [2, 1], 1), affine([[2, 0], [0, 1]], [0, 0], 1)
    layer = Layer(gate, increment, np.zeros(2, dtype=np.int64), phi)
    return LANGUAGE, recogniser("float16", ([1], [0], [1]), (layer,), affine([[-1, one]], [1]))


# -- other models with a change -----------------------------------------------------------------------


def _weight(ssm: SSM, number: int, part: str, place: tuple[int, int], value: int) -> SSM:
    old = getattr(ssm.layers[number], part)
    matrix = old.matrix.toarray()
    matrix[place] = value
    return with_layer(ssm, number, **{part: Affine(matrix, old.bias)})


def a_death_that_an_opening_undoes() -> Pair:
    """``(`` makes the dead register 0, and a neuron sees to it that nothing is accepted just then."""
    machine, ssm = model_of("dyck-1", RECOGNISE, "exact")
    ssm = with_feature(ssm, {"(": 1})
    row = [0] * (ssm.layers[0].phi[0].affine.inputs - 1) + [1]
    ssm = with_neuron(ssm, 0, [row], [0], [1], 0, -9)
    return machine, _weight(ssm, 1, "gate", (0, -1), -1)


def a_sum_that_is_negative_for_a_while() -> Pair:
    """-(n + 1) - n + (n + 1) + n rounds, where -2 n - 1 is beyond what float16 counts."""
    machine, ssm = model_of("dyck-1", PREDICTIVE, "float16")
    return machine, with_neuron(ssm, 0, [[1]] * 4, [1, 0, 1, 0], [-1, -1, 1, 1], 0, 9)


def a_counter_that_a_gate_turns() -> Pair:
    """After a violation reading ``a`` multiplies a counter by -3."""
    machine, ssm = model_of("anbncn", RECOGNISE, "float16")
    ssm = with_letters(ssm, "gate", ssm.layers[0].names.index("unmatched b"), {"a": -4})
    return machine, with_detector(ssm, 0, ssm.layers[0].names.index("unmatched b"), 1, 3, 9)


def a_weight_that_is_infinite() -> Pair:
    """Times a feature that is 0 it is no number."""
    machine, ssm = model_of("dyck-1", PREDICTIVE, "float16")
    return machine, _weight(with_feature(ssm, {}), 0, "increment", (0, -1), -70_000)


def a_bias_that_rounds() -> Pair:
    """2049 - 2048 is 0 in float16."""
    machine, ssm = model_of("dyck-1", PREDICTIVE, "float16")
    ssm = with_feature(ssm, dict.fromkeys((*ssm.alphabet, BOS), 1))
    row = [0] * (ssm.layers[0].phi[0].affine.inputs - 1) + [-2048]
    return machine, with_neuron(ssm, 0, [row], [2049], [-1], 1, 9)


def a_start_value_that_wraps(start: int = -(2**63), gate: int = -2) -> Pair:
    """The gate on BOS makes 2^64 of it, which is 0 in 64 bits."""
    machine, ssm = model_of((1, 2), PREDICTIVE, "exact")
    ssm = with_letters(ssm, "gate", 0, {BOS: gate - 1})
    return machine, with_layer(ssm, 0, initial=np.array([start]))


def a_smaller_start_value_that_wraps() -> Pair:
    """The same from a number that models may have."""
    return a_start_value_that_wraps(-(2**62), -4)


def two_halves_that_are_one() -> Pair:
    """1/2 + 1/2 is 1, where the sum is rounded down and not its terms."""
    half = affine([[0]], [1], 1)
    layer = Layer(half, half, np.ones(1, dtype=np.int64), (Mix(affine([[1, 0]], [0])),))
    return None, recogniser("fixed:0", ([], [], []), (layer,), affine([[1]], [0]))


def a_slot_that_starts_at_3() -> Pair:
    """It is read before it is written where the bracket below is closed."""
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    return machine, with_layer(ssm, 1, initial=np.array([0, 3]))


def a_slot_that_grows_after_a_violation() -> Pair:
    """8 is added to it with every bracket that is opened too deep."""
    machine, ssm = model_of((2, 2), RECOGNISE, "float16")
    return machine, _weight(ssm, 1, "increment", (1, 4), 8)


def a_counter_that_is_halved() -> Pair:
    """A counter of the symbols 1, of which floor(h / 2) is taken: a model of PARITY."""
    return language("parity").machine, swapping_counter("linear", 1, gate=1)


_COUNTERS = "verify/methods/induction/counter_obligations.py"
_HORIZON, _GROWTH = "verify/methods/induction/counter_horizon.py", "verify/methods/induction/float_growth.py"

_STACKS, _DEATH = "verify/methods/induction/stack_obligations.py", "verify/methods/induction/stack_death.py"

MODELS = {
    "constructions/ssm/integers.py": (a_start_value_that_wraps,),
    "constructions/ssm/number_formats.py": (a_smaller_start_value_that_wraps, two_halves_that_are_one),
    _COUNTERS: (a_death_that_an_opening_undoes,),
    _HORIZON: (a_sum_that_is_negative_for_a_while,),
    _GROWTH: (a_counter_that_a_gate_turns, a_weight_that_is_infinite, a_bias_that_rounds),
    _STACKS: (a_slot_that_starts_at_3,),
    _DEATH: (a_slot_that_grows_after_a_violation,),
    "verify/impossible/upper_bound.py": (a_counter_that_is_halved,),
    "constructions/ssm/ranges.py": (a_counter_that_silences_no_more,),
    "constructions/ssm/horizon.py": (a_counter_that_rounds,),
    "constructions/ssm/box_arithmetic.py": (a_sum_that_rounds_up,),
}
