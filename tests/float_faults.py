"""Models that are right, or nearly, until something rounds: constructions changed where a proof may not look.

Each change leaves the exact model as it is, or as it is before a violation: start values that BOS undoes, gates that
meet a register only while it is 0 or 1, registers that move after a violation, neurons that are 0 as long as nothing
rounds.  Some plain corruptions are among them.  :func:`wrong_word` is the ground truth: the equations of the layer, one
operation at a time.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from automata.machine import BOS, PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import counter_machine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from verify.evidence.sampling import expect
from verify.testing.corruption import with_layer

LANGUAGES = ("dyck-1", "shuffle-2", "boolean-1", "boolean-2", "boolean-3", "anbn", "anbncn")
LANGUAGES += ((1, 1), (1, 3), (2, 1), (2, 2), (3, 1), (2, 3))
"""Counter languages by name, bounded Dyck by types and depth."""

_FACTORS = (-1, 0, 2, 3, 32)
_STARTS = (-1, 1, 2, 100, 2047, 2049, 4097, 16_385, -2049, 2**24 + 1, 65_520)
_WEIGHTS = (0, -1, 1, 2, 3, 32, 512, 2047, 2049, 65_521)


def model_of(language, mode: str, arithmetic: str):
    """The machine and the right model of a language."""
    if isinstance(language, str):
        return counter_machine(language), lower(counter_cascade(language, mode), Arithmetic.parse(arithmetic))
    return DyckMachine(*language), lower(bounded_dyck(*language, mode), Arithmetic.parse(arithmetic))


def faulty(seed: int, arithmetics=("float16", "float16", "float32", "exact")):
    """(what was done, language, machine, model) of this seed."""
    rng = np.random.default_rng(seed)
    language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
    mode = RECOGNISE if rng.random() < 0.75 else PREDICTIVE
    machine, ssm = model_of(language, mode, arithmetics[int(rng.integers(len(arithmetics)))])
    ssm = with_feature(ssm, {BOS: 1})
    done = []
    for _ in range(int(rng.integers(1, 4))):
        change = CHANGES[int(rng.integers(len(CHANGES)))]
        what, ssm = change(ssm, rng)
        done.append(what)
    return f"{language} {mode} {ssm.arithmetic}: {'; '.join(done)}", language, machine, ssm


# -- changes ------------------------------------------------------------------------------------------


def with_feature(ssm: SSM, amounts: dict[str, int]) -> SSM:
    """The model with one more embedding coordinate, of these amounts on these symbols, read by nothing yet."""
    column = np.zeros((len(ssm.embedding), 1), dtype=np.int64)
    for symbol, amount in amounts.items():
        column[ssm.symbol_index[symbol]] = amount
    layer = ssm.layers[0]
    phi = tuple(replace(mix, affine=_wider(mix.affine)) for mix in layer.phi)
    layer = replace(layer, gate=_wider(layer.gate), increment=_wider(layer.increment), phi=phi)
    return replace(ssm, embedding=np.hstack([ssm.embedding, column]), names=(), layers=(layer, *ssm.layers[1:]))


def with_letters(ssm: SSM, part: str, coordinate: int, amounts: dict[str, int]) -> SSM:
    """The first layer's gate or increment of a coordinate raised by these amounts on these symbols."""
    ssm = with_feature(ssm, amounts)
    matrix = getattr(ssm.layers[0], part).matrix.toarray()
    matrix[coordinate, -1] = 1
    return with_layer(ssm, 0, **{part: Affine(matrix, getattr(ssm.layers[0], part).bias)})


def with_neuron(ssm: SSM, number: int, rows, biases, combined, bias: int, readout) -> SSM:
    """One more feature of layer ``number``, and of all below it: relu(combined . relu(rows [h; x] + biases) + bias).

    Args:
        rows: shape (n, inputs of the first mix); where shorter, the rest is 0.
        readout: the weight with which each output reads it, or one for all.
    """
    layer = ssm.layers[number]
    first, second = layer.phi
    more = np.zeros((len(rows), first.affine.inputs), dtype=np.int64)
    for row, given in zip(more, rows):
        row[: len(given)] = given
    wide = np.insert(second.affine.matrix.toarray(), [first.affine.outputs] * len(rows), 0, axis=1)
    last = np.zeros((1, wide.shape[1]), dtype=np.int64)
    last[0, first.affine.outputs : first.affine.outputs + len(rows)] = combined
    phi = (
        Mix(Affine(np.vstack([first.affine.matrix.toarray(), more]), np.append(first.affine.bias, biases))),
        Mix(Affine(np.vstack([wide, last]), np.append(second.affine.bias, bias))),
    )
    layers = [
        *ssm.layers[:number],
        replace(layer, phi=phi),
        *(_passing_on(below) for below in ssm.layers[number + 1 :]),
    ]
    column = np.zeros((len(ssm.outputs), 1), dtype=np.int64)
    column[:, 0] = readout
    matrix = np.hstack([ssm.readout.matrix.toarray(), column])
    return replace(ssm, layers=tuple(layers), readout=Affine(matrix, ssm.readout.bias))


def _passing_on(layer: Layer) -> Layer:
    """The layer with one more feature, which it gives on."""
    phi, previous = [], 0
    for stage, mix in enumerate(layer.phi):
        matrix = _wider(mix.affine).matrix.toarray()
        if stage:
            matrix = np.insert(matrix, previous, 0, axis=1)
        one = np.zeros((1, matrix.shape[1]), dtype=np.int64)
        one[0, -1] = stage == len(layer.phi) - 1
        phi.append(Mix(Affine(np.vstack([matrix, one]), np.append(mix.affine.bias, 0)), mix.activation))
        previous = mix.affine.outputs
    return replace(layer, gate=_wider(layer.gate), increment=_wider(layer.increment), phi=tuple(phi))


def with_detector(ssm: SSM, number: int, coordinate: int, sign: int, offset: int, readout) -> SSM:
    """A neuron relu(relu(s h + c) - relu(s h) - c), which is 0 unless a sum rounds, added to the outputs."""
    row = [0] * coordinate + [sign]
    return with_neuron(ssm, number, [row, row], [offset, 0], [1, -1], -offset, readout)


def _start_undone(ssm: SSM, rng) -> tuple[str, SSM]:
    """A start value and a gate on BOS, with an increment on BOS that gives what was there before, but for rounding."""
    coordinate = int(rng.integers(ssm.layers[0].width))
    value, gate = int(rng.choice(_STARTS)), int(rng.choice([*_FACTORS, 1]))
    initial = ssm.layers[0].initial.copy()
    was = int(initial[coordinate])
    initial[coordinate] = value
    ssm = with_letters(with_layer(ssm, 0, initial=initial), "gate", coordinate, {BOS: gate - 1})
    ssm = with_letters(ssm, "increment", coordinate, {BOS: was - gate * value})
    return f"start {value}, gate {gate} on BOS", ssm


def _start(ssm: SSM, rng) -> tuple[str, SSM]:
    number = int(rng.integers(len(ssm.layers)))
    initial = ssm.layers[number].initial.copy()
    if not len(initial):
        return "nothing", ssm
    coordinate = int(rng.integers(len(initial)))
    initial[coordinate] = int(rng.choice(_STARTS))
    return f"layer {number} starts at {initial}", with_layer(ssm, number, initial=initial)


def _gate_on_letter(ssm: SSM, rng) -> tuple[str, SSM]:
    """Another gate on one symbol, right at one value of the register."""
    coordinate, symbol = int(rng.integers(ssm.layers[0].width)), str(rng.choice(ssm.alphabet))
    gate, value = int(rng.choice(_FACTORS)), int(rng.choice([0, 0, 0, 1, 1, 2]))
    ssm = with_letters(ssm, "gate", coordinate, {symbol: gate - 1})
    if value:
        ssm = with_letters(ssm, "increment", coordinate, {symbol: value - gate * value})
    return f"gate {gate} of {coordinate} on {symbol!r}, right at {value}", ssm


def _gate_of_dead(ssm: SSM, rng) -> tuple[str, SSM]:
    layer = ssm.layers[-1]
    if not layer.width:
        return "nothing", ssm
    bias, part = layer.gate.bias.copy(), "gate"
    if rng.random() < 0.3:
        part, bias = "increment", layer.increment.bias.copy()
    bias[-1] = int(rng.choice(_FACTORS))
    changed = {part: Affine(getattr(layer, part).matrix, bias)}
    return f"last register has the {part} {bias[-1]}", with_layer(ssm, len(ssm.layers) - 1, **changed)


def _place(ssm: SSM, rng) -> tuple[int, int] | None:
    """A layer and one of its coordinates."""
    number = int(rng.integers(len(ssm.layers)))
    width = ssm.layers[number].width
    return (number, int(rng.integers(width))) if width and len(ssm.layers[number].phi) == 2 else None


def _weights_of_outputs(ssm: SSM, rng) -> np.ndarray:
    """A weight for one output, or the same for all."""
    weight = int(rng.choice([-9, 9]))
    outputs = np.arange(len(ssm.outputs))
    return np.full(len(outputs), weight) if rng.random() < 0.5 else weight * (outputs == rng.integers(len(outputs)))


def _detector(ssm: SSM, rng) -> tuple[str, SSM]:
    place = _place(ssm, rng)
    if place is None:
        return "nothing", ssm
    sign, offset = int(rng.choice([-1, 1])), int(rng.choice([1, 3, 5, 7]))
    return f"detector of {place} {sign} {offset}", with_detector(
        ssm, *place, sign, offset, _weights_of_outputs(ssm, rng)
    )


def _threshold(ssm: SSM, rng) -> tuple[str, SSM]:
    """A neuron that wakes where a register is far out."""
    place = _place(ssm, rng)
    if place is None:
        return "nothing", ssm
    number, coordinate = place
    sign, far = int(rng.choice([-1, 1])), int(rng.choice([1, 2, 3, 5, 40, 2000]))
    awake = with_neuron(ssm, number, [[0] * coordinate + [sign]], [-far], [1], 0, _weights_of_outputs(ssm, rng))
    return f"wakes at {place} {sign} beyond {far}", awake


def _names_swapped(ssm: SSM, rng) -> tuple[str, SSM]:
    number = int(rng.integers(len(ssm.layers)))
    names = list(ssm.layers[number].names)
    if len(names) < 2:
        return "nothing", ssm
    one, other = rng.choice(len(names), 2, replace=False)
    names[one], names[other] = names[other], names[one]
    return f"names {names}", with_layer(ssm, number, names=tuple(names))


def _bos_row(ssm: SSM, rng) -> tuple[str, SSM]:
    embedding = ssm.embedding.copy()
    column = int(rng.integers(embedding.shape[1]))
    embedding[-1, column] = int(rng.choice(_WEIGHTS))
    return f"BOS has {embedding[-1, column]} in {column}", replace(ssm, embedding=embedding)


def _any_weight(ssm: SSM, rng) -> tuple[str, SSM]:
    places = [(name, affine) for name, affine in ssm.affines() if affine.matrix.shape[0] * affine.matrix.shape[1]]
    name, affine = places[int(rng.integers(len(places)))]
    value = int(rng.choice(_WEIGHTS))
    matrix, bias = affine.matrix.toarray(), affine.bias.copy()
    if rng.random() < 0.4:
        place = int(rng.integers(len(bias)))
        bias[place] = value
    else:
        place = tuple(int(rng.integers(n)) for n in matrix.shape)
        matrix[place] = value
    changed = Affine(matrix, bias)
    if name == "readout":
        return f"readout {place} = {value}", replace(ssm, readout=changed)
    _, number, part, *stage = name.split(".")
    if not stage:
        return f"{name} {place} = {value}", with_layer(ssm, int(number), **{part: changed})
    phi = list(ssm.layers[int(number)].phi)
    phi[int(stage[0])] = replace(phi[int(stage[0])], affine=changed)
    return f"{name} {place} = {value}", with_layer(ssm, int(number), phi=tuple(phi))


CHANGES = (
    _start_undone,
    _start,
    _gate_on_letter,
    _gate_on_letter,
    _gate_on_letter,
    _gate_of_dead,
    _detector,
    _detector,
    _threshold,
    _names_swapped,
    _bos_row,
    _any_weight,
)


def _wider(affine: Affine) -> Affine:
    matrix = affine.matrix.toarray()
    return Affine(np.hstack([matrix, np.zeros((len(matrix), 1), dtype=np.int64)]), affine.bias, affine.exponent)


# -- ground truth -------------------------------------------------------------------------------------


class Plain:
    """A model run by the equations of the layer, for many words at once, each operation in the model's own arithmetic.

    Exact arithmetic is run in Python's integers.
    """

    def __init__(self, ssm: SSM):
        self.ssm = ssm
        self.dtype = np.dtype(str(ssm.arithmetic)) if ssm.arithmetic.is_float else np.dtype(object)
        numbers = self._numbers
        self.weights = {
            name: (numbers(affine.matrix.toarray()), numbers(affine.bias)) for name, affine in ssm.affines()
        }
        self.embedding = self._numbers(ssm.embedding)

    def _numbers(self, integers) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.asarray(integers).astype(object if self.dtype == object else np.float64).astype(self.dtype)

    def _affine(self, name: str, x: np.ndarray) -> np.ndarray:
        matrix, bias = self.weights[name]
        total = np.zeros((len(x), len(bias)), dtype=np.int64).astype(self.dtype)
        for i in range(matrix.shape[1]):
            used = np.flatnonzero(matrix[:, i] != 0)
            if len(used):
                total[:, used] = total[:, used] + x[:, i, None] * matrix[used, i]
        return total + bias

    def start(self, batch: int) -> list[np.ndarray]:
        """The states before BOS."""
        return [np.tile(self._numbers(layer.initial), (batch, 1)) for layer in self.ssm.layers]

    def step(self, states: list[np.ndarray], symbols: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """The states and outputs after one symbol of each word."""
        after = []
        with np.errstate(all="ignore"):
            x = self.embedding[symbols]
            for i, (layer, h) in enumerate(zip(self.ssm.layers, states)):
                z = self._affine(f"layers.{i}.gate", x) * h + self._affine(f"layers.{i}.increment", x)
                after.append(z)
                for j, mix in enumerate(layer.phi):
                    z = self._affine(f"layers.{i}.phi.{j}", np.concatenate([z, x], axis=1))
                    if mix.activation == "relu":
                        z = np.maximum(z, 0)
                x = z
            return after, (self._affine("readout", x) > 0).astype(bool)

    def outputs(self, words: np.ndarray) -> np.ndarray:
        """Outputs after BOS and each symbol, booleans of shape (batch, time + 1, outputs)."""
        states, rows = self.start(len(words)), []
        for symbols in np.hstack([np.full((len(words), 1), len(self.ssm.alphabet)), words]).T:
            states, given = self.step(states, symbols)
            rows.append(given)
        return np.stack(rows, axis=1)


def wrong_word(machine, ssm: SSM, words, longest: int | None = None) -> tuple[str, ...] | None:
    """A prefix, of at most ``longest`` symbols, of one of the words on which the model is wrong."""
    words = [tuple(word)[:longest] for word in words]
    padded = np.zeros((len(words), max(map(len, words))), dtype=np.int64)
    for row, word in zip(padded, words):
        row[: len(word)] = [ssm.symbol_index[symbol] for symbol in word]
    outputs = Plain(ssm).outputs(padded)
    place = {name: i for i, name in enumerate(ssm.outputs)}
    for word, rows in zip(words, outputs):
        for length, expected in enumerate(expect(machine, word, ssm.mode).sets):
            if {place[name] for name in expected} != set(np.flatnonzero(rows[length]).tolist()):
                return word[:length]
    return None


def short_words(alphabet, most: int = 600) -> list[tuple[str, ...]]:
    """All words of the greatest length of which there are so few: their prefixes are all the shorter ones."""
    length = max(n for n in range(1, 13) if len(alphabet) ** n <= most)
    return list(product(alphabet, repeat=length))
