"""Whether the claim of a certificate is false, by plain runs of what the file says: no prover, engine or checker is
asked.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from fuzz.judge import explore, forbidden_period, long_words, wrong_prefix
from fuzz.languages import Language, boolean, dyck, equal_runs, flip_flop, shuffle
from fuzz.slow_model import SlowModel

PAIRS, LONG, BEYOND_HALVES = 150, 60, 2**11 + 5
"""Pairs of states that are followed along all strings; the length of longer strings, and where halves are inexact."""

LONGEST = 5_000
"""Symbols of a string that is said to be wrong, and is run."""


def falsehood(found: dict[str, Any], seed: int = 0) -> str:
    """Why the claim is false; empty where nothing is known against it.

    >>> falsehood({"claim": "not star-free"})
    ''
    """
    claim = found["claim"]
    if claim == "computes":
        return _wrong_string(found, seed)
    if claim == "is wrong about":
        return _right_string(found)
    if claim == "at most star-free":
        return forbidden_period(slow_model(found["model"]))
    return ""


def _wrong_string(found: dict[str, Any], seed: int) -> str:
    slow, language = slow_model(found["model"]), plain_language(found["language"])
    horizon = 1 << 62 if found["horizon"] is None else found["horizon"]
    explored = explore(slow, language, PAIRS)
    wrong = explored.wrong
    if wrong is None and not explored.closed:
        length = max(LONG, min(horizon // 2 + 1, BEYOND_HALVES)) if slow.arithmetic == "float16" else LONG
        words = long_words(language, slow.mode, length, horizon, np.random.default_rng(seed))
        wrong = wrong_prefix(slow, language, words)
    if wrong is None or len(wrong) > horizon:
        return ""
    return f"wrong on {len(wrong)} symbols: {' '.join(wrong)[:40]}"


def _right_string(found: dict[str, Any]) -> str:
    parts = found["evidence"]["word"]["parts"]
    if sum(len(part) * times for part, times in parts) > LONGEST:
        return ""
    slow, language = slow_model(found["model"]), plain_language(found["language"])
    word = tuple(symbol for part, times in parts for symbol in part * times)
    truth = language.start
    h, given = slow.begin()
    for symbol in word:
        truth = language.after(truth, symbol)
        h, given = slow.step(h, np.array([slow.alphabet.index(symbol)]))
    if slow.mode == "predictive" and truth is None:
        return "nothing is asked of the string"
    right = slow.names(given[:, 0]) == language.answer(truth, slow.mode)
    return f"right on its {len(word)} symbols" if right else ""


def slow_model(found: dict[str, Any]) -> SlowModel:
    """The model of a certificate, as the slow definition of a step reads saved ones."""
    arrays: dict[str, np.ndarray] = {"embedding": np.array(found["embedding"]["rows"], dtype=np.int64)}
    arrays["embedding"] = arrays["embedding"].reshape(len(found["symbols"]) + 1, -1)
    layers = []

    def affine(name: str, part: dict[str, Any]) -> int:
        entries = [
            (row, column, value)
            for row, numbers in enumerate(part["rows"])
            for column, value in zip(numbers[::2], numbers[1::2])
        ]
        table = np.array(entries, dtype=np.int64).reshape(-1, 3)
        arrays[f"{name}.rows"], arrays[f"{name}.columns"], arrays[f"{name}.values"] = table.T
        arrays[f"{name}.bias"] = np.array(part["bias"], dtype=np.int64)
        return part["exponent"]

    for i, layer in enumerate(found["layers"]):
        arrays[f"layers.{i}.initial"] = np.array(layer["initial"]["values"], dtype=np.int64)
        layers.append(
            {
                "gate_function": "affine",
                "initial_exponent": layer["initial"]["exponent"],
                "gate_exponent": affine(f"layers.{i}.gate", layer["gate"]),
                "increment_exponent": affine(f"layers.{i}.increment", layer["increment"]),
                "phi": [
                    {**mix, "exponent": affine(f"layers.{i}.phi.{j}", mix["affine"])}
                    for j, mix in enumerate(layer["phi"])
                ],
            }
        )
    description = {
        "arithmetic": found["arithmetic"],
        "alphabet": found["symbols"],
        "outputs": found["outputs"],
        "embedding": found["embedding"],
        "layers": layers,
        "readout": {"exponent": affine("readout", found["readout"])},
    }
    return SlowModel(arrays, description)


def plain_language(found: dict[str, Any]) -> Language:
    """The language of a certificate, as the fuzz defines it; an automaton as its table is."""
    if "dyck" in found:
        return dyck(*found["dyck"])
    if "dfa" in found:
        return _trim(found["dfa"])
    name = found["name"]
    kind, _, number = name.partition("-")
    if name == "flip-flop":
        return flip_flop()
    if kind in ("dyck", "shuffle"):
        return shuffle("()[]{}<>+-ab"[: 2 * int(number)])
    return boolean(int(number)) if kind == "boolean" else equal_runs("".join(re.findall("[a-d](?=n)", name)))


def _trim(dfa: dict[str, Any]) -> Language:
    live = set(dfa["accepting"])
    while more := {q for q, row in enumerate(dfa["table"]) if q not in live and live & set(row)}:
        live |= more

    def step(state: int, symbol: str) -> int | None:
        after = dfa["table"][state][dfa["symbols"].index(symbol)]
        return after if after in live else None

    return Language(tuple(dfa["symbols"]), dfa["start"], step, lambda state: state in dfa["accepting"])
