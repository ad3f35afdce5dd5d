"""What automata and models mean, spelled out word by word: slow, and sharing no code with what it is held against."""

from __future__ import annotations

from itertools import product
from typing import Iterable, Iterator, Sequence

import numpy as np

from automata.algebra.monoid import TransitionMonoid
from automata.dfa import DFA
from constructions.ssm.weights import SSM


def all_words(alphabet: Iterable[str], length: int) -> Iterator[tuple[str, ...]]:
    """All words up to this length, shortest first, then in the alphabet's order."""
    for n in range(length + 1):
        yield from product(tuple(alphabet), repeat=n)


def accepts(dfa: DFA, word: Sequence[str]) -> bool:
    """Membership by walking the table, sharing no code with the class."""
    state = dfa.initial
    for symbol in word:
        state = int(dfa.table[state][list(dfa.alphabet).index(symbol)])
    return state in dfa.accepting


def shortest_difference(dfa: DFA, other: DFA, length: int) -> int | None:
    """The length of the shortest word up to ``length`` that is in one language only, None when there is none."""
    return next((len(w) for w in all_words(dfa.alphabet, length) if accepts(dfa, w) != accepts(other, w)), None)


def moore_classes(dfa: DFA) -> int:
    """The number of reachable classes of indistinguishable states, by Moore's rounds of refinement."""
    reachable = {dfa.initial}
    while (more := reachable | {int(t) for q in reachable for t in dfa.table[q]}) != reachable:
        reachable = more
    classes = {q: int(q in dfa.accepting) for q in reachable}
    while True:
        signatures = {q: (classes[q], *(classes[int(t)] for t in dfa.table[q])) for q in reachable}
        numbers = {signature: i for i, signature in enumerate(sorted(set(signatures.values())))}
        refined = {q: numbers[signatures[q]] for q in reachable}
        if len(set(refined.values())) == len(set(classes.values())):
            return len(set(refined.values()))
        classes = refined


def aperiodic_by_brute_force(dfa: DFA) -> bool:
    """The definition: m^n = m^(n+1) for every element m of the transition monoid."""
    for element in TransitionMonoid(dfa).elements.tolist():
        power = list(range(dfa.states))
        for _ in range(dfa.states):
            power = [element[q] for q in power]
        if power != [element[q] for q in power]:
            return False
    return True


def plain_outputs(ssm: SSM, words: np.ndarray) -> np.ndarray:
    """Outputs after BOS and each symbol, booleans of shape (batch, time + 1, outputs).

    The equations of the layer, dense and one step at a time, in float64 (whose integers are exact here), for
    integer weights in exact arithmetic.
    """
    batch = len(words)
    states = [np.tile(layer.initial.astype(float), (batch, 1)) for layer in ssm.layers]
    dense = {
        name: (affine.matrix.toarray().T.astype(float), affine.bias.astype(float)) for name, affine in ssm.affines()
    }

    def apply(name: str, x: np.ndarray) -> np.ndarray:
        matrix, bias = dense[name]
        return x @ matrix + bias

    bos = np.full((batch, 1), len(ssm.alphabet))
    outputs = []
    for symbols in np.concatenate([bos, words], axis=1).T:
        x = ssm.embedding[symbols].astype(float)
        for i, layer in enumerate(ssm.layers):
            states[i] = apply(f"layers.{i}.gate", x) * states[i] + apply(f"layers.{i}.increment", x)
            z = states[i]
            for j in range(len(layer.phi)):
                z = np.maximum(apply(f"layers.{i}.phi.{j}", np.concatenate([z, x], axis=1)), 0)
            x = z
        outputs.append(apply("readout", x) > 0)
    return np.stack(outputs, axis=1)
