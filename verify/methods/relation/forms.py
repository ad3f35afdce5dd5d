"""One step of a model's weights on affine forms of integer parameters, cut where a neuron's sign is open.

A *form* is an integer, or ``constant + sum of coefficient * parameter``, with a range for each parameter: the counters
of the machine, and what is only known to lie within bounds.  A form is greatest and least at corners of its box, so
bounds decide.  Where they do not, the box is cut in two and both parts are looked at; what has been computed before a
cut holds in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, TypeVar, Union

from constructions.ssm.weights import SSM, Affine
from verify.numbers.boxes import NotCovered, check_covered

ParameterForm = Union[int, tuple[int, tuple[tuple[int, int], ...]]]
"""An integer, or ``(constant, ((parameter, coefficient), …))`` with ascending parameters and no coefficient 0."""

ParameterBox = tuple[tuple[Union[int, None], Union[int, None]], ...]
"""For each parameter ``(low, high)``; None where there is no bound."""

Found = TypeVar("Found")
"""What is looked for in each part."""

MOST_PARTS = 200_000
"""Parts of one case, after which the proof gives up."""


def affine_form(constant: int, terms: dict[int, int]) -> ParameterForm:
    """A form in its one shape."""
    kept = tuple(sorted((p, c) for p, c in terms.items() if c))
    return (constant, kept) if kept else constant


def parameter(number: int) -> ParameterForm:
    """The parameter itself."""
    return 0, ((number, 1),)


def form_sum(one: ParameterForm, other: ParameterForm) -> ParameterForm:
    """The sum."""
    if isinstance(one, int):
        return one + other if isinstance(other, int) else (one + other[0], other[1])
    if isinstance(other, int):
        return one[0] + other, one[1]
    terms = dict(one[1])
    for p, c in other[1]:
        terms[p] = terms.get(p, 0) + c
    return affine_form(one[0] + other[0], terms)


def times(factor: int, value: ParameterForm) -> ParameterForm:
    """An integer times a form."""
    if isinstance(value, int):
        return factor * value
    return (factor * value[0], tuple((p, factor * c) for p, c in value[1])) if factor else 0


def bounds(value: ParameterForm, box: ParameterBox) -> tuple[int | None, int | None]:
    """The least and the greatest value in the box, None where there is none.

    >>> bounds((1, ((0, 2), (1, -1))), ((0, 5), (3, None)))
    (None, 8)
    """
    if isinstance(value, int):
        return value, value
    least: int | None = value[0]
    most: int | None = value[0]
    for p, c in value[1]:
        low, high = box[p] if c > 0 else box[p][::-1]
        least = None if least is None or low is None else least + c * low
        most = None if most is None or high is None else most + c * high
    return least, most


def corner(value: ParameterForm, box: ParameterBox, greatest: bool, far: int = 1 << 20) -> tuple[int, ...]:
    """A point of the box at which the form is greatest, or least; where it has no bound, far out.

    >>> corner((1, ((0, 2),)), ((0, None), (3, 4)), greatest=False)
    (0, 3)
    """
    coefficients = {} if isinstance(value, int) else dict(value[1])
    point = []
    for p, (low, high) in enumerate(box):
        near = low if low is not None else high if high is not None else 0
        c = coefficients.get(p, 0) * (1 if greatest else -1)
        if c > 0:
            near = high if high is not None else max(near, 0) + far
        elif c < 0:
            near = low if low is not None else min(near, 0) - far
        point.append(near)
    return tuple(point)


def above(value: ParameterForm, threshold: int, box: ParameterBox) -> tuple[ParameterBox, ParameterBox]:
    """The box cut in two, about where the form passes from ``threshold`` or less to more.

    With one parameter that is decided in both parts; with several, one range is halved, and their parts are cut again.

    Raises:
        NotCovered: when two parameters of the form have no bounds.
    """
    assert not isinstance(value, int)
    open_ = [(p, c) for p, c in value[1] if box[p][0] is None or box[p][0] != box[p][1]]
    if len(open_) == 1:
        ((p, c),) = open_
        room = threshold - value[0] - sum(d * known(box[q][0]) for q, d in value[1] if q != p)
        # c * p > room exactly from this integer on, or up to the one before it.
        return cut(box, p, room // c + 1 if c > 0 else -(room // -c))
    width = {p: known(box[p][1]) - known(box[p][0]) for p, _ in open_ if None not in box[p]}
    if not width:
        raise NotCovered("a neuron compares two numbers that both have no bound")
    p = max(width, key=width.__getitem__)
    return cut(box, p, (known(box[p][0]) + known(box[p][1]) + 1) // 2)


def known(bound: int | None) -> int:
    """A bound that there is."""
    assert bound is not None
    return bound


def cut(box: ParameterBox, p: int, at: int) -> tuple[ParameterBox, ParameterBox]:
    """The part with parameter p below ``at``, and the part from there on."""
    low, high = box[p]
    return (*box[:p], (low, at - 1), *box[p + 1 :]), (*box[:p], (at, high), *box[p + 1 :])


class OpenSign(Exception):
    """Something depends on the parameters: the two boxes in which to go on."""

    def __init__(self, parts: tuple[ParameterBox, ParameterBox]):
        super().__init__()
        self.parts = parts


@dataclass(frozen=True)
class _Map:
    """An affine map by rows: (columns and weights, bias)."""

    rows: tuple[tuple[tuple[tuple[int, int], ...], int], ...]

    @classmethod
    def of(cls, affine: Affine) -> "_Map":
        matrix, rows = affine.matrix, []
        for i, bias in enumerate(affine.bias.tolist()):
            part = slice(matrix.indptr[i], matrix.indptr[i + 1])
            rows.append((tuple(zip(matrix.indices[part].tolist(), matrix.data[part].tolist())), bias))
        return cls(tuple(rows))


class RowWeights:
    """A model's maps, by rows.

    Raises:
        NotCovered: for fractional weights, gate functions, and ``wrap`` arithmetic.
    """

    def __init__(self, ssm: SSM):
        check_covered(ssm)
        self.ssm = ssm
        self.gates = [_Map.of(layer.gate) for layer in ssm.layers]
        self.increments = [_Map.of(layer.increment) for layer in ssm.layers]
        self.mixes = [[_Map.of(mix.affine) for mix in layer.phi] for layer in ssm.layers]
        self.readout = _Map.of(ssm.readout)


class FormStep:
    """One step from given states, each number computed when it is asked for.

    Args:
        weights: the model.
        h: the states before it, layer by layer.
        symbol: read by the step.
        box: of the parameters.

    Numbers are asked for with :meth:`after` and :meth:`output`; they raise :class:`OpenSign` where a sign is open, and
    the step goes on in both parts with :meth:`within`.
    """

    def __init__(
        self,
        weights: RowWeights,
        h: tuple[tuple[ParameterForm, ...], ...],
        symbol: str,
        box: ParameterBox,
        known: dict | None = None,
    ):
        self.weights, self.h, self.symbol, self.box = weights, h, symbol, box
        self.x = weights.ssm.embedding[weights.ssm.symbol_index[symbol]].tolist()
        self.known: dict[tuple, ParameterForm] = {} if known is None else known

    def within(self, box: ParameterBox) -> "FormStep":
        """The same step in a part of the box: what is known already holds there too."""
        return FormStep(self.weights, self.h, self.symbol, box, dict(self.known))

    def after(self, layer: int, i: int) -> ParameterForm:
        """Coordinate i of a layer after the step."""
        key = ("h", layer, i)
        if key not in self.known:
            gate, increment = self.gate(layer, i), self.increment(layer, i)
            self.known[key] = form_sum(self._product(gate, self.h[layer][i]), increment)
        return self.known[key]

    def gate(self, layer: int, i: int) -> ParameterForm:
        """The gate of a coordinate."""
        return self._row(("a", layer, i), self.weights.gates[layer].rows[i], layer, None)

    def increment(self, layer: int, i: int) -> ParameterForm:
        """What is added to a coordinate."""
        return self._row(("b", layer, i), self.weights.increments[layer].rows[i], layer, None)

    def output(self, i: int) -> ParameterForm:
        """The number whose sign is output i."""
        return self._row(("o", i), self.weights.readout.rows[i], len(self.h), None)

    def sums(self) -> Iterator[ParameterForm]:
        """Every product and partial sum of the step, in the order in which floats would add them."""
        weights, layers = self.weights, self.weights.ssm.layers
        for number, layer in enumerate(layers):
            for i, before in enumerate(self.h[number]):
                for rows in (weights.gates, weights.increments):
                    yield from self._terms(rows[number].rows[i], number, None)
                yield self._product(self.gate(number, i), before)
                yield self.after(number, i)
            for stage, mixed in enumerate(weights.mixes[number]):
                for i, row in enumerate(mixed.rows):
                    yield from self._terms(row, number, stage)
                    yield self._neuron(number, stage, i)
        for row in weights.readout.rows:
            yield from self._terms(row, len(layers), None)

    def _terms(self, row: tuple, layer: int, stage: int | None) -> Iterator[ParameterForm]:
        total: ParameterForm = 0
        for column, weight in row[0]:
            product = times(weight, self._input(layer, stage, column))
            total = form_sum(total, product)
            yield product
            yield total
        yield form_sum(total, row[1])

    def _input(self, layer: int, stage: int | None, column: int) -> ParameterForm:
        """What a row reads in a column: a feature, or of [previous stage; features]."""
        before = 0
        if stage is not None:
            here = self.weights.ssm.layers[layer]
            before = here.phi[stage - 1].affine.outputs if stage else here.width
        if column >= before:
            return self._feature(layer, column - before)
        return self._neuron(layer, stage - 1, column) if stage else self.after(layer, column)

    def _feature(self, layer: int, i: int) -> ParameterForm:
        """Feature i that a layer (or the readout) reads."""
        return self.x[i] if layer == 0 else self._neuron(layer - 1, len(self.weights.mixes[layer - 1]) - 1, i)

    def _neuron(self, layer: int, stage: int, i: int) -> ParameterForm:
        key = ("z", layer, stage, i)
        if key not in self.known:
            mix, row = self.weights.ssm.layers[layer].phi[stage], self.weights.mixes[layer][stage].rows[i]
            try:
                value = self._row((*key, "sum"), row, layer, stage)
            except OpenSign:
                # What sleeps whatever the open signs are needs no cut.
                if mix.activation != "relu" or not self._sleeps(row, layer, stage):
                    raise
                value = 0
            self.known[key] = self._activate(mix, value)
        return self.known[key]

    def _row(self, key: tuple, row: tuple, layer: int, stage: int | None) -> ParameterForm:
        """A row of an affine map."""
        if key in self.known:
            return self.known[key]
        columns, bias = row
        constant, terms = bias, dict[int, int]()
        for column, weight in columns:
            value = self._input(layer, stage, column)
            if isinstance(value, int):
                constant += weight * value
            else:
                constant += weight * value[0]
                for p, c in value[1]:
                    terms[p] = terms.get(p, 0) + weight * c
        self.known[key] = affine_form(constant, terms) if terms else constant
        return self.known[key]

    def _sleeps(self, row: tuple, layer: int, stage: int) -> bool:
        """Whether a row is nowhere positive, as the greatest values of its parts show, one part for each parameter.

        Each part is a sum of forms and of relus of forms of that parameter alone, so it is greatest at a corner or at
        an end.
        """
        columns, most = row
        slopes: dict[int, int] = {}
        corners: dict[int, list[tuple[int, int, int]]] = {}
        for column, weight in columns:
            try:
                value = self._input(layer, stage, column)
            except OpenSign:
                inner = self._row_below(layer, stage, column)
                if inner is None or len(inner[1]) != 1:
                    return False
                ((p, c),) = inner[1]
                corners.setdefault(p, []).append((weight, inner[0], c))
                continue
            most += weight * (value if isinstance(value, int) else value[0])
            for p, c in () if isinstance(value, int) else value[1]:
                slopes[p] = slopes.get(p, 0) + weight * c
        for p in {*slopes, *corners}:
            greatest = _greatest(slopes.get(p, 0), corners.get(p, []), self.box[p])
            if greatest is None:
                return False
            most += greatest
        return most <= 0

    def _row_below(self, layer: int, stage: int, column: int) -> tuple | None:
        """The form that the relu read in a column is applied to, where it is one and its form is decided."""
        layers = self.weights.ssm.layers
        before = layers[layer].phi[stage - 1].affine.outputs if stage else layers[layer].width
        if column >= before:
            layer, stage, column = layer - 1, len(layers[layer - 1].phi), column - before
        if stage == 0 or layer < 0 or layers[layer].phi[stage - 1].activation != "relu":
            return None
        found = self.known.get(("z", layer, stage - 1, column, "sum"))
        return found if isinstance(found, tuple) else None

    def _product(self, gate: ParameterForm, value: ParameterForm) -> ParameterForm:
        if isinstance(gate, int):
            return times(gate, value)
        if isinstance(value, int):
            return times(value, gate)
        least, most = bounds(gate, self.box)
        if least is not None and least == most:
            return times(least, value)
        if least is None or most is None:
            raise NotCovered("a gate and the state that it multiplies both have no bound")
        raise OpenSign(above(gate, (least + most) // 2, self.box))

    def _activate(self, mix, value: ParameterForm) -> ParameterForm:
        if mix.activation == "linear":
            return value
        low, high = (0, None) if mix.activation == "relu" else (mix.low, mix.high)
        if isinstance(value, int):
            value = max(value, low)
            return value if high is None else min(value, high)
        least, most = bounds(value, self.box)
        if most is not None and most <= low:
            return low
        if least is None or least < low:
            raise OpenSign(above(value, low, self.box))
        if high is None or (most is not None and most <= high):
            return value
        if least >= high:
            return high
        raise OpenSign(above(value, high, self.box))


def _greatest(slope: int, relus: list[tuple[int, int, int]], bounds_: tuple[int | None, int | None]) -> int | None:
    """The greatest value of slope * t + sum of weight * relu(constant + c * t) for t within bounds, None where there is
    none.

    >>> _greatest(1, [(-1, -1, 1)], (0, None)), _greatest(1, [], (0, None))
    (1, None)
    """
    low, high = bounds_
    # Between two neighbours of these the sum is linear, and beyond them too.
    ends = {end for end in bounds_ if end is not None}
    for _, constant, c in relus:
        ends |= {at + by for at in (-constant // c,) for by in (0, 1)}
    inside = [t for t in ends if (low is None or t >= low) and (high is None or t <= high)] or [0]
    if low is None and -slope + sum(w * -c for w, _, c in relus if c < 0) > 0:
        return None
    if high is None and slope + sum(w * c for w, _, c in relus if c > 0) > 0:
        return None
    return max(slope * t + sum(w * max(0, constant + c * t) for w, constant, c in relus) for t in inside)


def decided_parts(step: FormStep, look: Callable[[FormStep], Found]) -> Iterator[tuple[FormStep, Found]]:
    """``look(step)`` in each part of the box in which all that it asks for is decided.

    Raises:
        NotCovered: after too many parts.
    """
    waiting, done = [step], 0
    while waiting:
        step = waiting.pop()
        try:
            found = look(step)
        except OpenSign as cut_:
            waiting += [step.within(box) for box in cut_.parts]
            continue
        done += 1
        if done > MOST_PARTS:
            raise NotCovered(f"a case has more than {MOST_PARTS} parts")
        yield step, found
