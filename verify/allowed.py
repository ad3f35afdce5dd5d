"""What the gates of a model allow at most: from a configuration, from weights, or from a range alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

from automata.errors import InputError, did_you_mean
from automata.files import read_text
from constructions.compile.compiler import ADD, PERMUTE, TRANSFORM
from constructions.mamba.checkpoint import CONFIG
from constructions.mamba.precision import PRECISIONS
from constructions.recurrent.cells import EXACT_TERMS
from constructions.stock.gates import Gates, in_float32
from constructions.stock.layer_kinds import LayerKinds, layer_kinds
from constructions.target import (
    CLOCKED,
    CONTRACTION,
    FIXED_SIGN,
    MONOTONE,
    NONLINEAR,
    REFLECTION,
    SIGNED,
    SOLVABLE,
    TARGETS,
)
from verify.decision import CONDITIONS, THEOREM

if TYPE_CHECKING:
    from constructions.target import Target

NEED_STAR_FREE, NEED_REGULAR, NEED_COUNTER = NEEDS = ("star-free", "regular", "counter")

UNGATED = "ungated"
"""The motion of a model none of whose layers has a gate."""

_DIGITS = 24
"""Binary digits of a number of float32."""

_NO_REGULAR = {
    MONOTONE: "no: it is star-free at most",
    CONTRACTION: "not known: over the reals it is star-free at most, in floats no bound is known",
    SIGNED: "no: its groups have orders 2, 4, 8, … alone",
    FIXED_SIGN: "no: not PARITY",
    SOLVABLE: "no: its groups are solvable",
    CLOCKED: "no: not PARITY",
}

AT_MOST = {
    MONOTONE: f"star-free: {THEOREM}; {CONDITIONS}",
    CONTRACTION: "star-free over the reals, where finitely many states are reached; in floats no bound is known",
    REFLECTION: "regular: reflections permute, and floats have finitely many states",
    NONLINEAR: "regular: one layer can do any function of finitely many states",
    SIGNED: "regular, with groups of order 2, 4, 8, … alone: a channel of gates of any sign keeps or turns the order "
    f"of its numbers; {CONDITIONS}",
    SOLVABLE: "regular, with solvable groups alone: maps z -> a z + b of a field make such groups, and so does what is "
    f"stacked of them; {CONDITIONS}",
    CLOCKED: "quasi-aperiodic, in exact arithmetic: words of one length, whatever divides it, permute no states",
    FIXED_SIGN: f"no PARITY: two steps multiply by a square (Theorem 4 of the same); {CONDITIONS}",
    UNGATED: "not known: none of its layers has a gate, and what attention adds is not bounded",
}
"""By how the state moves."""


@dataclass(frozen=True)
class Allowed:
    """What is known of one model.

    Attributes:
        what: the architecture in words.
        gates: None where it has none, as a nonlinear cell.
        as_parametrised: the formula.
        motion: how its state moves: a key of AT_MOST.
        dtype: the format that its numbers are in.
        allows: those of NEEDS that it allows as far as is known, with the reason.
        lacks: the others, with the reason.
        attends: whether it has attention layers, of which nothing is said.
        kinds: how many of its layers have gates; None where that is not known.
        layers: gates of each layer with the given weights; empty where that is not known.
        seen: whether ``layers`` was seen in runs, and is no bound.
    """

    what: str
    gates: Gates | None
    as_parametrised: str
    motion: str
    dtype: str
    allows: Mapping[str, str]
    lacks: Mapping[str, str]
    attends: bool = False
    kinds: LayerKinds | None = None
    layers: tuple[tuple[float, float], ...] = ()
    seen: bool = False

    @property
    def at_most(self) -> str:
        """The class of languages that no weights leave."""
        return AT_MOST[self.motion]

    @property
    def horizon(self) -> str:
        """How long a memory lasts, where that is not for ever, or goes, where it does not at once."""
        if self.motion == UNGATED:
            return "none: no layer has a state with gates"
        if self.gates is None:
            return "none: a cell holds and forgets exactly"
        largest = max(abs(self.gates.least), abs(self.gates.greatest))
        if self.gates.time_invariant and largest >= 1:
            return "none where a gate is exactly 1, but no gate ever changes"
        if largest < 1:
            return f"a gate keeps less than 2^-{_DIGITS} after {fading(largest)} symbols"
        if self.gates.kept < 1 and self.gates.least == 0:
            return f"a gate that can be 0 keeps less than 2^-{_DIGITS} after {fading(self.gates.kept)} symbols"
        if self.gates.least > 0:
            times = fading(self.gates.least) if self.gates.least < 1 else 0
            gone = f"below 2^-{_DIGITS} of itself after {times} writes" if times else "added to for ever"
            return f"no gate is exactly 0: what is written over is {gone}"
        return "none: gates are exactly 0 and exactly 1"


def fading(kept: float) -> int:
    """After how many steps a gate leaves less than 2^-24.

    >>> fading(0.5), fading(0.0), fading(0.999)
    (25, 1, 16628)
    """
    return 1 if kept <= 0 else math.floor(_DIGITS * math.log(2) / -math.log(kept)) + 1


def of_range(least: float, greatest: float, time_invariant: bool) -> Allowed:
    """A diagonal recurrence whose gates are anywhere in a range.

    Raises:
        InputError: when the range is none.

    >>> sorted(of_range(0.0, 1.0, False).allows)
    ['counter', 'star-free']
    >>> sorted(of_range(-1.0, 0.999, True).allows)
    []
    """
    if not (math.isfinite(least) and math.isfinite(greatest) and least <= greatest):
        raise InputError(f"--range {least:g},{greatest:g}: expected the least and the greatest gate")
    least, greatest = in_float32(least), in_float32(greatest)
    motion = MONOTONE if least >= 0 else FIXED_SIGN if time_invariant else SIGNED
    one = least <= 1 <= greatest
    switches = one and least <= 0 and not time_invariant
    gates = Gates(least, greatest, switches, time_invariant)
    allows, lacks = {}, {}
    if switches:
        allows[NEED_STAR_FREE] = "gates of exactly 0 and 1 reset and hold"
    else:
        lacks[NEED_STAR_FREE] = f"not known: {'no gate depends on the input' if time_invariant else _without(gates)}"
    lacks[NEED_REGULAR] = _NO_REGULAR[motion]
    if one:
        allows[NEED_COUNTER] = _COUNTED
    else:
        lacks[NEED_COUNTER] = "not known: no gate is exactly 1"
    word = "the same at every step" if time_invariant else "dependent on the input"
    shown = f"{word}, from {least:g} to {greatest:g}"
    return Allowed("a diagonal recurrence", gates, shown, motion, "float32", allows, lacks)


_COUNTED = f"a gate of exactly 1 adds up, exactly as far as 2^{_DIGITS} in float32, not for ever"


def _without(gates: Gates) -> str:
    largest = max(abs(gates.least), abs(gates.greatest))
    if gates.least > 0:
        return "no gate is exactly 0"
    if largest < 1:
        return "no gate is exactly 1"
    return "no gate can be both exactly 0 and exactly 1"


def of_path(path: Path) -> Allowed:
    """The model of a config.json, or of a folder with one; with the weights that lie beside it in a folder.

    Raises:
        InputError: when there is no such file, no such architecture, or a value that is none.
    """
    file = path / CONFIG if path.is_dir() else path
    config = _named_values(file)
    kind, config = _model(config)
    if kind == "mamba" or (kind is None and "d_model" in config and "n_layer" in config):
        kind = "mamba"
    known = [name for name in TARGETS if name != "mamba-ssm" and TARGETS.named(name).numbers == "dtype"]
    if not isinstance(kind, str) or kind not in known:
        hint = did_you_mean(str(kind), known) or f", expected one of {', '.join(known)}"
        raise InputError(f"{file}: the architecture is {str(kind)[:60]!r}{hint}")
    target = TARGETS.named(kind)
    try:
        found = of_config(target, config)
        # A cell is no configuration of transformers; one of mamba-ssm has other names, and no other layers.
        if found.gates is not None and "model_type" in config:
            found = _of_layers(found, layer_kinds(kind, config))
    except InputError as error:
        raise error.at(str(file)) from None
    if path.is_dir() and found.gates is not None and any(path.glob("*.safetensors")):
        return _with_weights(found, target, path)
    return found


def of_config(target: Target, config: Mapping[str, Any]) -> Allowed:
    """An architecture with a configuration, whatever its weights.

    Raises:
        InputError: for a value that is none.
    """
    architecture = getattr(target, "architecture", None)
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "float32").removeprefix("torch.")
    gates = None if target.motion == NONLINEAR else architecture.gates(config) if architecture else Gates()
    motion = CONTRACTION if target.motion == REFLECTION and gates is not None and gates.least >= 0 else target.motion
    allows: dict[str, str] = {}
    lacks: dict[str, str] = {}
    exact = architecture.dtypes if architecture else tuple(EXACT_TERMS if gates is None else PRECISIONS)
    if dtype not in exact:
        lacks = {
            need: f"not known: no weights are there that are exact in {dtype}, but in {', '.join(exact)}"
            for need in NEEDS
        }
    else:
        if gates is not None and not gates.switches:
            lacks[NEED_STAR_FREE] = f"not known: {_without(gates)}, and whether rounding makes up for it is not known"
        else:
            allows[NEED_STAR_FREE] = (
                f"weights of as many layers as it takes can be built, and proved: prove LANGUAGE --target {target.name}"
            )
        if {PERMUTE, TRANSFORM} & target.abilities and motion == target.motion:
            allows[NEED_REGULAR] = allows[NEED_STAR_FREE]
        else:
            lacks[NEED_REGULAR] = _NO_REGULAR[motion]
        if ADD not in target.abilities or dtype != "float32":
            lacks[NEED_COUNTER] = f"not known: no weights are there that count in {dtype}"
        elif gates is not None and gates.greatest < 1:
            lacks[NEED_COUNTER] = "not known: no gate is exactly 1"
        else:
            allows[NEED_COUNTER] = _COUNTED
    formula = architecture.gate if architecture else "exp(-softplus(...) exp(A)), from 0 to 1" if gates else "none"
    return Allowed(
        target.title, gates, formula, motion, dtype, allows, lacks, architecture is not None and architecture.attends
    )


def _of_layers(found: Allowed, kinds: LayerKinds | None) -> Allowed:
    """The same of a model with these layers."""
    if kinds is None or kinds.gated:
        return replace(found, kinds=kinds)
    why = f"not known: none of its {kinds.layers} layers has a gate"
    return replace(
        found, gates=None, motion=UNGATED, allows={}, lacks=dict.fromkeys(NEEDS, why), kinds=kinds, attends=False
    )


def _with_weights(found: Allowed, target: Any, folder: Path) -> Allowed:
    """The same with what the weights say: a bound where that is simple, what is seen in runs of a Mamba."""
    from constructions.mamba.surroundings import transformers_ready

    with transformers_ready():
        if target.name == "mamba":
            return replace(found, layers=_seen(folder), seen=True)
        from constructions.mamba.stored import read_tensors, weight_files

        tensors = read_tensors(folder, weight_files(folder))
        bounds = target.architecture.gates_of(
            {name: tensor.float().numpy() for name, tensor in tensors.items() if tensor.is_floating_point()}
        )
    return replace(found, layers=tuple((gates.least, gates.greatest) for gates in bounds))


_STRINGS, _LENGTH = 16, 128
"""Random tokens that a Mamba is run on."""


def _seen(folder: Path) -> tuple[tuple[float, float], ...]:
    import torch

    from constructions.mamba.gates import GateAudit
    from constructions.mamba.loading import load_checkpoint

    model, _ = load_checkpoint(folder)
    tokens = torch.randint(model.config.vocab_size, (_STRINGS, _LENGTH), generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), GateAudit(model) as audit:
        model(tokens)
    return tuple((layer.least, layer.greatest) for layer in audit.layers)


def _model(config: dict[str, Any]) -> tuple[object, dict[str, Any]]:
    """The architecture and its values: those of the text model, where a configuration has several."""
    kind, inner = config.get("model_type"), config.get("text_config")
    if isinstance(inner, dict) and (kind not in TARGETS):
        return inner.get("model_type", kind), {**inner, "dtype": inner.get("dtype") or config.get("dtype")}
    return kind, config


def _named_values(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{file}: cannot be read: {reason}") from None
    if not isinstance(content, dict):
        raise InputError(f"{file}: has no named values, expected a configuration")
    return content
