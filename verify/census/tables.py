"""One part of a census: each table decided, and where it is star-free compiled and proved, with all of its languages.

Languages with the same table share everything but what accepts: the monoid, and so whether they are star-free; the
skeleton; the layers of the model, and their proof (:mod:`verify.methods.readouts`).
"""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np

from automata.algebra.enumeration import Table
from automata.algebra.holonomy import Skeleton
from automata.algebra.image_groups import image_groups
from automata.algebra.tables import Monoid, distinguishing, monoids
from automata.dfa import DFA
from constructions.compile.krohn_rhodes import state_cascade
from constructions.compile.pair_graph import chart_of
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from verify.census.parts import CYCLING, Part, TableEntry, accepting_number, part_text
from verify.methods.readouts import prove_every_readout

_ARITHMETIC = Arithmetic("fixed", 1)


def decide(part: Part) -> list[TableEntry]:
    """One entry for each table of the part that some language has.

    The outcome is "not star-free", with a word that was seen to permute states; or that of the proof, for all of the
    table's languages together.
    """
    tables = list(part.contents())
    array = np.array(tables)
    entries = []
    for table, monoid, minimal in zip(tables, monoids(array), distinguishing(array)):
        if minimal.any():
            entries.append(_decided(table, monoid, accepting_number(minimal), int(minimal.sum())))
    return entries


def decided_text(part: Part) -> str:
    """The same as the text of the part's file."""
    return part_text(part, decide(part))


def _decided(table: Table, monoid: Monoid, accepting: str, languages: int) -> TableEntry:
    if monoid.word is not None:
        # States of a minimal automaton differ: so membership cycles as the states do, and the language is not
        # star-free (Schützenberger 1965).
        assert permutes(table, monoid.word), f"the word {monoid.word} permutes no states of {table}"
        groups = image_groups(table)
        assert groups, f"{table} has a word that permutes states, and no group"
        return TableEntry(table, accepting, languages, monoid.size, CYCLING, word=monoid.word, groups=groups)
    dfa = DFA(ascii_lowercase[: len(table[0])], table, range(len(table)))
    skeleton = Skeleton(dfa)
    assert skeleton.aperiodic, f"the monoid of {table} is aperiodic, its skeleton is not"
    ssm = lower(state_cascade(dfa, skeleton), _ARITHMETIC)
    verdict, _ = prove_every_readout(ssm, dfa, chart_of(skeleton))
    sizes = skeleton.levels, skeleton.bits, len(ssm.layers)
    return TableEntry(table, accepting, languages, monoid.size, verdict.outcome, *sizes)


def permutes(table: Table, word: tuple[int, ...]) -> bool:
    """Whether some state comes back under a power of the word, and not under the word itself.

    >>> permutes(((1, 0), (0, 1)), (0,)), permutes(((1, 0), (0, 1)), (1,))
    (True, False)
    """
    action = list(range(len(table)))
    for letter in word:
        action = [table[q][letter] for q in action]
    for state in range(len(table)):
        here = action[state]
        for _ in table:
            if here == state:
                break
            here = action[here]
        if here == state != action[state]:
            return True
    return False
