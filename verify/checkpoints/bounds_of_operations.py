"""Within which bounds is what an operation of torch makes in float32, of numbers that are between bounds?

* One operation of IEEE 754 keeps the order of numbers, so it is done on the ends.
* Sums are taken in any order (:func:`verify.checkpoints.cell_boxes.rounded_off`).
* Functions err by no more than :mod:`verify.learned.semantics` says, and are exact where they are settled.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
import torch

from constructions.mamba.followed import NOBODY
from constructions.mamba.numbers_alone import Refusal, last_as_one, taps, windows
from verify.checkpoints.cell_boxes import SETTLED_ONE, SETTLED_ZERO, rounded_off
from verify.checkpoints.loose_table import LooseTable, Origin
from verify.learned.float32 import Bounds, approximated, products, silu, softplus, to_float32
from verify.learned.semantics import ROUNDING, TINY


class LoosePart(NamedTuple):
    """The numbers of a tensor: their ends, and the row of each in the table, NOBODY where it is fixed."""

    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray

    @property
    def loose(self) -> np.ndarray:
        return self.rows >= 0

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.low, self.high)

    @property
    def largest(self) -> np.ndarray:
        """The largest absolute values."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


class WideBounds(Exception):
    """Why nothing is said of an operation, and which rows would have to be known better."""

    def __init__(self, why: str, rows: np.ndarray):
        super().__init__(why)
        self.rows = rows


class MadeWithin(NamedTuple):
    """What an operation makes.

    Attributes:
        low, high: float64, of the shape of the result.
        each: operands that each number reads at its place.
        many: rows of sequences that each number reads, (…, terms), and which of these are heard.
        chosen: operands, and where the result is that number itself.
        origins: of each number, flat, where it is no operation on one number of each operand.
    """

    low: np.ndarray
    high: np.ndarray
    each: Sequence[LoosePart] = ()
    many: Sequence[tuple[np.ndarray, np.ndarray]] = ()
    chosen: Sequence[tuple[LoosePart, np.ndarray]] = ()
    origins: Sequence[Origin | None] | None = None


BoundsRule = Callable[[list[Any], Any, Any, LooseTable], list[MadeWithin]]
"""Of operands (parts, and arguments that are no tensors), the same as tensors, options and the table of loose numbers:
one for each result."""


# -- operations that are rounded once: done on the ends ------------------------------------------------


def _ends(operation: Callable[..., np.ndarray], corners: Sequence[tuple[Any, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest of an operation in float32 on some corners."""
    found = [operation(*(np.asarray(end, dtype=np.float32) for end in corner)) for corner in corners]
    return np.minimum.reduce(found).astype(np.float64), np.maximum.reduce(found).astype(np.float64)


def _two(parts: list[Any], kwargs: Any) -> tuple[LoosePart, LoosePart]:
    """Two operands, of which one may be a constant."""
    if kwargs.get("alpha", 1) != 1 or parts[2:] not in ([], [1]) or kwargs.get("rounding_mode") is not None:
        raise Refusal("only the plain operation is looked into")
    x, y = (part if isinstance(part, LoosePart) else _constant(part) for part in parts[:2])
    shape = np.broadcast_shapes(x.low.shape, y.low.shape)
    first, second = (LoosePart(*(np.broadcast_to(end, shape) for end in part)) for part in (x, y))
    return first, second


def _constant(value: Any) -> LoosePart:
    exact = np.asarray(np.float64(np.float32(value)))
    return LoosePart(exact, exact, np.asarray(NOBODY))


def _corners(x: LoosePart, y: LoosePart) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]


def _add(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = _two(parts, kwargs)
    # A number beside which the other one vanishes stays what it is.
    chosen = [(one, other.largest <= _smallest(one) * 2.0**-26) for one, other in ((x, y), (y, x))]
    return [MadeWithin(*_ends(np.add, _corners(x, y)), each=[x, y], chosen=chosen)]


def _smallest(x: LoosePart) -> np.ndarray:
    """The smallest absolute values."""
    return np.where((x.low <= 0) & (x.high >= 0), 0, np.minimum(np.abs(x.low), np.abs(x.high)))


def _subtract(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = _two(parts, kwargs)
    low, high = _ends(np.subtract, _corners(x, y))
    same = x.loose & (x.rows == y.rows)
    return [MadeWithin(np.where(same, 0, low), np.where(same, 0, high), each=[x, y])]


def _subtract_from(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    return _subtract([parts[1], parts[0], *parts[2:]], given, kwargs, table)


def _multiply(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = _two(parts, kwargs)
    low, high = _ends(np.multiply, _corners(x, y))
    least = _smallest(x).astype(np.float32)
    low = np.where(x.loose & (x.rows == y.rows), least * least, low)
    chosen = [(one, (other.low == 1) & (other.high == 1)) for one, other in ((x, y), (y, x))]
    return [MadeWithin(low, high, each=[x, y], chosen=chosen)]


def _divide(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = _two(parts, kwargs)
    zero = (y.low <= 0) & (y.high >= 0)
    if (zero & ~y.loose).any():
        raise Refusal("a number is divided by 0")
    if zero.any():
        raise WideBounds("a divisor may be 0", y.rows[zero])
    low, high = _ends(np.divide, _corners(x, y))
    for place in np.argwhere(x.loose & y.loose & (y.low > 0)).tolist():
        at = tuple(place)
        least, greatest = table.quotient(int(x.rows[at]), int(y.rows[at]))
        low[at], high[at] = max(low[at], least), min(high[at], greatest)
    return [MadeWithin(low, high, each=[x, y])]


def _negate(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    (x,) = parts
    return [MadeWithin(-x.high, -x.low, each=[x])]


def _relu(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    (x,) = parts
    return [MadeWithin(np.maximum(x.low, 0), np.maximum(x.high, 0), each=[x], chosen=[(x, x.low >= 0)])]


def _greater(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = _two(parts, kwargs)
    chosen = [(x, x.low >= y.high), (y, y.low >= x.high)]
    return [MadeWithin(np.maximum(x.low, y.low), np.maximum(x.high, y.high), each=[x, y], chosen=chosen)]


def _absolute(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    (x,) = parts
    return [MadeWithin(_smallest(x), x.largest, each=[x], chosen=[(x, x.low >= 0)])]


def _square(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x = parts[0]
    if parts[1:] != [2]:
        raise Refusal("only squares are looked into")
    ends = [(end, end) for end in (_smallest(x), x.largest)]
    return [MadeWithin(*_ends(np.multiply, ends), each=[x])]


def _filled(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, mask, value = *parts[:2], float(np.float32(parts[2]))
    sure, never = mask.low == 1, mask.high == 0
    low = np.where(sure, value, np.where(never, x.low, np.minimum(x.low, value)))
    high = np.where(sure, value, np.where(never, x.high, np.maximum(x.high, value)))
    return [MadeWithin(low, high, each=[x, mask], chosen=[(x, never)])]


def _equal(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, value = parts[0], float(parts[1])
    sure = (x.low == value) & (x.high == value)
    return [MadeWithin(sure * 1.0, ((x.low <= value) & (value <= x.high)) * 1.0, each=[x])]


def _both(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, y = parts
    return [MadeWithin(np.minimum(x.low, y.low), np.minimum(x.high, y.high), each=[x, y])]


# -- functions ----------------------------------------------------------------------------------------


def _function(bounds: Callable[[Bounds], Bounds]) -> BoundsRule:
    def rule(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
        x = parts[0]
        if parts[1:] not in ([], [1, 20], [1.0, 20.0]):
            raise Refusal("only the plain function is looked into")
        found = bounds(x.bounds)
        return [MadeWithin(*to_float32(found.low, found.high).ends, each=[x])]

    return rule


def _exp(x: Bounds) -> Bounds:
    found = approximated(*(np.exp(np.minimum(end, 700.0)) for end in x.ends))
    low = np.where(x.low >= 0, np.maximum(found.low, 1.0), np.maximum(found.low, 0.0))
    high = np.where(x.high <= SETTLED_ZERO, 0.0, np.where(x.high <= 0, np.minimum(found.high, 1.0), found.high))
    return Bounds(low, high)


def _sigmoid(x: Bounds) -> Bounds:
    found = approximated(*(1 / (1 + np.exp(-np.clip(end, -700, 700))) for end in x.ends))
    low = np.where(x.low >= SETTLED_ONE, 1.0, np.maximum(found.low, 0.0))
    return Bounds(low, np.where(x.high <= SETTLED_ZERO, 0.0, np.minimum(found.high, 1.0)))


def _tanh(x: Bounds) -> Bounds:
    found = approximated(np.tanh(x.low), np.tanh(x.high))
    low = np.where(x.low >= SETTLED_ONE, 1.0, np.maximum(found.low, -1.0))
    return Bounds(low, np.where(x.high <= -SETTLED_ONE, -1.0, np.minimum(found.high, 1.0)))


def _root(x: Bounds) -> Bounds:
    # A kernel may err, though IEEE 754 knows how it is rounded.
    found = approximated(*(np.sqrt(end) for end in x.ends))
    return Bounds(np.maximum(found.low, 0), found.high)


def _reciprocal_root(x: Bounds) -> Bounds:
    # Of what is not positive it is infinite or none, which is refused.
    return approximated(1 / np.sqrt(x.high), np.where(x.low > 0, 1 / np.sqrt(x.low), np.inf))


def _log_sigmoid(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    (x,) = parts
    exact = approximated(-np.logaddexp(0, -x.low), -np.logaddexp(0, -x.high))
    found = to_float32(exact.low, np.minimum(exact.high, 0))
    # What lies beside it, exp(-|x|), is read by gradients alone.
    return [MadeWithin(*found.ends, each=[x]), MadeWithin(np.zeros(x.low.shape), np.ones(x.low.shape), each=[x])]


# -- sums ---------------------------------------------------------------------------------------------


def _sums(least: np.ndarray, greatest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of rounded sums over the last axis of terms between these, in any order."""
    shape = least.shape[:-1]
    flat = least.reshape(-1, least.shape[-1]), greatest.reshape(-1, least.shape[-1])
    off = [rounded_off(ends) for ends in flat]
    low, high = flat[0].sum(axis=1), flat[1].sum(axis=1)
    found = to_float32(low - off[0], high + off[1])
    low, high = np.where(off[0] == 0, low, found.low), np.where(off[1] == 0, high, found.high)
    # A rounded sum of terms of one sign is no nearer to 0 than any of them.
    near = [ends.astype(np.float32).astype(np.float64) for ends in flat]
    low = np.where((near[0] >= 0).all(axis=1), np.maximum(low, near[0].max(axis=1)), low)
    high = np.where((near[1] <= 0).all(axis=1), np.minimum(high, near[1].min(axis=1)), high)
    return low.reshape(shape), high.reshape(shape)


def _product(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    if any(kwargs.get(key, 1) != 1 for key in ("alpha", "beta")):
        raise Refusal("a product is scaled")
    left, right = parts[-2:]
    x = LoosePart(*(end[..., :, None, :] for end in left))
    y = LoosePart(*(np.swapaxes(end, -1, -2)[..., None, :, :] for end in right))
    exact = products(x.bounds, y.bounds)
    least, greatest = exact.low, exact.high
    heard = [x.loose & (y.loose | (y.low != 0)), y.loose & (x.loose | (x.low != 0))]
    many = [(np.broadcast_to(part.rows, least.shape), on) for part, on in zip((x, y), heard)]
    each = parts[:-2]
    if each:
        bias = [np.broadcast_to(end, least.shape[:-1])[..., None] for end in (each[0].low, each[0].high)]
        least, greatest = np.concatenate([least, bias[0]], axis=-1), np.concatenate([greatest, bias[1]], axis=-1)
    low, high = _sums(least, greatest)
    origins = _multiples(least, greatest, (x, y), heard, bool(each) and bool(each[0].loose.any()))
    return [MadeWithin(low, high, each, many, origins=origins)]


def _multiples(
    least: np.ndarray, greatest: np.ndarray, parts: tuple[LoosePart, LoosePart], heard: list[np.ndarray], more: bool
) -> list[Origin | None]:
    """Of which loose numbers each sum is one of multiples, where it is, (…, terms) as they come."""
    terms, count = least.shape[-1], heard[0].shape[-1]
    (x, y), shape = parts, least[..., :count].shape
    on = [np.broadcast_to(one, shape).reshape(-1, count) for one in heard]
    rows = [np.broadcast_to(part.rows, shape).reshape(-1, count) for part in (x, y)]
    by = [np.broadcast_to(part.low, shape).reshape(-1, count) for part in (y, x)]
    flat = least.reshape(-1, terms), greatest.reshape(-1, terms)
    sizes = np.maximum(np.abs(flat[0]), np.abs(flat[1])).sum(axis=1)
    found: list[Origin | None] = []
    for number in range(len(flat[0])):
        first, second = on[0][number], on[1][number]
        if more or (first & second).any() or not (first | second).any():
            found.append(None)
            continue
        of = [(int(rows[k][number, i]), float(by[k][number, i])) for k in (0, 1) for i in np.flatnonzero(on[k][number])]
        fixed = np.ones(terms, dtype=bool)
        fixed[:count] = ~(first | second)
        constant, none = float(flat[0][number, fixed].sum()), not flat[0][number, fixed].any()
        off = 0.0 if none and len(of) == 1 else 4 * (terms + 8) * (ROUNDING * float(sizes[number]) + TINY)
        found.append(Origin("linear", tuple(of), (constant - off, constant + off)))
    return found


def _convolution(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    x, weight, bias = parts[:3]
    if weight.loose.any() or (bias is not None and bias.loose.any()):
        raise Refusal("only fixed weights of a convolution are looked into")
    read = [windows(torch.from_numpy(end.copy()), given).numpy() for end in (x.low, x.high)]
    rows = windows(torch.from_numpy(x.rows.copy()), given, NOBODY).numpy()
    tap = np.broadcast_to(taps(given).detach().double().numpy(), rows.shape)
    exact = products(Bounds(*read), Bounds.exactly(tap))
    least, greatest = exact.low, exact.high
    if bias is not None:
        ends = np.broadcast_to(bias.low[None, :, None, None], (*least.shape[:-1], 1))
        least, greatest = np.concatenate([least, ends], axis=-1), np.concatenate([greatest, ends], axis=-1)
    return [MadeWithin(*_sums(least, greatest), many=[(rows, (rows >= 0) & (tap != 0))])]


def _total(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    return [_reduced(parts, kwargs, lambda x: _sums(x.low, x.high))]


def _mean(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    return [_reduced(parts, kwargs, lambda x: _mean_of(x, table))]


def _variance(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    if kwargs.get("correction") != 0 or set(kwargs) - {"correction", "keepdim"}:
        raise Refusal("only a variance that is a mean of squares is looked into")
    return [_reduced([*parts[:2], bool(kwargs.get("keepdim"))], {}, lambda x: _squares_of(x, _mean_of(x, table)))]


def _mean_of(x: LoosePart, table: LooseTable) -> tuple[np.ndarray, np.ndarray]:
    """Of rows, however it is added up or updated.

    A sum of n numbers is off by n roundings of the sum of their sizes, s, so a mean by one; a running mean by at most
    (1 + 3 (1 + ln n + 1) / n) of s, as the k-th step rounds x_k / k and the mean, and weighs k / n; means of parts that
    are brought together by less.
    """
    count, shape = x.low.shape[-1], x.low.shape[:-1]
    off = 16 * ROUNDING * x.largest.sum(axis=-1) + TINY
    sums = [table.total(rows, fixed) for rows, fixed in zip(x.rows.reshape(-1, count), x.low.reshape(-1, count))]
    low, high = (np.array(ends).reshape(shape) / count for ends in zip(*sums))
    found = to_float32(low - off, high + off)
    return np.where((x.low >= 0).all(axis=-1), np.maximum(found.low, 0), found.low), found.high


def _squares_of(x: LoosePart, mean: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The variance of rows about a mean, however it is added up or updated."""
    apart = LoosePart(x.low - mean[1][..., None], x.high - mean[0][..., None], x.rows)
    far = x.largest.max(axis=-1) + np.maximum(np.abs(mean[0]), np.abs(mean[1]))
    off = 16 * (x.low.shape[-1] + 8) * ROUNDING * far**2 + TINY
    least, greatest = (np.mean(size**2, axis=-1) for size in (_smallest(apart), apart.largest))
    return to_float32(np.maximum(least - off, 0), greatest + off).ends


def _layer_norm(parts: list[Any], given: Any, kwargs: Any, table: LooseTable) -> list[MadeWithin]:
    """(x - mean) / sqrt(variance + epsilon) * gain + bias of rows; with the mean, and what it is multiplied by."""
    x, shape, gain, bias, epsilon = parts
    if len(shape) != 1 or any(part is None or part.loose.any() for part in (gain, bias)):
        raise Refusal("only norms of rows, with fixed gains and biases, are looked into")
    mean = _mean_of(x, table)
    below = [np.asarray(end, dtype=np.float32) + np.float32(epsilon) for end in _squares_of(x, mean)]
    scale = approximated(*(1 / np.sqrt(end.astype(np.float64)) for end in below[::-1]))
    centre, by = Bounds(*(end[..., None] for end in mean)), Bounds(*(end[..., None] for end in scale.ends))
    gains = Bounds.exactly(np.broadcast_to(gain.low, x.low.shape))
    exact = products(products(Bounds(x.low - centre.high, x.high - centre.low), by), gains)
    # x by scale and the mean by scale may be rounded apart, and multiplied by the gain before or after.
    off = 16 * ROUNDING * (x.largest + centre.largest) * by.high * np.abs(gains.low) + TINY * (1 + np.abs(gains.low))
    found = to_float32(exact.low - off + bias.low, exact.high + off + bias.low)
    row = x.rows[..., None, :]
    many = [
        (
            np.broadcast_to(row, (*x.rows.shape, x.rows.shape[-1])),
            np.broadcast_to(row >= 0, found.low.shape + row.shape[-1:]),
        )
    ]
    beside = [(row, row >= 0)]
    return [
        MadeWithin(*found.ends, many=many),
        MadeWithin(*centre.ends, many=beside),
        MadeWithin(*to_float32(*by.ends).ends, many=beside),
    ]


def _reduced(parts: list[Any], kwargs: Any, bounds: Callable[[LoosePart], tuple[np.ndarray, np.ndarray]]) -> MadeWithin:
    """What is made of some dimensions of a tensor."""
    x, dims, keeps = parts[0], parts[1] if len(parts) > 1 else None, len(parts) > 2 and bool(parts[2])
    if kwargs.get("dtype") not in (None, torch.float32) or kwargs.get("keepdim") or not dims:
        raise Refusal("this sum is not looked into")
    flat = LoosePart(*(last_as_one((torch.from_numpy(np.ascontiguousarray(end)), dims)).numpy() for end in x))
    ends, rows = bounds(flat), flat.rows
    if keeps:
        for dim in sorted(dim % x.low.ndim for dim in dims):
            ends = np.expand_dims(ends[0], dim), np.expand_dims(ends[1], dim)
            rows = np.expand_dims(rows, dim)
    return MadeWithin(*ends, many=[(rows, rows >= 0)])


RULES: dict[str, BoundsRule] = {
    "add": _add,
    "sub": _subtract,
    "rsub": _subtract_from,
    "mul": _multiply,
    "div": _divide,
    "maximum": _greater,
    "neg": _negate,
    "relu": _relu,
    "sqrt": _function(_root),
    "abs": _absolute,
    "pow": _square,
    "masked_fill": _filled,
    "eq": _equal,
    "bitwise_and": _both,
    "exp": _function(_exp),
    "sigmoid": _function(_sigmoid),
    "tanh": _function(_tanh),
    "silu": _function(silu),
    "softplus": _function(softplus),
    "rsqrt": _function(_reciprocal_root),
    "log_sigmoid_forward": _log_sigmoid,
    "mm": _product,
    "bmm": _product,
    "addmm": _product,
    "convolution": _convolution,
    "sum": _total,
    "mean": _mean,
    "var": _variance,
    "native_layer_norm": _layer_norm,
}
"""By the name of the operation."""
