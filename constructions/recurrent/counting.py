"""Counters, latches and what reads them, in two layers of an LSTM.

A cell whose forget gate is sigmoid(STEEP) = 1 and whose candidate is tanh(STEEP) = 1 or -1 adds its input gate: 1, or a
part of 1 where a symbol adds more than another; so it counts exactly as far as the format does.  Its output tanh(c) is
0 where the count is 0, and from 1 on at least tanh of one unit: what reads it compares with a threshold in between.
The first layer has, each reading the symbol and what the layer gave one step ago,

* a cell for each counter, which reads the symbol alone;
* a cell for each rule that sets a latch, 1 from then on; where one of a latch is 1, all of them become 1, so that
  nothing else is looked at any more;
* a cell for each symbol that an emission asks for: 1 or -1.

The second layer has a cell for each emission, 1 or -1, and so do conditions on what the first gives become exact.

A condition is a conjunction of literals.  Each has a *lack*, a linear form that is 0 or a little below where the
literal is true, and at least 1 where it is false; the conjunction holds where their sum is at most 0, and where it does
not hold the sum is at least a gap, in the middle of which the threshold stands.

Source: Weiss, Goldberg, Yahav 2018 (LSTMs count); Merrill 2019 (what saturated ones can).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import BOS
from constructions.cascade import Add, AtLeast, Cascade, Counter, In, Is, Literal, Reset, Set
from constructions.mamba.weights import BOS_TOKEN, FIRST_SYMBOL
from constructions.recurrent.cells import CellWeights, readout, shapes

SHUT = 1024.0
"""sigmoid and tanh of it are exactly 1, and sigmoid of its negative is exactly 0, in every format."""

_SCALES = {"float32": (1, 2, 4), "float64": (1, 2, 4), "bfloat16": (1, 2)}
"""Into how many parts a unit may be cut: sigmoid of the logarithms of 1/3 and 3 is not a quarter in bfloat16."""

_LEAST_GAP = 1 / 32
_ON = float(np.tanh(1.0))


@dataclass(frozen=True)
class _Lack:
    """A linear form of the tokens and of the first layer's outputs: see the module.

    Attributes:
        low: the least that it is where the literal is true, as long as no latch has ended the string.
        exact: whether it is 0 where the literal is true and at least 1 where it is false, whatever the counters are.
    """

    constant: float
    low: float = 0.0
    exact: bool = True
    tokens: Mapping[int, float] = field(default_factory=dict)
    cells: Mapping[int, float] = field(default_factory=dict)


@dataclass
class _Rows:
    """What the gates of one layer's cells read: for each gate and cell a row of inputs, a row of cells, and a bias."""

    inputs: np.ndarray
    cells: np.ndarray
    bias: np.ndarray

    @classmethod
    def zeros(cls, cells: int, inputs: int) -> "_Rows":
        return cls(np.zeros((4, cells, inputs)), np.zeros((4, cells, cells)), np.zeros((4, cells)))

    def tensors(self, layer: int) -> dict[str, np.ndarray]:
        """By the names of torch."""
        stacked = (part.reshape(-1, *part.shape[2:]) for part in (self.inputs, self.cells, self.bias))
        names = (f"layer.{name}_l{layer}" for name in ("weight_ih", "weight_hh", "bias_ih"))
        return dict(zip(names, stacked))


_INPUT, _FORGET, _CANDIDATE, _OUTPUT = range(4)
"""The order of torch."""


def lower_to_counting(cascade: Cascade, dtype: str) -> CellWeights:
    """The weights of a cascade of counters, latches and emissions.

    Args:
        cascade: counters that add by the symbol alone; registers of two values that are set to 1 and never back.
        dtype: the format that the weights are for.

    Raises:
        InputError: naming the register that is of another kind, or the rule that no threshold decides.
    """
    lowering = _Lowering(cascade, dtype)
    first, second = lowering.first_layer(), lowering.second_layer()
    tensors = shapes("lstm", lowering.tokens, lowering.width, layers=2)
    found = {name: np.zeros(shape) for name, shape in tensors.items()}
    found["embedding.weight"] = np.eye(lowering.tokens)
    found |= {**first.tensors(0), **second.tensors(1)}
    emitted = [emission.outputs for emission in cascade.emissions]
    found |= readout("lstm", cascade, emitted + [frozenset()] * (lowering.width - len(emitted)))
    return CellWeights("lstm", dtype, cascade.alphabet, cascade.outputs, lowering.meanings(), found)


def fastest(counter: Counter) -> int:
    """The most that a counter moves in one step, and in the first."""
    return max(1, abs(counter.initial), *map(abs, amounts(counter).values()))


def amounts(counter: Counter) -> dict[str, int]:
    """What each symbol adds to a counter.

    Raises:
        InputError: for a counter that is set, or moved by anything but the symbol.
    """
    found: dict[str, int] = {}
    for rule in counter.rules:
        if not isinstance(rule.then, Add) or len(rule.when) != 1 or not isinstance(rule.when[0], In):
            raise InputError(f"register {counter.name!r}: a cell of an LSTM counts by symbols alone")
        for symbol in rule.when[0].symbols:
            found[symbol] = found.get(symbol, 0) + rule.then.amount
    return found


class _Lowering:
    """Where each register stands in the first layer, and what is read of it.

    Attributes:
        tokens: how many there are.
        width: cells of each layer.
    """

    def __init__(self, cascade: Cascade, dtype: str):
        self.cascade, self.dtype = cascade, dtype
        self.tokens = FIRST_SYMBOL + len(cascade.alphabet)
        self.counters = [r for r in cascade.registers if isinstance(r, Counter)]
        self.latches = [r for r in cascade.registers if isinstance(r, Reset)]
        for register in cascade.registers:
            if not isinstance(register, (Counter, Reset)):
                raise InputError(f"register {register.name!r}: an LSTM that counts has counters and latches alone")
        for signal in (signal for level in cascade.levels for signal in level.signals):
            raise InputError(f"signal {signal.name!r}: an LSTM that counts has registers alone")
        self.scales = {counter.name: self._scale(counter) for counter in self.counters}
        self.rules = [(latch, rule) for latch in self.latches for rule in _setting(latch)]
        asked = {
            s for emission in cascade.emissions for one in emission.when if isinstance(one, In) for s in one.symbols
        }
        self.symbols = [symbol for symbol in (BOS, *cascade.alphabet) if symbol in asked]
        self.width = max(len(self.counters) + len(self.rules) + len(self.symbols), len(cascade.emissions))

    def meanings(self) -> tuple[str, ...]:
        """Of each cell of both layers, in words."""
        first = [f"counts {counter.name}, {self.scales[counter.name]} to a unit" for counter in self.counters]
        first += [f"has set {latch.name}" for latch, _ in self.rules]
        first += [f"read {symbol}" for symbol in self.symbols]
        second = [f"gives {' '.join(sorted(emission.outputs))}" for emission in self.cascade.emissions]
        first += ["idle"] * (self.width - len(first))
        second += ["idle"] * (self.width - len(second))
        return tuple(f"{one}; above: {other}" for one, other in zip(first, second))

    def first_layer(self) -> _Rows:
        rows = _Rows.zeros(self.width, self.tokens)
        for cell, counter in enumerate(self.counters):
            self._count(rows, cell, counter)
        for cell, (latch, rule) in enumerate(self.rules, start=len(self.counters)):
            lacks = [self._before(latch, rule.when, literal) for literal in rule.when]
            others = self._cells_of(latch)
            bias, tokens, cells = self._threshold(latch.name, lacks)
            # More than all else together: where one of the latch is 1, all become 1.
            forced = SHUT + abs(bias) + sum(map(abs, (*tokens.values(), *cells.values())))
            for gate, sign in ((_INPUT, 1), (_FORGET, -1)):
                rows.bias[gate, cell] = sign * bias
                for token, weight in tokens.items():
                    rows.inputs[gate, cell, token] = sign * weight
                for other, weight in cells.items():
                    rows.cells[gate, cell, other] = sign * weight
                for other in others:
                    rows.cells[gate, cell, other] += sign * forced / _ON
            rows.bias[_CANDIDATE, cell] = rows.bias[_OUTPUT, cell] = SHUT
        for cell, symbol in enumerate(self.symbols, start=len(self.counters) + len(self.rules)):
            rows.bias[[_INPUT, _OUTPUT], cell] = SHUT
            rows.bias[[_FORGET, _CANDIDATE], cell] = -SHUT
            rows.inputs[_CANDIDATE, cell, self._token(symbol)] = 2 * SHUT
        return rows

    def second_layer(self) -> _Rows:
        rows = _Rows.zeros(self.width, self.width)
        for cell, emission in enumerate(self.cascade.emissions):
            lacks = [self._after(literal) for literal in emission.when]
            bias, _, cells = self._threshold(f"given {' '.join(sorted(emission.outputs))}", lacks)
            rows.bias[:, cell] = SHUT, -SHUT, bias, SHUT
            for other, weight in cells.items():
                rows.inputs[_CANDIDATE, cell, other] = weight
        return rows

    # -- registers ----------------------------------------------------------------------------------------

    def _scale(self, counter: Counter) -> int:
        """How many steps of the counter make a unit of its cell."""
        most = fastest(counter)
        known = _SCALES[self.dtype]
        scale = next((scale for scale in known if scale >= most), None)
        if scale is None:
            raise InputError(
                f"--dtype {self.dtype}: register {counter.name!r} counts by {most} at once, and a cell of an LSTM by "
                f"at most {known[-1]} exactly"
            )
        return scale

    def _count(self, rows: _Rows, cell: int, counter: Counter) -> None:
        """A candidate of 1, -1 or 0, and how much of it is let in; what is added at BOS is the first value."""
        rows.bias[[_FORGET, _OUTPUT], cell] = SHUT
        added = amounts(counter)
        for symbol, amount in {**added, BOS: added.get(BOS, 0) + counter.initial}.items():
            part = abs(amount) / self.scales[counter.name]
            if part:
                rows.inputs[_CANDIDATE, cell, self._token(symbol)] = np.sign(amount) * SHUT
                rows.inputs[_INPUT, cell, self._token(symbol)] = SHUT if part == 1 else np.log(part / (1 - part))

    def _cells_of(self, latch: Reset) -> list[int]:
        return [len(self.counters) + i for i, (owner, _) in enumerate(self.rules) if owner is latch]

    def _token(self, symbol: str) -> int:
        return BOS_TOKEN if symbol == BOS else FIRST_SYMBOL + self.cascade.alphabet.index(symbol)

    # -- conditions ---------------------------------------------------------------------------------------

    def _before(self, latch: Reset, when: Sequence[Literal], literal: Literal) -> _Lack:
        """A literal of a rule, from the symbol and what the first layer gave one step ago."""
        if isinstance(literal, In):
            return _Lack(1, tokens={self._token(symbol): -1.0 for symbol in literal.symbols})
        named = [one.symbols for one in when if isinstance(one, In)]
        if not literal.before and any(self._changes(literal.name, symbol) for symbol in frozenset().union(*named)):
            raise InputError(
                f"register {latch.name!r} reads {literal.name!r} after a step that may change it, which the layer that "
                "has both cannot do"
            )
        if not named:
            raise InputError(f"register {latch.name!r}: a rule that names no symbol, which a latch of an LSTM needs")
        return self._register(literal)

    def _changes(self, name: str, symbol: str) -> bool:
        rules = next(register.rules for register in self.cascade.registers if register.name == name)
        for rule in rules:
            named = [literal.symbols for literal in rule.when if isinstance(literal, In)]
            if not named or all(symbol in symbols for symbols in named):
                return True
        return False

    def _after(self, literal: Literal) -> _Lack:
        """A literal of an emission, from what the first layer gives now."""
        if isinstance(literal, In):
            first = len(self.counters) + len(self.rules)
            cells = {first + self.symbols.index(symbol): -0.5 / _ON for symbol in literal.symbols}
            return _Lack(1 - len(cells) / 2, cells=cells)
        if literal.before:
            raise InputError(f"an emission reads {literal.name!r} before the step, which the second layer does not see")
        return self._register(literal)

    def _register(self, literal: Literal) -> _Lack:
        if isinstance(literal, AtLeast) and literal.bound == 1:
            cell = next(i for i, counter in enumerate(self.counters) if counter.name == literal.name)
            unit = float(np.tanh(1 / self.scales[literal.name]))
            if literal.negated:
                return _Lack(0, exact=False, cells={cell: 1 / unit})
            return _Lack(1, 1 - 1 / unit, False, cells={cell: -1 / unit})
        latch = next((one for one in self.latches if one.name == getattr(literal, "name", "")), None)
        if latch is None or not isinstance(literal, Is):
            raise InputError(f"{literal} is no condition that an LSTM decides: a counter is compared with 1 alone")
        cells = self._cells_of(latch)
        if not literal.value:
            return _Lack(0, cells=dict.fromkeys(cells, 1 / _ON))
        if len(cells) > 1:
            raise InputError(f"register {latch.name!r} has several rules, so an LSTM decides only whether none held")
        return _Lack(1, cells=dict.fromkeys(cells, -1 / _ON))

    def _tallest(self) -> float:
        """No lack of a counter is further from 0."""
        return 1 + max((1 / float(np.tanh(1 / scale)) for scale in self.scales.values()), default=0.0)

    def _threshold(self, what: str, lacks: Sequence[_Lack]) -> tuple[float, dict[int, float], dict[int, float]]:
        """Bias, weights of tokens and of cells that make at least SHUT where no lack is positive, and at most -SHUT
        where one is at least 1.

        Raises:
            InputError: when too much of one lack could be made good by others.
        """
        lows = [lack.low for lack in lacks]
        gap = min((1 + sum(lows) - low for low in lows), default=1.0)
        if gap < _LEAST_GAP:
            raise InputError(f"{what}: too many counters have to be positive at once for one threshold")
        steep = 2 * SHUT / gap
        # Whatever counters are after the string has ended, they make nothing good of what is exact.
        heavy = 1 + self._tallest() * sum(not lack.exact for lack in lacks)
        bias, tokens, cells = SHUT, dict[int, float](), dict[int, float]()
        for lack in lacks:
            factor = steep * (heavy if lack.exact else 1)
            bias -= factor * lack.constant
            _add(tokens, lack.tokens.items(), -factor)
            _add(cells, lack.cells.items(), -factor)
        return bias, tokens, cells


def _add(total: dict[int, float], terms: Iterable[tuple[int, float]], factor: float) -> None:
    for place, weight in terms:
        total[place] = total.get(place, 0.0) + factor * weight


def _setting(latch: Reset) -> Sequence:
    """The rules of a register that is a latch.

    Raises:
        InputError: when it is none.
    """
    if latch.values != 2 or latch.initial or any(rule.then != Set(1) for rule in latch.rules):
        raise InputError(f"register {latch.name!r}: an LSTM that counts sets a register to 1, and never back")
    return latch.rules
