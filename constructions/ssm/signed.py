"""Signed gates as a target: diagonal gates in [-1, 1].

A gate of -1 swaps the two values of a bit: h -> 1 - h.  So besides everything that nonnegative gates can do, this
target has permutation registers whose permutations swap bits of the register's code (for two values, the group C2).
Every other group is refused by its name: with real diagonal gates nothing counts modulo 3.

Source: Grazzi et al. 2024 (arXiv 2411.12537), who extend the eigenvalues of linear recurrent models to [-1, 1].
"""

from __future__ import annotations

from automata.algebra.groups import group_name
from automata.errors import InputError
from constructions.cascade import Cascade, Permutation, Permute, Set, bit_length
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.features import ONE, AffineForm, Feature
from constructions.ssm.lowering import Lowering
from constructions.ssm.weights import SSM


def lower_signed(cascade: Cascade, arithmetic: Arithmetic) -> SSM:
    """The cascade as an SSM with gates in [-1, 1]; as :func:`constructions.ssm.lowering.lower` for all other registers.

    Raises:
        InputError: naming the register and its group, for a permutation that no gate of -1 can do.

    >>> from constructions.paper.parity_models import parity
    >>> layer = lower_signed(parity(), Arithmetic("exact")).layers[0]
    >>> layer.gate.matrix.toarray().tolist(), layer.gate.bias.tolist(), layer.increment.matrix.toarray().tolist()
    ([[-2]], [1], [[1]])
    """
    return _SignedLowering(cascade, arithmetic).build()


class _SignedLowering(Lowering):
    """A permutation register is ceil(log2 v) bits; a step that swaps a bit has gate -1 and increment 1 there."""

    def check_permutation(self, register: Permutation) -> None:
        permutes = [rule.then.images for rule in register.rules if isinstance(rule.then, Permute)]
        if any(_swapped_bits(images) is None for images in permutes):
            raise InputError(
                f"register {register.name!r} permutes its values by the group {group_name(permutes)}, and a real gate "
                "can at most swap the two values of a bit (C2)"
            )
        if register.name in self.cascade.read_before and len(permutes) < len(register.rules):
            raise InputError(f"register {register.name!r} is set by a rule, so its value before a step cannot be read")

    def register_bit(self, register, index: int, before: bool) -> Feature:
        if not isinstance(register, Permutation):
            return super().register_bit(register, index, before)
        if before:
            return self._swapped_back(register, index)
        layer = self.layer_of[register.name]
        state = AffineForm((((-layer, self.coordinate[register.name] + index), 1),))
        return Feature(f"{register.name} bit {index} after", state, 2 * layer - 1)

    def _swapped_back(self, register: Permutation, index: int) -> Feature:
        """The bit before the step: the bit after it, swapped where the step swapped it."""
        name = f"{register.name} bit {index} before"
        after = self.bit(register, index)
        swaps = [rule for rule in register.rules if (_mask(rule.then) >> index) & 1]
        if not swaps:
            return after
        swapped = self.placement.total(
            f"swap {register.name}", [(self.conjunction(name, *rule.when), 1) for rule in swaps]
        )
        differs = [[(after, value), (swapped, not value)] for value in (True, False)]
        return self.placement.total(name, [(self.placement.conjunction(name, literals), 1) for literals in differs])

    def update(self, register, events: list[Feature], codes) -> list[tuple[str, int, AffineForm, AffineForm]]:
        if not isinstance(register, Permutation):
            return super().update(register, events, codes)
        slot, unit = 2 * self.layer_of[register.name] - 2, 1 << self._gate_exponent
        fired = [(rule.then, self.placement.read_output(event, slot)) for rule, event in zip(register.rules, events)]
        entries = []
        for i in range(bit_length(register.values)):
            name = f"{register.name} bit {i}" if bit_length(register.values) > 1 else register.name
            gate, increment = ONE * unit, AffineForm()
            for action, event in fired:
                swaps = isinstance(action, Permute)
                code = _mask(action) if isinstance(action, Permute) else action.value
                bit = (code >> i) & 1
                gate -= event * ((2 * bit if swaps else 1) * unit)
                increment += event * (bit * unit)
            entries.append((name, ((register.initial >> i) & 1) * unit, gate, increment))
        return entries


def _mask(action: Set | Permute) -> int:
    """The bits that a permutation swaps, for one that the lowering has accepted."""
    mask = _swapped_bits(action.images) if isinstance(action, Permute) else None
    if mask is None:
        raise ValueError(f"{action} swaps no bits")
    return mask


def _swapped_bits(images: tuple[int, ...]) -> int | None:
    """The mask m with images[v] = v XOR m for all v, or None when there is none.

    >>> _swapped_bits((1, 0)), _swapped_bits((2, 3, 0, 1)), _swapped_bits((1, 2, 0))
    (1, 2, None)
    """
    mask = images[0]
    return mask if all(image == value ^ mask for value, image in enumerate(images)) else None
