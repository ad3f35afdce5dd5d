"""Does the result of an operation of torch depend on its numbers alone, whatever the order of a sum and the place of a
number?

*Order*: no sum may round in any order (:mod:`constructions.mamba.exact_sums`), so the number of rows, the length of the
string and the place of a row change nothing.  A mean or variance that is rounded away beside what is added to it may.

*Place*: a kernel computes a function of one number in another way in the last few places of a tensor than elsewhere.
Each function is done again on each number that occurred, at all places of a short row, and has to give the same bits.
"""

from __future__ import annotations

import functools
from typing import Any, Sequence

import numpy as np
import torch
from torch.nn import functional
from torch.utils.weak import WeakTensorKeyDictionary

from constructions.mamba.exact_sums import NO_UNIT, lowest_bits, product_sums, too_long

MOVES = frozenset(
    "view _unsafe_view _reshape_alias transpose t permute expand slice select squeeze unsqueeze cat stack split "
    "split_with_sizes unsafe_split unbind clone alias detach lift_fresh _to_copy repeat flip".split()
)
MADE = frozenset(
    "zeros zeros_like ones ones_like empty empty_like full full_like new_zeros scalar_tensor arange".split()
)
ROUNDED = frozenset(
    "mul add sub rsub div neg abs relu maximum minimum where clamp eq ne lt le gt ge bitwise_not bitwise_and "
    "bitwise_or logical_not logical_and masked_fill".split()
)
"""One operation of IEEE 754 for each place, or none."""
FUNCTIONS = frozenset("exp log sqrt rsqrt sigmoid silu softplus tanh gelu pow reciprocal log_sigmoid_forward".split())
"""Of each number one, or several results beside each other: log_sigmoid has exp(-|x|) beside it.  A root is one of
IEEE 754 too, which kernels of torch need not round as it says.
"""
DIVIDES = frozenset("div reciprocal rsqrt pow".split())
"""Those that may give different infinities of 0 and -0."""
SUMS = frozenset("mm bmm addmm baddbmm sum mean var convolution".split())
OF_ONE = frozenset("sum mean var".split())
"""Those of one tensor, over dimensions of it."""

_LANES = 67
"""Places of the row in which a function is done again: several full vectors of any processor, and a rest."""


class Refusal(Exception):
    """An operation whose result may depend on more than its numbers, or is not looked into here."""


class NumbersAlone:
    """Looks at sums and functions, one by one.

    Attributes:
        sums: how many operations that sum were looked at.
        largest: the largest sum, in its units.
        values: how many numbers functions were done again on.
    """

    def __init__(self) -> None:
        self.sums, self.largest, self.values = 0, 0.0, 0
        self._known: dict[Any, tuple[np.ndarray, np.ndarray]] = {}
        """Of each function the numbers that it was done again on, sorted, and what it gives of them, as bits."""
        self._inexact = WeakTensorKeyDictionary()

    def sum(self, name: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        """Refuses a sum that may be rounded; a mean and a variance may be, and are marked."""
        info = torch.finfo(result.dtype)
        if name == "var":
            self._inexact[result] = _variance(args, kwargs, info)
            return
        digits, least = 1 - int(np.log2(info.eps)), int(np.log2(info.tiny))
        self.sums += 1
        for terms in _BOUNDS if name not in OF_ONE | {"convolution"} else _BOUNDS[1:]:
            size, unit = terms(name, args, kwargs, result)
            wrong, units = too_long(size, unit, digits, least, info.max)
            if not wrong:
                break
        if name == "mean":
            count = last_as_one(args).shape[-1]
            if wrong or count & (count - 1):
                if not np.isfinite(size).all() or size.max() > info.max:
                    raise Refusal(wrong or "a sum is not finite")
                self._inexact[result] = float(size.max()) / count
                return
        if wrong:
            raise Refusal(wrong)
        self.largest = max(self.largest, units)

    def absorbed(self, name: str, tensors: list[torch.Tensor], args: Any, result: Any) -> None:
        """What was rounded must vanish beside a number that is added to it, however it was rounded."""
        for tensor in tensors:
            if tensor not in self._inexact:
                continue
            greatest = 2 * self._inexact[tensor]
            if name in MOVES:
                for out in tensors_in(result):
                    self._inexact[out] = self._inexact[tensor]
                continue
            other = next((a for a in args if isinstance(a, (int, float))), None)
            eps = float(torch.finfo(tensor.dtype).eps)
            if name != "add" or other is None or not greatest < abs(other) * eps / 4:
                raise Refusal(f"a mean of up to {greatest / 2:g} is rounded, and does not vanish beside what follows")

    def settled(self, tensors: Sequence[torch.Tensor]) -> None:
        """Refuses a mean that may have been rounded and did not vanish."""
        if any(tensor in self._inexact for tensor in tensors):
            raise Refusal("a mean that is rounded is left")

    def formats(self, args: Any, result: torch.Tensor) -> None:
        """Refuses operands of several formats, unless each is exact in the one that all have in common, and the result
        is in that one: a kernel may round a number to the format of the others or not.
        """
        operands = [a for a in args if isinstance(a, torch.Tensor) and a.dtype != torch.bool]
        if len({a.dtype for a in operands}) < 2:
            return
        common = functools.reduce(torch.promote_types, [a.dtype for a in operands])
        if result.dtype not in (common, torch.bool):
            raise Refusal("numbers of several formats are brought together, and the result is in another")
        for operand in operands:
            if bool((operand.to(common).to(operand.dtype) != operand).any()) or (
                not operand.dtype.is_floating_point and bool((operand.abs() > 2**8).any())
            ):
                raise Refusal("numbers of several formats are brought together, and are not exact in one")

    def function(self, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """Does a function again on each new number, at all places of a row, contiguous or not."""
        if any(isinstance(a, torch.Tensor) for a in args[1:]):
            raise Refusal("a function of two numbers is not looked into")
        for which, out in enumerate(tensors_in(result)):
            self._one_of(which, func, name, args, kwargs, out)

    def _one_of(self, which: int, func: Any, name: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        """One of the results of a function."""
        numbers, rest = args[0], args[1:]
        key = name, which, numbers.dtype, rest, tuple(sorted(kwargs.items()))
        known, wanted = self._known.get(key, (np.zeros(0, dtype=np.int64),) * 2)
        flat, out = _bits(numbers.reshape(-1)).numpy(), _bits(result.reshape(-1)).numpy()
        new = np.unique(flat[~_found(known, flat)[0]])
        if len(new):
            some = _from_bits(torch.from_numpy(new), numbers.dtype)
            wide = some[:, None].expand(-1, _LANES).contiguous()
            plain = getattr(torch.ops.aten, name)
            plain = getattr(plain, func._overloadname)
            layouts = wide, wide.t().contiguous().t(), wide.repeat_interleave(2, 1)[:, ::2]
            ways = [_bits(tensors_in(plain(laid, *rest, **kwargs))[which].contiguous()) for laid in layouts]
            alone = ways[0][:, :1]
            for way in ways:
                if bool((way != alone).any()):
                    worst = some[(way != alone).any(dim=1)][0].item()
                    raise Refusal(f"of {worst:g} it gives other bits at other places of a tensor")
            order = np.argsort(np.concatenate([known, new]))
            known = np.concatenate([known, new])[order]
            wanted = np.concatenate([wanted, alone[:, 0].numpy()])[order]
            self._known[key] = known, wanted
            self.values += len(new)
        different = wanted[_found(known, flat)[1]] != out
        if different.any():
            value = _from_bits(torch.from_numpy(flat[different][:1]), numbers.dtype).item()
            raise Refusal(f"of {value:g} it gives other bits here")


def _found(known: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which values are among the known ones, which are sorted, and where."""
    if not len(known):
        return np.zeros(values.shape, dtype=bool), np.zeros(values.shape, dtype=np.intp)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return known[at] == values, at


def tensors_in(found: Any) -> list[torch.Tensor]:
    """All tensors among arguments or results."""
    if isinstance(found, torch.Tensor):
        return [found]
    if isinstance(found, dict):
        found = found.values()
    elif not isinstance(found, (list, tuple)):
        return []
    return [tensor for one in found for tensor in tensors_in(one)]


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """The bits of numbers, as integers, those of -0 as of 0."""
    size = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    return (tensor + 0).contiguous().view(size).long()


def _from_bits(bits: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    size = {2: torch.int16, 4: torch.int32, 8: torch.int64}[torch.finfo(dtype).bits // 8]
    return bits.to(size).view(dtype)


def as_doubles(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def last_as_one(args: Any) -> torch.Tensor:
    """The tensor of a sum or a mean, the dimensions that go last and as one."""
    tensor = args[0]
    dims = args[1] if len(args) > 1 and args[1] is not None else list(range(tensor.dim()))
    dims = sorted(d % tensor.dim() for d in ([dims] if isinstance(dims, int) else list(dims) or range(tensor.dim())))
    rest = [d for d in range(tensor.dim()) if d not in dims]
    moved = tensor.permute(*rest, *dims)
    return moved.reshape(*moved.shape[: len(rest)], -1)


def _variance(args: Any, kwargs: Any, info: torch.finfo) -> float:
    """What a variance is below, however it is summed: no distance from any mean of the numbers is more than twice the
    greatest.
    """
    if kwargs.get("correction") != 0:
        raise Refusal("only a variance that is a mean of squares is looked into")
    terms = np.abs(as_doubles(last_as_one(args)))
    greatest = 4 * float(terms.max(initial=0)) ** 2
    if not greatest * max(1, terms.shape[-1]) < info.max / 4:
        raise Refusal("a sum of squares is not finite")
    return 2 * greatest


def windows(tensor: torch.Tensor, args: Any, beyond: int = 0) -> torch.Tensor:
    """What each number of a convolution of each channel with itself reads, (..., width); ``beyond`` the ends stands in
    the place of what is not there.

    Args:
        tensor: of the shape of what is convolved.
        args: of the convolution.
    """
    _, weight, _, stride, padding, dilation, transposed, _, groups = args
    if weight.dim() != 3 or weight.shape[1] != 1 or groups != weight.shape[0] or transposed:
        raise Refusal("only convolutions of each channel with itself are looked into")
    if list(stride) != [1] or list(dilation) != [1]:
        raise Refusal("only convolutions of neighbours are looked into")
    return functional.pad(tensor.contiguous(), [padding[0], padding[0]], value=beyond).unfold(-1, weight.shape[-1], 1)


def taps(args: Any) -> torch.Tensor:
    """The weights of such a convolution, to be held beside its windows."""
    return args[1][:, 0][None, :, None, :]


def _terms_of_all(name: str, args: Any, kwargs: Any, result: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`_terms` of a product, for each column: the greatest that the rows allow, and the least unit of all."""
    _check_not_scaled(kwargs)
    left, right, *extra = (as_doubles(t) for t in (*args[-2:], *args[:-2]))
    size = np.abs(left).max(axis=-2, keepdims=True, initial=0) @ np.abs(right)
    unit = lowest_bits(left).min(initial=NO_UNIT) + lowest_bits(right).min(initial=NO_UNIT)
    for one in extra:
        size, unit = size + np.abs(one), min(unit, lowest_bits(one).min(initial=NO_UNIT))
    return size, np.full(size.shape, unit)


def _check_not_scaled(kwargs: Any) -> None:
    if any(kwargs.get(key, 1) != 1 for key in ("alpha", "beta")):
        raise Refusal("a product is scaled")


def _terms(name: str, args: Any, kwargs: Any, result: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """For each entry of the result the sum of its terms' absolute values, and the exponent of their unit."""
    if name in ("sum", "mean"):
        terms = as_doubles(last_as_one(args))
        size, unit = np.abs(terms).sum(axis=-1), lowest_bits(terms).min(axis=-1)
        if result.dtype in (torch.float32, torch.float64) and terms.shape[-1]:
            # Beside a term that is so much greater all others vanish, whatever the order.
            rest = np.abs(terms)
            greatest = rest.max(axis=-1)
            np.put_along_axis(rest, rest.argmax(axis=-1)[..., None], 0, axis=-1)
            vanish = rest.sum(axis=-1) < greatest * torch.finfo(result.dtype).eps / 16
            size, unit = np.where(vanish, greatest, size), np.where(vanish, lowest_bits(greatest), unit)
        return size, unit
    if name == "convolution":
        values, weights = as_doubles(windows(args[0], args)), as_doubles(taps(args))
        terms = values * weights
        unit = (lowest_bits(values) + lowest_bits(weights)).min(axis=-1)
        extra = [] if args[2] is None else [as_doubles(args[2])[None, :, None]]
        size = np.abs(terms).sum(axis=-1)
    else:
        _check_not_scaled(kwargs)
        left, right = (as_doubles(t) for t in args[-2:])
        extra = [as_doubles(args[0])] if len(args) == 3 else []
        if left.ndim == 2 and len(left):
            # The same rows come again and again.
            left, back = np.unique(left, axis=0, return_inverse=True)
            size, unit = (found[back.reshape(-1)] for found in product_sums(left, right))
        else:
            size, unit = product_sums(left, right)
    for one in extra:
        size, unit = size + np.abs(one), np.minimum(unit, lowest_bits(one))
    return size, unit


def _of_one_sign(name: str, args: Any, kwargs: Any, result: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`_terms`, but of the terms of one sign alone, whichever have the greater sum: beyond that no partial sum
    is, in any order.
    """
    size, unit = _terms(name, args, kwargs, result)
    if name in OF_ONE:
        total = as_doubles(last_as_one(args)).sum(axis=-1)
    elif name == "convolution":
        total = (as_doubles(windows(args[0], args)) * as_doubles(taps(args))).sum(axis=-1)
        total = total if args[2] is None else total + as_doubles(args[2])[None, :, None]
    else:
        total = as_doubles(args[-2]) @ as_doubles(args[-1])
        total = total if len(args) == 2 else total + as_doubles(args[0])
    # Half of all terms is no more than this: where this is within 2^52 units, doubles have added exactly.
    return (size + np.abs(total)) / 2, unit


_BOUNDS = _terms_of_all, _terms, _of_one_sign
"""The quickest first."""
