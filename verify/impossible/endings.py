"""Languages that no window decides: strings that end alike, as far back as one likes, and just one of them is a word.

A model of convolutions alone sees the last symbols only, so many as its kernels reach.  A language that such a model
has is definite (Perles, Rabin, Shamir 1963): no word leads two states of its minimal automaton to themselves.
"""

from __future__ import annotations

import networkx as nx

from automata.dfa import DFA


def words_that_end_alike(dfa: DFA, symbols: int) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Two strings whose last symbols are the same, at least so many, just one of which is accepted; None where the
    language is definite.  O(states^2 * alphabet).

    >>> from automata.catalogue import language
    >>> words_that_end_alike(language("parity").dfa(), 3)
    (('0', '0', '0'), ('1', '0', '0', '0'))
    >>> words_that_end_alike(DFA("ab", [[1, 0], [1, 0]], [1]), 3) is None
    True
    """
    least = dfa.minimise()
    pairs = nx.DiGraph()
    for one in range(least.states):
        for other in range(least.states):
            for symbol in least.alphabet:
                if one != other:  # two states that are led to one go no further
                    pairs.add_edge((one, other), (least.step(one, symbol), least.step(other, symbol)), symbol=symbol)
    try:
        circle = nx.find_cycle(pairs)
    except nx.NetworkXNoCycle:
        return None
    word = tuple(pairs.edges[one, other]["symbol"] for one, other, *_ in circle)
    start = circle[0][0]
    # Two states of a minimal automaton are told apart by some word, on which they stay apart.
    paths = nx.single_source_shortest_path(pairs, start)
    path = next(path for (one, other), path in paths.items() if least.accepts(one) != least.accepts(other))
    end = tuple(pairs.edges[step]["symbol"] for step in zip(path, path[1:]))
    again = word * -(-symbols // len(word))
    return least.access(start[0]) + again + end, least.access(start[1]) + again + end
