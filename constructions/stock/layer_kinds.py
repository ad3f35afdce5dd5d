"""How many layers of a configuration have gates, as transformers reads the configuration."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from automata.errors import InputError
from constructions.mamba.surroundings import quiet
from constructions.stock.gates import named_float

_GATED = ("linear_attention", "hybrid")
"""What transformers calls a layer with a recurrence, alone or beside attention."""
_MOST_LAYERS = 100_000
_SIZES = ("_size", "_dim", "_rank", "_heads", "_layers", "_groups")
"""How the names of numbers end that are never negative."""
_AT_LEAST_ONE = ("hidden_size", "vocab_size", "num_hidden_layers")


class LayerKinds(NamedTuple):
    """So many layers have gates, of so many."""

    gated: int
    layers: int


def layer_kinds(kind: str, config: Mapping[str, Any]) -> LayerKinds | None:
    """Counts the layers that have gates.

    Args:
        kind: ``model_type``.
        config: values as they stand in a ``config.json``.

    Returns:
        None where transformers is not installed, or has no such architecture.

    Raises:
        InputError: for a value that transformers does not take, or a size that is none.
    """
    for name, value in config.items():
        if "layer" in str(name) and isinstance(value, int) and value > _MOST_LAYERS:
            raise InputError(f"{name} is {str(value)[:40]}, more than {_MOST_LAYERS}")
    try:
        from transformers import CONFIG_MAPPING
    except ImportError:
        return None
    if kind not in CONFIG_MAPPING:
        return None
    try:
        with quiet():
            found = CONFIG_MAPPING[kind].from_dict(_plain(dict(config)))
            values = found.to_dict()
        kinds = getattr(found, "layer_types", None)
        layers = found.num_hidden_layers
    except Exception as error:  # whatever the code of another library makes of values that nobody thought of
        raise InputError(f"transformers does not take it: {_shown(error)}") from None
    for name, value in values.items():
        if isinstance(value, int) and value < (name in _AT_LEAST_ONE) and name.endswith(_SIZES):
            raise InputError(f"{name} is {str(value)[:40]}, expected {int(name in _AT_LEAST_ONE)} or more")
    if kinds is None:
        return LayerKinds(layers, layers)
    return LayerKinds(sum(one in _GATED for one in kinds), len(kinds))


def _plain(value: Any) -> Any:
    """A value with its infinities, for which JSON has no word and transformers writes a name."""
    if isinstance(value, dict):
        if set(value) == {"__float__"}:
            return named_float(value["__float__"])
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _shown(error: Exception) -> str:
    """The last line of what it says, behind the name of an error that says a value alone."""
    said = str(error).strip().splitlines()[-1].strip()[:200] if str(error).strip() else ""
    kind, _, rest = said.partition(": ")
    if rest and kind.endswith("Error"):
        return rest
    return said if " " in said else f"{type(error).__name__} {said}".rstrip()
