"""Random NONNEGATIVE models: material for what such models cannot do.

The *bounded* family has gates in [0, 1] and a phi that ends in a clip, as real architectures have (a sigmoid or an
exponential gate, a norm or a bounded activation); Sarrof, Veitsman, Hahn 2024, Theorem 2, is about it.  The *free*
family also has gates above 1 and a phi that ends without a bound, where the theorem's conditions fail.

Embedding and clipped features lie in [-1, 1]; weights are multiples of 1/8.
"""

from __future__ import annotations

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import GATES, Affine, Layer, Mix
from constructions.ssm.weights import SSM

_EXPONENT = 3
_ONE = 1 << _EXPONENT
_INPUTS_PER_ROW = 3
_LARGEST_LOGIT = 3


def random_ssm(
    seed: int,
    depth: int,
    width: int,
    arithmetic: Arithmetic,
    gates: str = "affine",
    bounded: bool = True,
    alphabet: tuple[str, ...] = ("0", "1"),
    outputs: tuple[str, ...] = (ACCEPT,),
) -> SSM:
    """A random model, the same for the same arguments.

    Args:
        seed: of the random numbers.
        depth, width: layers, and state coordinates (and features) of each.
        arithmetic: any; the two other gate functions need floats.
        gates: "affine", "sigmoid" or "exp-softplus".
        bounded: gates in [0, 1] and phi ending in a clip; otherwise gates up to 3 where they are affine, and a phi
            that ends in a ReLU or in nothing.
        alphabet, outputs: of the model, a recogniser over {0, 1} if absent.

    Raises:
        InputError: for a depth or width below 1, or gates that the arithmetic does not have.

    >>> ssm = random_ssm(1, depth=2, width=3, arithmetic=Arithmetic.parse("fixed:2"))
    >>> ssm.hidden_size, ssm.layers[0].phi[-1].activation
    (6, 'clip')
    """
    if depth < 1 or width < 1:
        raise InputError(f"a random model of depth {depth} and width {width} was asked for, both must be at least 1")
    if gates not in GATES:
        raise InputError(f"gates {gates!r} are not one of {', '.join(GATES)}")
    rng = np.random.default_rng([seed, depth, width, GATES.index(gates), bounded])
    layers = tuple(_layer(rng, number, width, gates, bounded) for number in range(1, depth + 1))
    return SSM(
        alphabet=tuple(alphabet),
        outputs=tuple(outputs),
        embedding=rng.integers(-_ONE, _ONE, (len(alphabet) + 1, width), endpoint=True),
        layers=layers,
        readout=_affine(rng, len(outputs), width),
        arithmetic=arithmetic,
        embedding_exponent=_EXPONENT,
        names=tuple(f"x{i + 1}" for i in range(width)),
    )


def _layer(rng: np.random.Generator, number: int, width: int, gates: str, bounded: bool) -> Layer:
    if gates != "affine":
        gate = _affine(rng, width, width, _LARGEST_LOGIT * _ONE // (_INPUTS_PER_ROW + 1))
    else:
        gate = _nonnegative(rng, width, 1 if bounded else 3)
    return Layer(
        gate=gate,
        increment=_affine(rng, width, width),
        initial=rng.integers(-2 * _ONE, 2 * _ONE, width, endpoint=True),
        phi=_phi(rng, width, bounded),
        initial_exponent=_EXPONENT,
        gate_function=gates,
        names=tuple(f"layer {number} h{i + 1}" for i in range(width)),
    )


def _affine(rng: np.random.Generator, outputs: int, inputs: int, largest: int = _ONE, unit: int = 1) -> Affine:
    """At most three inputs per row, weights and biases in [-largest, largest] / 8, multiples of unit / 8."""
    matrix = np.zeros((outputs, inputs), dtype=np.int64)
    columns = rng.integers(0, inputs, (outputs, _INPUTS_PER_ROW))
    weights = rng.integers(-largest // unit, largest // unit, columns.shape, endpoint=True) * unit
    matrix[np.arange(outputs)[:, None], columns] = weights
    bias = rng.integers(-largest // unit, largest // unit, outputs, endpoint=True) * unit
    return Affine(matrix, bias, _EXPONENT)


def _nonnegative(rng: np.random.Generator, width: int, most: int) -> Affine:
    """Rows whose values lie in [0, most] for all features in [-1, 1]; one in eight holds, one in eight resets
    always.
    """
    matrix = np.zeros((width, width), dtype=np.int64)
    columns = rng.integers(0, width, (width, 2))
    matrix[np.arange(width)[:, None], columns] = rng.integers(-_ONE // 4, _ONE // 4, columns.shape, endpoint=True)
    reach = np.abs(matrix).sum(axis=1)
    bias = rng.integers(reach, most * _ONE - reach, endpoint=True)
    kind = rng.integers(0, 8, width)
    matrix[kind < 2] = 0
    bias[kind == 0], bias[kind == 1] = _ONE, 0
    return Affine(matrix, bias, _EXPONENT)


def _phi(rng: np.random.Generator, width: int, bounded: bool) -> tuple[Mix, ...]:
    last = "clip" if bounded else str(rng.choice(["relu", "linear"]))
    mixes = []
    if rng.integers(0, 2):
        # Whole numbers, so that no rounding takes place between the state and the clip.
        mixes.append(Mix(_affine(rng, width, 2 * width, 2 * _ONE, _ONE), "relu"))
    mixes.append(Mix(_affine(rng, width, 2 * width, 2 * _ONE), last, -_ONE, _ONE))
    return tuple(mixes)
