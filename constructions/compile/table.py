"""An automaton as one register that takes any function of its values: for cells that are not linear in their state."""

from __future__ import annotations

from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE
from constructions.cascade import Cascade, Emit, In, Is, Level, Rule, Transform, Transformation
from constructions.compile.krohn_rhodes import outputs_of


def table_cascade(dfa: DFA, mode: str) -> Cascade:
    """The automaton's state in one register, its table as rules; O(states * symbols).

    >>> from automata.machine import RECOGNISE
    >>> parity = DFA("01", [[0, 1], [1, 0]], accepting=[0])
    >>> table_cascade(parity, RECOGNISE).registers[0].rules[1].then
    Transform(images=(1, 0))
    """
    rules = tuple(
        Rule((In({symbol}),), Transform(tuple(int(q) for q in dfa.table[:, place])))
        for place, symbol in enumerate(dfa.alphabet)
    )
    state = Transformation("state", dfa.states, rules, dfa.initial)
    outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
    given = outputs_of(dfa, mode)
    emissions = tuple(Emit((Is("state", q),), given[q]) for q in range(dfa.states) if given[q])
    return Cascade(dfa.alphabet, (Level((state,)),), outputs, emissions)
