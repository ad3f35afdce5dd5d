"""What a training is: sizes, strings, rates and schedules, as one value that says everything but the language.

The part of the training that is over, ``done`` in 0 … 1, decides the learning rate and how hard gates are pushed; time
does not, so that a training that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from automata.errors import InputError, quoted

RANDOM, COMPILED, REPAIR = "random", "compiled", "repair"
"""Where weights begin: at random, at those compiled from the language, at those of another folder."""

HELD, FORGETS = -112.0, -1.0
"""Pre-activations of a step size below which softplus is exactly 0 in float32, with room to spare, and above which a
gate forgets at once."""

PIVOT = -3.0
"""Below it a step size is meant to be 0, above it to be large."""

NOISE = 115.0
"""The greatest noise that is added to pre-activations below PIVOT."""

_NOISE_BEGINS, _NOISE_GROWS, _PENALTY_BEGINS, _PENALTY_GROWS = 0.15, 0.4, 0.6, 0.1
_PENALTY, _FASTER, _LEAST_RATE = 3e-4, 5.0, 1e-5


@dataclass(frozen=True)
class Protocol:
    """How a model is trained.

    Attributes:
        layers, d_model, state, conv, expand, rank: sizes of the Mamba, as in its configuration.
        steps: updates of the weights.
        batch: strings of a step.
        length: symbols of the longest training strings that are own walks.
        rate: the learning rate of AdamW; it falls along a cosine.
        decay: of the weights.
        seed: of weights, strings and noise.
        sharpen: whether gates are driven to exactly 0 and 1.
        start: RANDOM, COMPILED or REPAIR.
        noise: relative, on the weights that it starts from.
        strings: ``own``, or the folder of a released data set.
    """

    layers: int = 1
    d_model: int = 8
    state: int = 1
    conv: int = 4
    expand: int = 2
    rank: int = 4
    steps: int = 3500
    batch: int = 32
    length: int = 40
    rate: float = 1e-2
    decay: float = 1e-2
    seed: int = 0
    sharpen: bool = False
    start: str = RANDOM
    noise: float = 0.0
    strings: str = "own"

    @property
    def relative(self) -> bool:
        """Whether steps are relative to the weights that it starts from: w = w0 (1 + d), and zeros stay zero."""
        return self.start == COMPILED

    def learning_rate(self, done: float) -> float:
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * done)) + _LEAST_RATE

    def step_size_rate(self, done: float) -> float:
        """The learning rate of what makes step sizes: larger while gates have far to go."""
        return self.learning_rate(done) * (_FASTER if self.sharpen and done > _NOISE_BEGINS else 1.0)

    def gate_noise(self, done: float) -> float:
        """The bound of the uniform noise on small pre-activations: what holds against it has to be far below 0."""
        if not self.sharpen or done <= _NOISE_BEGINS:
            return 0.0
        return NOISE * min(1.0, (done - _NOISE_BEGINS) / _NOISE_GROWS)

    def gate_penalty(self, done: float) -> float:
        """The weight of the distance of pre-activations from HELD or FORGETS."""
        if not self.sharpen or done <= _PENALTY_BEGINS:
            return 0.0
        return _PENALTY * min(1.0, (done - _PENALTY_BEGINS) / _PENALTY_GROWS)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Any, where: str) -> Protocol:
        """The protocol that a file holds.

        Raises:
            InputError: naming the file, and the entry that is missing, unknown or of another kind.
        """
        kinds = {field.name: type(field.default) for field in fields(cls)}
        if not isinstance(found, dict) or found.keys() != kinds.keys():
            raise InputError(f"{where}: the protocol has other entries than {', '.join(kinds)}")
        for name, kind in kinds.items():
            if type(found[name]) is not kind:
                raise InputError(f"{where}: {name}: found {quoted(found[name])}, expected {kind.__name__}")
        return cls(**found)
