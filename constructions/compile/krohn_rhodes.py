"""From an automaton to a cascade: the Krohn-Rhodes theorem by holonomy, one register per level of the skeleton.

The cascade's registers hold the digits of a chain Q ⊃ tile ⊃ … ⊃ {q} for the automaton's state q (see
:mod:`automata.algebra.holonomy`); parallel components share the register of their level, and a level that the chain
skips holds 0.  A symbol with action ``a`` acts on them by a *walk* down the levels.  The walk stands at a pair of
a source P, a set of the chain before the symbol, and a target D, a set of the chain after it, with P·a ⊆ D; it
starts at (Q, Q).  At each level:

* D lies deeper: the digit is set to 0.
* D is of this level and P·a = D is too: the letter takes P's tiles to D's, so the digit is held, or permuted where
  the automaton is not aperiodic; the target goes on as T·a, T the source's tile.
* D is of this level and P·a is smaller: the digit is set to the first tile C of D that contains P·a, and the
  target goes on as C.

and wherever P is of this level, the source goes on as the tile T that the digit named before the symbol.  A chain
ends in a singleton, so the walk ends at ({q}, {q·a}) and names the new state.

What happens at (P, D) depends on nothing above it, so the walk is a graph, not a tree; and two pairs that write
the same digits and end alike whatever the digits before are one node.  That merging, level by level from the
bottom as in a reduced decision diagram, is what keeps the cascade small: D_n has about n²/2 pairs for each letter but
only some 4n nodes, and order-preserving maps of 8 points 201 nodes for 40320 chains.  One signal per level names the
node in which the walk leaves it; at the last level the node is what the new state gives out.

A walk goes on by the digits before the symbol.  Where a step holds or permutes them they are known from the digits
after it, and no memory of the old ones is needed: so at the last level always, where a set digit names one state.

Sources: K. Krohn and J. Rhodes (1965); S. Eilenberg, "Automata, Languages, and Machines" B (1976), ch. II; R. E.
Bryant, "Graph-based algorithms for Boolean function manipulation" (1986), for the merging.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Optional, Sequence, Union

from automata.algebra.holonomy import IMAGE_SET_LIMIT, Skeleton
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, MODES, PREDICTIVE
from constructions.cascade import (
    Bit,
    Cascade,
    Emit,
    In,
    Is,
    Level,
    Literal,
    Permutation,
    Permute,
    Reset,
    Rule,
    Set,
    Signal,
    bit_length,
)

HOLD = None
OFF = -1

Action = Union[int, tuple[int, ...], None]
"""What a node does to its level's digit: set it, permute it, or HOLD."""

Answer = Optional[frozenset[str]]
"""What a walk says in the end; None is nothing."""


class SymbolClass(NamedTuple):
    """Symbols that act alike: their letter in the skeleton, and what a walk says in the end, by the old state."""

    symbols: tuple[str, ...]
    letter: int
    labels: tuple[Answer, ...]


class Pair(NamedTuple):
    """Where a walk stands: a source and a target image set, and the move's number."""

    source: int
    move: int
    target: int


class Rest(NamedTuple):
    """Where a walk stands once the source no longer matters: the new state (as an image set), the label, the target."""

    state: int
    label: Answer
    target: int


Stand = Union[Pair, Rest]


class Step(NamedTuple):
    """What a walk does at one level: the digit's action, and where it goes on, by the digit before (or in any case)."""

    action: Action
    next: tuple


def holonomy_cascade(
    dfa: DFA, mode: str = PREDICTIVE, skeleton: Skeleton | None = None, limit: int = IMAGE_SET_LIMIT
) -> Cascade:
    """A cascade that does what the automaton does, by its holonomy decomposition.

    It has one level per level of the skeleton, each with a register ``tile i`` and a signal ``walk i``.  All
    registers are resets iff the automaton is aperiodic; otherwise some are permutation registers.  Every rule of a
    register has one literal; every rule of a signal has one literal besides bits of the level's register.  These
    are read after the step wherever they can be; before it only of a register of which some step overwrites a digit
    that the walk goes on by.

    Args:
        dfa: the automaton.  Every state counts: minimise first for the smallest cascade.
        mode: whether the cascade gives legal sets or acceptance.
        skeleton: the automaton's skeleton where it is known already.
        limit: image sets after which the search for the skeleton gives up.

    Raises:
        InputError: for an unknown mode, or when there are more image sets than the limit.

    Cost: that of the skeleton and O(pairs * largest component).

    >>> from automata.machine import RECOGNISE, run
    >>> cascade = holonomy_cascade(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0]), RECOGNISE)  # (ab)*
    >>> cascade.memory_bits, [cascade.accepts(run(cascade, word)) for word in ("", "ab", "aba", "abb")]
    (2, [True, True, False, False])
    """
    given = outputs_of(dfa, mode)
    skeleton = skeleton or Skeleton.of(dfa, limit)
    moves = [
        SymbolClass(letter.symbols, i, tuple(given[target] or None for target in letter.images))
        for i, letter in enumerate(skeleton.letters)
    ]
    levels, ends = holonomy_levels(skeleton, moves, dfa.initial)
    outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
    if not levels:
        return Cascade(dfa.alphabet, (), outputs, (Emit((), given[dfa.initial]),))
    start = Emit((In({BOS}),), given[dfa.initial])
    return Cascade(dfa.alphabet, levels, outputs, (start, *(Emit((end,), label or ()) for label, end in ends.items())))


def state_cascade(dfa: DFA, skeleton: Skeleton | None = None, limit: int = IMAGE_SET_LIMIT) -> Cascade:
    """A cascade that accepts every string, with an emission of its own for each state that the automaton can be in.

    A readout that keeps some of the emissions accepts where the automaton is in their states: so a model of this
    cascade is, but for its readout, one of every language with the automaton's transitions.

    Args:
        dfa: the automaton; what it accepts does not matter.
        skeleton: the automaton's skeleton where it is known already.
        limit: as for :func:`holonomy_cascade`.

    >>> cascade = state_cascade(DFA("ab", [[0, 1], [0, 1]], accepting=[]))
    >>> cascade.memory_bits, len(cascade.emissions)  # the start, and two states
    (1, 3)
    """
    skeleton = skeleton or Skeleton.of(dfa, limit)
    moves = [
        SymbolClass(letter.symbols, i, tuple(frozenset({str(state)}) for state in letter.images))
        for i, letter in enumerate(skeleton.letters)
    ]
    levels, ends = holonomy_levels(skeleton, moves, dfa.initial)
    said: list[Literal] = list(ends.values()) if levels else [In(dfa.alphabet)]
    return Cascade(dfa.alphabet, levels, (ACCEPT,), tuple(Emit((end,), {ACCEPT}) for end in (In({BOS}), *said)))


def outputs_of(dfa: DFA, mode: str) -> list[frozenset[str]]:
    """What each state gives out: its legal set, or ACCEPT or nothing.

    Raises:
        InputError: for an unknown mode.
    """
    if mode not in MODES:
        raise InputError(f"the mode {mode!r} is not one of {', '.join(MODES)}")
    if mode == PREDICTIVE:
        return [dfa.legal(q) for q in range(dfa.states)]
    return [frozenset({ACCEPT} if dfa.accepts(q) else ()) for q in range(dfa.states)]


def holonomy_levels(
    skeleton: Skeleton, moves: Sequence[SymbolClass], initial: int, prefix: str = ""
) -> tuple[tuple[Level, ...], dict[Answer, Is]]:
    """The levels that keep the automaton's state as a chain, and the literal of each label that a walk can say.

    Args:
        skeleton: the automaton's skeleton.
        moves: what the symbols do and what is to be said; BOS has no move, and nothing is said on it.
        initial: the state whose chain the registers hold at the start.
        prefix: put before the names of all registers and signals.
    """
    starts, met = _unfold(skeleton, moves)
    labels = dict.fromkeys(label for move in moves for label in move.labels if label is not None)
    values: dict[Answer, int] = {label: i for i, label in enumerate(labels)}
    levels, node = _merge(met, values)
    symbols: dict[int, list[str]] = {}
    for move, start in zip(moves, starts):
        symbols.setdefault(node[start], []).extend(move.symbols)
    enter = {root: In(names) for root, names in symbols.items()}
    built = _levels(skeleton, levels, enter, skeleton.chain(initial), len(labels), prefix)
    return tuple(built), {label: Is(f"{prefix}walk {len(levels)}", i) for label, i in values.items()}


# -- the pairs, top to bottom -------------------------------------------------------------------------


def _unfold(skeleton: Skeleton, moves: Sequence[SymbolClass]) -> tuple[list[Stand], list[dict[Stand, Step | None]]]:
    """Where each move's walk starts; for each level, where a walk can stand and its steps; last the ends, without."""
    image, size, level, tiles = skeleton.image, skeleton.size, skeleton.level, skeleton.tiles
    choose = _TileChoice(skeleton)
    same_label = {i: len(set(move.labels)) == 1 for i, move in enumerate(moves)}

    def standing(source: int, move: int, target: int) -> Stand:
        _, letter, labels = moves[move]
        reached = image[source][letter]
        if size[reached] == 1:
            said = {labels[0]} if same_label[move] else {labels[q] for q in skeleton.members(source)}
            if len(said) == 1:
                return Rest(reached, said.pop(), target)
        return Pair(source, move, target)

    def step(here: Stand, depth: int) -> Step:
        if isinstance(here, Rest):
            if level[here.target] > depth:
                return Step(0, (here,))
            index, goal = choose(here.target, here.state)
            return Step(index, (here._replace(target=goal),))
        source, move, target = here
        letter = moves[move].letter
        refined = tiles[source] if level[source] == depth else (source,)
        if level[target] > depth:
            return Step(0, tuple(standing(tile, move, target) for tile in refined))
        if image[source][letter] == target and level[source] == depth:
            moved = tuple(image[tile][letter] for tile in refined)
            action = HOLD if moved == tiles[target] else tuple(map(tiles[target].index, moved))
            return Step(action, tuple(standing(tile, move, goal) for tile, goal in zip(refined, moved)))
        index, goal = choose(target, image[source][letter])
        return Step(index, tuple(standing(tile, move, goal) for tile in refined))

    starts = [standing(0, move, 0) for move in range(len(moves))]
    met: list[dict[Stand, Step | None]] = [dict.fromkeys(starts)]
    for depth in range(skeleton.levels):
        for here in met[depth]:
            met[depth][here] = step(here, depth)
        met.append(dict.fromkeys(there for taken in met[depth].values() for there in (taken.next if taken else ())))
    return starts, met


class _TileChoice:
    """The first tile of a set that contains another set, with its index; remembered."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton = skeleton
        self.known: dict[tuple[int, int], tuple[int, int]] = {}

    def __call__(self, target: int, part: int) -> tuple[int, int]:
        if (target, part) not in self.known:
            masks = self.skeleton.masks
            self.known[target, part] = next(
                (i, tile) for i, tile in enumerate(self.skeleton.tiles[target]) if not masks[part] & ~masks[tile]
            )
        return self.known[target, part]


# -- merging, bottom to top ---------------------------------------------------------------------------


def _merge(met: list[dict[Stand, Step | None]], values: dict[Answer, int]) -> tuple[list[list[Step]], dict[Stand, int]]:
    """Stands with the same behaviour become one node.

    Returns for each level its nodes' steps, with numbers of the next level's nodes in place of stands (after the
    last level: the values of the labels, or OFF), and the node of each stand of the first level.
    """
    node: dict[Stand, int] = {here: values.get(here.label, OFF) for here in met[-1] if isinstance(here, Rest)}
    levels: list[list[Step]] = []
    for stands in reversed(met[:-1]):
        numbers: dict[Step, int] = {}
        above = {}
        for here, step in stands.items():
            following = tuple(node[there] for there in step.next)
            if len(set(following)) == 1:
                following = following[:1]
            above[here] = numbers.setdefault(Step(step.action, following), len(numbers))
        levels.append(list(numbers))
        node = above
    levels.reverse()
    return levels, node


# -- rules --------------------------------------------------------------------------------------------


def _levels(
    skeleton: Skeleton, levels: list[list[Step]], enter: dict[int, In], initial: tuple[int, ...], ends: int, prefix: str
) -> Iterator[Level]:
    """The levels of the cascade; ``enter`` is the literal that says in which node a walk enters the first."""
    for depth, steps in enumerate(levels):
        values = max(skeleton.points[depth])
        name = f"{prefix}tile {depth + 1}"
        before = any(_is_lost(step) for step in steps)
        actions, goings = [], []
        for node, step in enumerate(steps):
            here = enter[node] if depth == 0 else Is(f"{prefix}walk {depth}", node)
            if step.action is not HOLD:
                actions.append(Rule((here,), _as_action(step.action, values)))
            following = step.next if before else _by_digit_after(step)
            for digit, there in _cases(following, name, before):
                goings.append(Rule((here, *digit), Set(there)))
        sets = [Rule(rule.when, rule.then) for rule in actions if isinstance(rule.then, Set)]
        register: Reset | Permutation
        if len(sets) == len(actions):
            register = Reset(name, values, tuple(sets), initial[depth])
        else:
            register = Permutation(name, values, tuple(actions), initial[depth])
        nodes = len(levels[depth + 1]) if depth + 1 < len(levels) else ends
        yield Level((register,), (Signal(f"{prefix}walk {depth + 1}", max(nodes, 1), tuple(goings)),))


def _is_lost(step: Step) -> bool:
    """Whether the walk goes on by a digit that this step overwrites: then it must be read as it was before."""
    return len(step.next) > 1 and isinstance(step.action, int)


def _by_digit_after(step: Step) -> tuple:
    """Where the walk goes on by the digit after the step, of a step that loses none: one that holds or permutes.

    >>> _by_digit_after(Step((1, 2, 0), ("x", "y", "z"))), _by_digit_after(Step(HOLD, ("x", "y")))
    (('z', 'x', 'y'), ('x', 'y'))
    """
    if len(step.next) == 1 or not isinstance(step.action, tuple):
        return step.next
    return tuple(there for _, there in sorted(zip(step.action, step.next)))


def _as_action(action: int | tuple[int, ...], values: int) -> Set | Permute:
    if isinstance(action, int):
        return Set(action)
    return Permute((*action, *range(len(action), values)))


def _cases(following: tuple[int, ...], register: str, before: bool) -> Iterator[tuple[tuple[Literal, ...], int]]:
    """Disjoint cases of a digit's bits, before or after this step, and the node for each; the digit is below
    ``len(following)``.

    The codes are halved from the highest bit until all of a part agree: one rule per part, not one per digit.
    """

    def halve(codes: range, bit: int, literals: tuple[Literal, ...]) -> Iterator[tuple[tuple[Literal, ...], int]]:
        seen = {following[code] for code in codes}
        if len(seen) == 1:
            node = seen.pop()
            if node != OFF:
                yield literals, node
            return
        middle = codes.start + (1 << bit)
        if middle >= codes.stop:
            yield from halve(codes, bit - 1, literals)
            return
        yield from halve(range(codes.start, middle), bit - 1, (*literals, Bit(register, bit, 0, before)))
        yield from halve(range(middle, codes.stop), bit - 1, (*literals, Bit(register, bit, 1, before)))

    return halve(range(len(following)), bit_length(len(following)) - 1, ())
