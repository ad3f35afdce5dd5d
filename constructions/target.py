"""Targets: the architectures that a cascade can become, one object each, in one registry.

A target says what its registers can do (:data:`constructions.compile.compiler.ABILITIES`), turns a cascade into
weights, runs the weights as a model, and writes and reads them as a folder.  To add an architecture, write one file
with a class that has these members and hand an instance to ``TARGETS.register``; every command then knows it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Protocol, runtime_checkable

from automata.errors import InputError
from automata.registry import Registry

if TYPE_CHECKING:
    from constructions.cascade import Cascade
    from constructions.compile.compiler import Construction


MONOTONE, CONTRACTION, REFLECTION, NONLINEAR = "monotone", "contraction", "reflection", "nonlinear"
SIGNED, FIXED_SIGN = "signed", "signed, time-invariant"
SOLVABLE, CLOCKED = "solvable", "roots of unity, time-invariant"
"""What is known of how a target's state moves, whatever its weights: it decides what no weights can do.

``monotone``: each number of the state by a monotone map, given those above it (gates that are never negative,
monotone rounding).  ``contraction``: by linear maps that never lengthen, over the reals.  ``reflection``: by
linear maps that may turn over.  ``nonlinear``: by maps of any kind.  ``signed``: each number by a monotone map or one
that turns the order over, given those above it, the same one at every step where it is also time-invariant.
``solvable``: each number by a map z -> a z + b of a field, given those above it; in ``clocked`` ones a is the same root
of unity at every step.
"""

STEPWISE, PREFILL, FORWARD, PIECES = "single steps", "prefill", "full forward", "in pieces"
"""The ways to run a model: one token at a time; a beginning at once and steps from there; a whole string at once;
several tokens at once after others.
"""


class Model(Protocol):
    """What can be run in batches: an engine, a stepped machine, a Mamba.

    States are rows of an array, one for each string of the batch.
    """

    @property
    def alphabet(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...

    @property
    def arithmetic(self) -> str: ...

    def begin(self, batch: int) -> Any:
        """States and outputs after BOS."""

    def advance(self, states: Any, symbols: Any) -> Any:
        """States after words of symbol indices, shape (batch, time), and the outputs after each symbol."""


@runtime_checkable
class Target(Protocol):
    """An architecture.

    Attributes:
        name: what ``--target`` takes.
        title: one line that says what it is.
        abilities: what its registers can do.
        motion: how its state moves, whatever its weights: MONOTONE or one of the others above.
        reluctant: abilities among these that it is given only where there is no other way.
        numbers: the option that chooses its numbers, ``arithmetic`` or ``dtype``; ``exact`` where there is no choice.
        test_length: the length of random strings by default.
        loads_with: for a report, how a saved folder is read again.
    """

    name: str
    title: str

    @property
    def abilities(self) -> frozenset[str]: ...

    @property
    def motion(self) -> str: ...

    reluctant: frozenset[str]
    numbers: str
    test_length: int
    loads_with: dict[str, object]

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """Why numbers of this format cannot hold a cascade that asks for no other abilities; None where they can.

        Raises:
            InputError: for a format that it does not come in.
        """

    def lower(self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None) -> Any:
        """The weights, their numbers of this kind; ``advance`` is told how many more rules are placed."""

    def running(self, weights: Any) -> AbstractContextManager[Any]:
        """The weights as a :class:`Model`, as long as the context lasts."""

    def longest(self, weights: Any, construction: Construction | None, wanted: int) -> int:
        """The longest strings up to ``wanted`` on which every number is certainly exact."""

    def exact_range(self, weights: Any) -> str:
        """Below what numbers are exact, in words."""

    def size(self, weights: Any) -> dict[str, int]:
        """The few numbers that say how large the model is."""

    def describe(self, weights: Any, construction: Construction | None) -> dict[str, object]:
        """Named values for a report, counted on the arrays."""

    def save(self, weights: Any, folder: str | Path, card: str = "", language: str = "") -> None:
        """Writes the folder, complete or not at all.

        Args:
            weights: the arrays.
            folder: the place.
            card: a text for readers, where the format has a place for it.
            language: the text of :data:`automata.saved_language.LANGUAGE_FILE`; no such file where it is empty.
        """

    def check_place(self, folder: str | Path) -> None:
        """Raises when the folder is there and holds something that must not be replaced."""

    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> AbstractContextManager[Any]:
        """A small model of this architecture with random weights, as a :class:`Model`: to show what none can do."""

    def owns(self, folder: Path) -> bool:
        """Whether the folder looks like one of this target's."""

    def load(self, folder: str | Path) -> Any:
        """The weights of such a folder."""


TARGETS = Registry(
    "target",
    {
        "ssm": "constructions.ssm.target:PAPER_SSM",
        "mamba": "constructions.mamba.target:MAMBA",
        "mamba-ssm": "constructions.mamba.target:MAMBA_SSM",
        "mamba2": "constructions.stock.mamba2:MAMBA2",
        "bamba": "constructions.stock.mamba2_hybrids:BAMBA",
        "granitemoehybrid": "constructions.stock.mamba2_hybrids:GRANITE",
        "falcon_h1": "constructions.stock.mamba2_hybrids:FALCON_H1",
        "nemotron_h": "constructions.stock.nemotron_h:NEMOTRON_H",
        "recurrent_gemma": "constructions.stock.recurrent_gemma:RECURRENT_GEMMA",
        "qwen3_next": "constructions.stock.qwen3:QWEN3_NEXT",
        "qwen3_5_text": "constructions.stock.qwen3:QWEN3_5",
        "kimi_linear": "constructions.stock.kimi_linear:KIMI_LINEAR",
        "bailing_hybrid": "constructions.stock.kimi_linear:BAILING_HYBRID",
        "falcon_mamba": "constructions.stock.falcon_mamba:FALCON_MAMBA",
        "jamba": "constructions.stock.jamba:JAMBA",
        "zamba": "constructions.stock.zamba:ZAMBA",
        "zamba2": "constructions.stock.zamba2:ZAMBA2",
        "xlstm": "constructions.stock.xlstm:XLSTM_TARGET",
        "rwkv": "constructions.stock.rwkv:RWKV",
        "olmo_hybrid": "constructions.stock.olmo_hybrid:OLMO_HYBRID",
        "relu-rnn": "constructions.recurrent.target:RELU_RNN",
        "tanh-rnn": "constructions.recurrent.target:TANH_RNN",
        "gru": "constructions.recurrent.target:GRU",
        "lstm": "constructions.recurrent.target:LSTM",
        "signed-diagonal": "constructions.linear.target:SIGNED_DIAGONAL",
        "complex-diagonal": "constructions.linear.target:COMPLEX_DIAGONAL",
        "lru": "constructions.linear.target:LRU",
        "ids4": "constructions.linear.target:IDS4",
        "pd-ssm": "constructions.linear.target:PD_SSM",
        "linear-cde": "constructions.linear.target:LINEAR_CDE",
        "longhorn": "constructions.linear.target:LONGHORN",
    },
)
"""All targets by name."""


def owner(folder: str | Path) -> Target:
    """The target whose saved folder this looks like.

    Raises:
        InputError: when it is no folder, or no target's.
    """
    target: Target
    for target in map(TARGETS.named, TARGETS):
        if target.owns(Path(folder)):
            return target
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: is not a folder")
    raise InputError(f"{folder}: is neither a saved model nor a checkpoint, it has no model.json and no config.json")
