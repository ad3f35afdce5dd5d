"""A proof by boxes as a document: what was proved, of which weights, under which semantics, and the boxes.

The document is JSON; every number of a box is written as a hexadecimal float, exactly.  :mod:`verify.learned.recheck`
is what believes none of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from automata.errors import InputError
from automata.files import read_text, write_text
from verify.learned.semantics import CONSTANTS

KIND = "invariant of boxes"


class NoProof(Exception):
    """The document does not prove what it says; the message names the condition that fails."""


@dataclass(frozen=True)
class BoxProof:
    """Boxes of a model's caches, one automaton state each, closed under every symbol that is followed.

    Attributes:
        digest: of the weights (:class:`verify.learned.weights.TrainedMamba`).
        mode: "predictive" or "recognise".
        alphabet, outputs: of the language.
        tokens: of each symbol.
        bos: the token before all.
        answer: the convention, as an option: ``logit:T``, ``softmax:P`` or ``top``.
        next, expected: the automaton (see :class:`verify.learned.behaviour.Behaviour`).
        states: of the automaton, one for each box; box 0 has the caches after BOS.
        low, high: (boxes, cache size).
        successors: (boxes, symbols): the box that has the image, -1 where the symbol is not followed.
        form_boxes, form_weights, form_constants: half-spaces: on the states of the last block in box form_boxes[j], of
            shape (i n,), form_weights[j] . h + form_constants[j] is positive.
        semantics: the constants of float32 that were assumed.
    """

    digest: str
    mode: str
    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    tokens: tuple[int, ...]
    bos: int
    answer: str
    next: np.ndarray
    expected: np.ndarray
    states: np.ndarray
    low: np.ndarray
    high: np.ndarray
    successors: np.ndarray
    form_boxes: np.ndarray
    form_weights: np.ndarray
    form_constants: np.ndarray
    semantics: dict[str, Any]

    @property
    def edges(self) -> int:
        return int((self.successors >= 0).sum())


_LISTS = {"next": np.int64, "expected": np.bool_, "states": np.int64, "successors": np.int64, "form_boxes": np.int64}
_HEXADECIMAL = ("low", "high", "form_weights", "form_constants")


def write_proof(proof: BoxProof, path: str | Path) -> int:
    """Writes the document, whole or not at all, and returns its number of characters.

    Raises:
        InputError: when the file cannot be written.
    """
    content: dict[str, Any] = {"kind": KIND, **{name: getattr(proof, name) for name in BoxProof.__dataclass_fields__}}
    content |= {name: content[name].tolist() for name in _LISTS}
    content |= {name: _hexadecimal(content[name].tolist()) for name in _HEXADECIMAL}
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"
    write_text(path, text)
    return len(text)


def read_proof(path: str | Path) -> BoxProof:
    """Reads a document; whether it proves anything is for :func:`verify.learned.recheck.recheck_boxes` to say.

    Raises:
        InputError: naming the file, and the entry that is not of its kind.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is no JSON: {str(error)[:100]}") from None
    names = {"kind", *BoxProof.__dataclass_fields__}
    if not isinstance(content, dict) or content.pop("kind", None) != KIND:
        raise InputError(f"{path}: is no proof by boxes: its kind is not {KIND!r}")
    if wrong := sorted(names - {"kind"} ^ content.keys()):
        raise InputError(f"{path}: the entry {str(wrong[0])[:40]!r} is lacking or unknown")
    for name, found in content.items():
        try:
            content[name] = _entry(name, found)
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{path}: the entry {name!r} is not what it should be") from None
    return BoxProof(**content)


def _hexadecimal(numbers: Any) -> Any:
    """Numbers, in lists or not, as hexadecimal floats."""
    return [_hexadecimal(one) for one in numbers] if isinstance(numbers, list) else numbers.hex()


def _entry(name: str, found: Any) -> Any:
    """An entry of the document as the attribute of that name; raises what conversions raise."""
    if name == "form_constants":
        return _table([float.fromhex(number) for number in found], np.float64)
    if name in _HEXADECIMAL:
        return _table([[float.fromhex(number) for number in row] for row in found], np.float64)
    if name in _LISTS:
        entry = bool if name == "expected" else int
        if any(type(one) is not entry for row in found for one in (row if isinstance(row, list) else [row])):
            raise TypeError
        return _table(found, _LISTS[name])
    if name in ("alphabet", "outputs", "tokens"):
        kind = int if name == "tokens" else str
        if not isinstance(found, list) or any(type(one) is not kind for one in found):
            raise TypeError
        return tuple(found)
    if type(found) is not {"bos": int, "semantics": dict}.get(name, str):
        raise TypeError
    return found


def _table(rows: Sequence[Any], kind: Any) -> np.ndarray:
    """An array of one kind; raises ValueError where rows have different lengths."""
    return np.array(rows, dtype=kind)


def assumed() -> dict[str, Any]:
    """The semantics of a new proof."""
    return dict(CONSTANTS)
