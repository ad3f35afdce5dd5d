"""The models that are edited, each by a name that says how to build it, and the checks that can be made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from typing import Callable

import numpy as np

from automata.algebra.holonomy import Skeleton
from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import counter_machine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.pair_graph import chart_of
from constructions.compile.smaller import compile_dfa
from constructions.paper import parity_models
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.horizon import exact_length
from constructions.ssm.lowering import lower
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.signed import lower_signed
from constructions.ssm.weights import SSM
from verify.evidence.sampling import check_words, random_words
from verify.impossible.refuter import refute
from verify.impossible.upper_bound import upper_bound
from verify.methods.bisimulation import bisimulation
from verify.methods.bounded_search import bounded_search
from verify.methods.induction import prove_counter, prove_dyck
from verify.methods.levelwise import prove_levelwise
from verify.methods.sticky import find_sticky
from verify.methods.translation import Folded, find_translation
from verify.numbers.boxes import NotCovered

from .languages import COUNTER, REGULAR, Language, dyck, even

SEARCHED, PAIRS, WORDS, LENGTH = 400, 300, 12, 24
"""Joint states of a search, pairs of a bounded search, and the random test: enough for models of this size."""

_ARITHMETICS = ("exact", "fixed:1", "fixed:3", "float16", "float32", "wrap:4")
_SMALL = [name for name in COUNTER if name not in ("shuffle-4", "shuffle-6", "boolean-5")]
_MODES = ("predictive", "recognise")
_DYCK = ((1, 1), (1, 4), (2, 0), (2, 1), (2, 2), (2, 3), (3, 2))
_GATES = (
    ("exact", "affine"),
    ("fixed:2", "affine"),
    ("float16", "affine"),
    ("float16", "sigmoid"),
    ("float32", "exp-softplus"),
)
_PARITIES = (
    "signed/exact",
    "signed/float16",
    "wrapping/wrap:1",
    "wrapping/wrap:4",
    "unbounded/fixed:3",
    "rounding/fixed:3",
)


_SHARES = np.array([4, 4, 4, 3, 1, 1, 2]) / 19
"""Counters, bounded Dyck, holonomy, other routes, flip-flop, parity, random."""


@dataclass(frozen=True)
class Check:
    """A check: what runs it on a model, the language that its verdict is about (None for one about the model alone),
    how often.
    """

    run: Callable[[SSM], object]
    language: Language | None = None
    often: float = 1.0


@dataclass(frozen=True)
class Family:
    """A model as it was lowered, and its checks by name."""

    ssm: SSM
    checks: dict[str, Check]


def names() -> list[str]:
    """Of all models; a random one is completed by a number."""
    found = [f"counter {n} {m} exact" for n, m in product(COUNTER, _MODES)]
    found += [
        f"counter {n} {m} {a}" for n, m, a in product(_SMALL, _MODES, ("exact", "float16", "float32")) for _ in range(2)
    ]
    found += [
        f"dyck {k},{d} {m} {a}" for (k, d), m, a in product(_DYCK, _MODES, ("exact", "fixed:1", "float16", "float32"))
    ]
    found += [f"{r} {n} {m} {a}" for r, n, m, a in product(("holonomy", "auto"), REGULAR, _MODES, _ARITHMETICS)]
    found += [f"flip-flop flip-flop {m} {a}" for m, a in product(_MODES, _ARITHMETICS)]
    found += [f"parity {p}" for p in _PARITIES] * 4
    return found + [f"random {a} {g} {bounded} " for (a, g), bounded in product(_GATES, ("bounded", "free"))] * 4


def draw(rng: np.random.Generator) -> str:
    """The name of a model that can be built, families first, so that each kind gets its share."""
    kinds: dict[str, list[str]] = {}
    for name in names():
        kinds.setdefault(name.split()[0], []).append(name)
    while True:
        kind = list(kinds)[int(rng.choice(len(kinds), p=_SHARES))]
        name = str(rng.choice(kinds[kind]))
        name += str(int(rng.integers(1 << 16))) if name.startswith("random") else ""
        if family(name) is not None:
            return name


@lru_cache(maxsize=512)
def family(name: str) -> Family | None:
    """The model of this name; None where the arithmetic does not have what the cascade needs."""
    kind, *rest = name.split()
    try:
        return _BUILDERS[kind](*rest)
    except InputError:
        return None


def _counter(name: str, mode: str, arithmetic: str) -> Family:
    machine = counter_machine(name)
    ssm = lower(counter_cascade(name, mode), Arithmetic.parse(arithmetic))
    checks = {
        "induction": lambda ssm: prove_counter(ssm, machine, ssm.mode),
        "bounded search": lambda ssm: bounded_search(machine, Engine(ssm), 3, limit=PAIRS),
    }
    return _family(ssm, machine, COUNTER[name], checks)


def _dyck(size: str, mode: str, arithmetic: str) -> Family:
    k, depth = map(int, size.split(","))
    ssm = lower(bounded_dyck(k, depth, mode), Arithmetic.parse(arithmetic))
    checks = {"induction": lambda ssm: prove_dyck(ssm, k, depth, ssm.mode)}
    return _family(ssm, DyckMachine(k, depth), dyck(k, depth), checks)


def _regular(route: str, name: str, mode: str, arithmetic: str) -> Family:
    dfa = language(name).dfa()
    if route == "auto":
        return _family(lower(compile_dfa(dfa, mode)[0], Arithmetic.parse(arithmetic)), dfa, REGULAR[name], {})
    skeleton = Skeleton(dfa)
    ssm = lower(holonomy_cascade(dfa, mode, skeleton), Arithmetic.parse(arithmetic))
    return _family(
        ssm, dfa, REGULAR[name], {"level by level": lambda ssm: prove_levelwise(ssm, dfa, chart_of(skeleton))}
    )


def _flip_flop(name: str, mode: str, arithmetic: str) -> Family:
    return _family(lower(flip_flop(mode), Arithmetic.parse(arithmetic)), FlipFlopMachine(), REGULAR[name], {})


def _parity(which: str) -> Family:
    how, arithmetic = which.split("/")
    arithmetic = Arithmetic.parse(arithmetic)
    ssm = (
        lower_signed(parity_models.parity(), arithmetic)
        if how == "signed"
        else getattr(parity_models, f"{how}_parity")(arithmetic)
    )
    return _family(ssm, language("parity").dfa(), even(("0", "1"), "1"), {})


def _random(arithmetic: str, gates: str, bounded: str, seed: str) -> Family:
    depth, width = 1 + int(seed) % 2, 1 + int(seed) % 4
    ssm = random_ssm(int(seed), depth, width, Arithmetic.parse(arithmetic), gates, bounded == "bounded")
    return _family(ssm, language("parity").dfa(), even(("0", "1"), "1"), {})


_BUILDERS = {
    "counter": _counter,
    "dyck": _dyck,
    "holonomy": partial(_regular, "holonomy"),
    "auto": partial(_regular, "auto"),
    "flip-flop": _flip_flop,
    "parity": _parity,
    "random": _random,
}


def _family(ssm: SSM, machine, truth: Language, checks: dict[str, Callable]) -> Family:
    """The checks of the family, and those that can be made of every model."""
    alphabet, counted = ssm.alphabet, ssm.alphabet[-1]
    parity_dfa = DFA(alphabet, [[q ^ (s == counted) for s in alphabet] for q in (0, 1)], [0])
    about = {name: Check(run, truth, 0.5) for name, run in checks.items()}
    return Family(
        ssm,
        {
            **about,
            "search": Check(partial(_search, machine), truth, 0.5),
            "folded": Check(partial(_folded, machine), truth, 0.2),
            "random test": Check(partial(_tested, machine), truth, 0.1),
            "refuter": Check(lambda ssm: refute(ssm, parity_dfa), even(alphabet, counted), 0.1),
            "audit": Check(upper_bound, None, 0.2),
            "exact length": Check(lambda ssm: exact_length(ssm) if ssm.arithmetic.is_float else 0, None, 0.1),
        },
    )


def _search(machine, ssm: SSM):
    engine = Engine(ssm)
    absorbed = find_sticky(engine) if ssm.mode == "recognise" else None
    return bisimulation(machine, engine, ssm.mode, limit=SEARCHED, absorbed=absorbed)


def _folded(machine, ssm: SSM):
    translation = find_translation(ssm)
    if translation is None:
        raise NotCovered("no translation is found")
    return bisimulation(machine, Folded(Engine(ssm), translation), ssm.mode, limit=SEARCHED)


def _tested(machine, ssm: SSM):
    return check_words(machine, Engine(ssm), random_words(machine, WORDS, LENGTH, np.random.default_rng(0)), ssm.mode)
