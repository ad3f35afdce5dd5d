"""Every language with the same transitions, proved together: one model, and a readout for each set of states.

The model is one of an automaton all of whose states accept, made so that each state has entries of the readout of its
own (:func:`constructions.compile.krohn_rhodes.state_cascade`).  Where some of them are left out, other states accept.
The layers are the same, so the proof by levels speaks of all these models but for the last comparison: it says which
features the last layer can give out, and in which state the automaton then is.  Here the readout of *every* set of
states is evaluated on all of these features, and must say whether the state is in the set.

An output of either mode is a set of states: those that accept, or those after which a symbol may come or the word may
end.  So what is proved holds of every accepting set and of both modes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE
from constructions.compile.krohn_rhodes import outputs_of
from constructions.compile.pair_graph import Chart
from constructions.ssm.layers import Affine
from constructions.ssm.weights import SSM
from verify.methods.levelwise import Ends, prove_levelwise
from verify.numbers.boxes import NotCovered
from verify.verdict import Verdict

_SETS = 1 << 12
"""Readouts evaluated at once."""


@dataclass(frozen=True)
class StateReadout:
    """The readout of each state.

    Attributes:
        matrix: shape (states, features of the last layer): what the readout of a set adds up.
        exponent: of the weights.
    """

    matrix: sparse.csr_array
    exponent: int

    def of(self, sets: np.ndarray) -> Affine:
        """One output for each set, given as booleans of shape (sets, states)."""
        return Affine(
            sparse.csr_array(sets.astype(np.int64)) @ self.matrix, np.zeros(len(sets), dtype=np.int64), self.exponent
        )

    def model(self, ssm: SSM, dfa: DFA, mode: str) -> SSM:
        """The model of one language: the same layers, and the outputs of the automaton's states."""
        outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
        given = outputs_of(dfa, mode)
        sets = np.array([[output in legal for legal in given] for output in outputs])
        return replace(ssm, outputs=outputs, readout=self.of(sets))


def prove_every_readout(ssm: SSM, dfa: DFA, chart: Chart) -> tuple[Verdict, StateReadout | None]:
    """Proves that the model tells the automaton's states apart; and by which readouts, where that is proved.

    Args:
        ssm: a model of a :func:`state_cascade`; nothing is assumed of it.
        dfa: the automaton, all of whose states accept.
        chart: what the digits mean, as for :func:`prove_levelwise`.

    >>> from automata.algebra.holonomy import Skeleton
    >>> from constructions.compile.krohn_rhodes import state_cascade
    >>> from constructions.compile.pair_graph import chart_of
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.lowering import lower
    >>> dfa = DFA("ab", [[1, 0], [1, 0]], accepting=[0, 1])
    >>> ssm = lower(state_cascade(dfa), Arithmetic("fixed", 1))
    >>> verdict, readout = prove_every_readout(ssm, dfa, chart_of(Skeleton(dfa)))
    >>> ends_in_a = readout.model(ssm, DFA("ab", dfa.table, accepting=[1]), "recognise")
    >>> from automata.machine import run
    >>> verdict.outcome, [ends_in_a.accepts(run(ends_in_a, word)) for word in ("", "a", "ab", "ba")]
    ('proved', [False, True, False, True])
    """
    found: list[StateReadout] = []

    def compare(ends: Ends) -> None:
        if (ends.states < 0).any():
            raise NotCovered("the last layer gives the same features in several states")
        readout = _guess(ssm, dfa.states, ends)
        numbers = np.arange(1 << dfa.states)
        for block in np.split(numbers, range(_SETS, len(numbers), _SETS)):
            sets = (block[:, None] >> np.arange(dfa.states) & 1).astype(bool)
            given = ends.maps.outputs(ends.rows, readout.of(sets))
            wrong = np.argwhere(given != sets[:, ends.states].T)
            if len(wrong):
                row, number = wrong[0]
                states = ", ".join(map(str, np.flatnonzero(sets[number])))
                raise NotCovered(f"the readout of the states {{{states}}} is wrong in state {ends.states[row]}")
        found.append(readout)

    verdict = prove_levelwise(ssm, dfa, chart, then=compare)
    return verdict, found[0] if found else None


def _guess(ssm: SSM, states: int, ends: Ends) -> StateReadout:
    """Each entry of the readout for the state in which its feature is not 0; one that several states share for none."""
    used = ssm.readout.matrix[[0]]
    row, column = ends.rows.nonzero()
    least, most = np.full(ends.rows.shape[1], states), np.full(ends.rows.shape[1], -1)
    np.minimum.at(least, column, ends.states[row])
    np.maximum.at(most, column, ends.states[row])
    own = used.indices[least[used.indices] == most[used.indices]]
    weights = used.toarray().ravel()[own]
    matrix = sparse.csr_array((weights, (least[own], own)), shape=(states, ends.rows.shape[1]))
    return StateReadout(matrix, ssm.readout.exponent)
