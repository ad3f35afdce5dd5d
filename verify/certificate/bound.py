"""Evidence ``bound``: how many states and features each layer has, for a checker that finds them all and looks at the
gates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.ranges import ranges
from constructions.ssm.reference import apply, gate_values, layer_features, number, start, stored_state, stored_value
from constructions.ssm.weights import SSM, Layer
from verify.certificate.document import NoCertificate
from verify.impossible.upper_bound import STAR_FREE, upper_bound

MOST_STATES = 20_000


def bound_evidence(ssm: SSM, most: int = MOST_STATES) -> dict[str, Any]:
    """The largest number of states, or of rows of features, that a layer can have.

    Args:
        most: of them, after which the enumeration gives up.

    Raises:
        NoCertificate: when the audit does not bound the model, or a layer may have more states than that.
    """
    audit = upper_bound(ssm)
    if audit.verdict != STAR_FREE:
        raise NoCertificate(f"{audit.verdict}: {audit.reason}")
    for place, (low, high) in enumerate(zip((known := ranges(ssm)).low, known.high)):
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise NoCertificate(f"layer {place + 1} may grow without bound, and a certificate lists all states")
    with np.errstate(over="ignore", invalid="ignore"):
        return {"bound": {"states": _largest(ssm, most)}}


def _largest(ssm: SSM, most: int) -> int:
    arithmetic = ssm.arithmetic
    rows = {
        tuple(stored_value(arithmetic, number(arithmetic, int(n), ssm.embedding_exponent)) for n in row)
        for row in ssm.embedding
    }
    largest = len(rows)
    for place, (layer, begun) in enumerate(zip(ssm.layers, start(ssm).h)):
        states, rows = _closure(arithmetic, layer, begun, rows, most, place)
        largest = max(largest, states, len(rows))
    return largest


def _closure(
    arithmetic: Arithmetic, layer: Layer, begun: tuple, rows: set[tuple], most: int, place: int
) -> tuple[int, set[tuple]]:
    """How many states the layer can be in when it reads any of the rows at any time, and the features that it then
    gives.
    """
    steps = [(x, gate_values(arithmetic, layer, x), apply(arithmetic, layer.increment, x)) for x in rows]
    states, waiting, features = {begun}, [begun], set()
    while waiting:
        h = waiting.pop()
        for x, gates, increments in steps:
            after = tuple(
                stored_state(arithmetic, gate * value + added) for gate, value, added in zip(gates, h, increments)
            )
            features.add(layer_features(arithmetic, layer, after, x))
            if after not in states:
                states.add(after)
                waiting.append(after)
            if max(len(states), len(features)) > most:
                raise NoCertificate(f"layer {place + 1} may have more than {most} states or rows of features")
    return len(states), features
