"""The proof by levels, on the weights of a model that was made from a holonomy cascade.

A search visits every state of a model, and a cascade of n levels has exponentially many.  This proof looks at one layer
at a time, and at what may enter it.  It runs the layer's weights; neither the cascade nor the code that lowered it is
asked.

What is proved by induction on the length of a string w, with q the automaton's state after w, is the invariant

    R:  the state h of every layer lies in a finite set H, and the digits of the layers name q.

The digits name a state by a *chart* (:class:`constructions.compile.pair_graph.Chart`): start with its root, and at each
level go on from the set at hand to the tile that the level's digit names, if the set is of that level; else the digit
must be 0 and the set stays.  After the last level the set must be {q}.  The digit of a layer is read from the integer
parts of its coordinates.

The step.  Let R hold before a symbol with action a, and follow the symbol through the layers.  A *fact* (x, P, D, a)
says: at this layer the features are x, and on the levels above the digits before the symbol lead to the set P, the new
digits to D.

* At the first layer x is the symbol's row of the embedding, and P = D = root.
* Given a fact, R says which digits the layer may have: those that name a tile of P, or 0.  With every state in H of
  such a digit the weights give the new state and z.  The new state must lie in H again and its digit must name a tile
  of D, or be 0: that gives (z, P', D', a) for the next layer.  Also P'·a must lie inside D'.
* After the last layer P = {q} and D must be {q·a}, and the readout of z must give what the automaton gives in q·a.

Facts are kept in one set per layer, so every combination that can occur is in it: the facts at each layer cover each
run, by induction over the layers, and H is closed because it is what the closure under all these steps has reached.
The start is the engine's own state after BOS.  In predictive mode a fact whose P·a has no live state is dropped, as
nothing is asked after it.

A dropped fact is one that no run with a question left has, because q lies in P: R says that the chain ends in {q}, and
its sets nest, the root being all states and each tile a part of its set
(:meth:`constructions.compile.pair_graph.Chart.fault` looks).  For the rest the chart and the reading of digits are
guesses that need not be trusted: whatever they are, R is a relation between states of the model and of the automaton,
and the induction either closes or does not.  What fails need not fail on a string, because H and the facts may hold
combinations that never occur together; then a string is looked for, and the verdict is ``undecided`` when there is
none.

Cost: O(facts * digits) on arrays; of a layer's weights, those of the neurons that a row of features reaches, for each
row and each state of H with it (:mod:`verify.numbers.sparse_rows`).  Facts are the pairs (P, D) of the pair graph: D_n
has about n^2 of them for each letter.
"""

from __future__ import annotations

import re
from typing import Callable, Iterator, NamedTuple

import numpy as np
from scipy import sparse

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE
from constructions.compile.pair_graph import Chart
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.methods.chart_sets import ChartSets, different, expanded
from verify.methods.witness import find_witness, without_proof
from verify.numbers.boxes import NotCovered
from verify.numbers.sparse_rows import SparseMaps, distinct_rows
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, Verdict

_STATES_PER_BIT = 16
"""A coordinate has two digits, so four states; a layer with more than so many for each of its bits is not what it
should be.
"""
_NAME = re.compile(r"tile ([0-9]{1,9})(?: bit ([0-9]{1,9}))?")


class Ends(NamedTuple):
    """What a model's last layer can give out: rows of features, BOS first, and the automaton's state in each.

    A row that stands for several states has the state -1.
    """

    maps: SparseMaps
    rows: sparse.csr_array
    states: np.ndarray


def prove_levelwise(
    ssm: SSM,
    dfa: DFA,
    chart: Chart,
    progress: Progress = NO_PROGRESS,
    then: Callable[[Ends], None] = lambda ends: None,
) -> Verdict:
    """Proves or refutes, level by level, that a model gives the automaton's outputs on every string of its mode.

    Args:
        ssm: a model whose coordinates are named as :mod:`constructions.compile.krohn_rhodes` names registers.
        dfa: the automaton that was compiled.
        chart: what the digits mean; a wrong one makes the proof fail.
        progress: told about facts as they are found.
        then: looks at all ends once every step holds, and raises NotCovered where it wants more.

    Returns:
        ``proved``, ``refuted`` with a string (a shortest one where a short search meets any), or ``undecided``.

    Raises:
        InputError: when the alphabets differ.

    >>> from automata.algebra.holonomy import Skeleton
    >>> from constructions.compile.krohn_rhodes import holonomy_cascade
    >>> from automata.catalogue import language
    >>> from constructions.compile.pair_graph import chart_of
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.lowering import lower
    >>> dfa = language("d-12").dfa()
    >>> ssm = lower(holonomy_cascade(dfa), Arithmetic.parse("fixed:1"))
    >>> prove_levelwise(ssm, dfa, chart_of(Skeleton(dfa))).outcome
    'proved'
    """
    if set(ssm.alphabet) != set(dfa.alphabet):
        symbol = sorted(set(ssm.alphabet) ^ set(dfa.alphabet))[0]
        raise InputError(f"symbol {symbol!r} is in the alphabet of only one of automaton and model")
    engine = Engine(ssm)
    explored: dict[str, int] = {}

    def verdict(outcome: str, reason: str, **more) -> Verdict:
        return Verdict(outcome, "levelwise", ssm.mode, engine.arithmetic, explored, reason, **more)

    words: Iterator[tuple[str, ...]] = iter(())
    try:
        proof = _Proof(engine, dfa, chart, explored)
        then(proof.run(progress))
    except NotCovered as error:
        failed = f"the proof does not speak about this model: {error}"
    except _Failure as failure:
        failed = f"a step fails: {failure}"
        words = _words_to(dfa, failure)
    except InputError as error:
        failed = f"a step cannot be computed: {error}"
    else:
        return verdict(PROVED, "every layer does its part of every step: holds at every length")
    witness = find_witness(engine, dfa, words, 4 * dfa.states)
    return verdict(*without_proof(failed, witness), witness=witness)


class _Failure(Exception):
    """A step that is not as R wants it: with the states before it, and its symbols, where these are known."""

    def __init__(self, message: str, states: int = 0, symbols: tuple[str, ...] = ()):
        super().__init__(message)
        self.states, self.symbols = states, symbols


class _Move(NamedTuple):
    """Symbols that neither the automaton nor the embedding tells apart, and their action."""

    symbols: tuple[str, ...]
    images: tuple[int, ...]


class _Proof:
    """The induction on one model.

    Facts are arrays of rows (number of the row of features, P, D, number of the move), the sets by their numbers.
    """

    def __init__(self, engine: Engine, dfa: DFA, chart: Chart, explored: dict[str, int]):
        self.engine, self.ssm, self.dfa, self.chart = engine, engine.ssm, dfa, chart
        self.maps = SparseMaps(engine)
        if (fault := chart.fault(dfa.states)) is not None:
            raise NotCovered(fault)
        self.coordinates = digit_coordinates(self.ssm, chart.levels)
        self.explored = explored

    def run(self, progress: Progress) -> Ends:
        self.explored.update({"facts": 0, "layer inputs": 0})
        states = self._check_start()
        self.moves, rows = self._moves()
        live = self.dfa.live if self.ssm.mode == PREDICTIVE else np.ones(self.dfa.states, dtype=bool)
        self.sets = ChartSets(self.chart, np.array([move.images for move in self.moves]), live)
        rows, facts = self._first_facts(rows)
        start = self.maps.embedding(np.array([len(self.ssm.alphabet)]))
        level = 0
        for number in range(len(self.ssm.layers)):
            here = level if self.coordinates[number] else None
            rows, facts = self._descend(number, here, rows, facts, states[number])
            start = self.maps.phi(number, states[number][None], start)
            level += bool(self.coordinates[number])
            self.explored["facts"] += len(facts)
            progress.advance(len(facts), layer=number + 1)
        ends = np.concatenate([[self.dfa.initial], self._check_end(rows, facts)])
        return Ends(self.maps, sparse.vstack([start, rows], format="csr"), ends)

    # -- start and end ----------------------------------------------------------------------------------

    def _check_start(self) -> list[np.ndarray]:
        """Each layer's state after BOS."""
        state, outputs = self.engine.begin(1)
        ends = np.cumsum([layer.width for layer in self.ssm.layers])
        states = np.split(state[0], ends[:-1])
        here, level = self.chart.root, 0
        for number, h in enumerate(states):
            if not self.coordinates[number]:
                continue
            digit = int(self._digits(number, h[None])[0])
            tiles = self.chart.tiles[here] if self.chart.level[here] == level else (here,)
            if digit >= len(tiles):
                raise _Failure(f"after BOS digit {digit} of layer {number + 1} names no tile of {_show(here)}")
            here = tiles[digit]
            level += 1
        if here != 1 << self.dfa.initial:
            raise _Failure(f"after BOS the digits name {_show(here)}, expected state {self.dfa.initial}")
        given = self.engine.names(outputs.dense()[0, 0])
        if given != self._wanted(self.dfa.initial):
            raise _Failure(
                f"after BOS the outputs are {sorted(given)}, expected {sorted(self._wanted(self.dfa.initial))}"
            )
        return states

    def _moves(self) -> tuple[list[_Move], np.ndarray]:
        """All moves, and the symbol whose row of the embedding each has."""
        columns = self.dfa.table.T.tolist()
        alike: dict[tuple[bytes, tuple[int, ...]], list[int]] = {}
        for a, symbol in enumerate(self.ssm.alphabet):
            alike.setdefault((self.ssm.embedding[a].tobytes(), tuple(columns[self.dfa.index[symbol]])), []).append(a)
        moves = [_Move(tuple(self.ssm.alphabet[a] for a in group), images) for (_, images), group in alike.items()]
        return moves, np.array([group[0] for group in alike.values()])

    def _first_facts(self, symbols: np.ndarray):
        rows = self.maps.embedding(symbols)
        numbers, fresh = distinct_rows(rows, {})
        move = np.arange(len(self.moves))
        root = np.full(len(move), self.sets.number[self.chart.root])
        facts = np.column_stack([numbers, root, root, move])
        return rows[fresh], facts[self.sets.asked(root, move)]

    def _check_end(self, rows, facts: np.ndarray) -> np.ndarray:
        """The state that each row of features stands for."""
        ends = np.full(rows.shape[0], -1)
        alone = np.ones(rows.shape[0], dtype=bool)
        given = [self.engine.names(row) for row in self.maps.outputs(rows)]
        for x, source, target, move in facts.tolist():
            if self.sets.masks[source].bit_count() != 1:
                raise self._failure("the chart ends in a set that is not one state", source, move)
            state = self.moves[move].images[self.sets.masks[source].bit_length() - 1]
            if self.sets.masks[target] != 1 << state:
                raise self._failure(f"the digits name {_show(self.sets.masks[target])}", source, move)
            if given[x] != self._wanted(state):
                raise self._failure(
                    f"the outputs are {sorted(given[x])}, expected {sorted(self._wanted(state))}", source, move
                )
            alone[x] &= ends[x] in (-1, state)
            ends[x] = state
        return np.where(alone, ends, -1)

    def _wanted(self, state: int) -> frozenset[str]:
        if self.ssm.mode == PREDICTIVE:
            return self.dfa.legal(state)
        return frozenset({ACCEPT} if self.dfa.accepts(state) else ())

    # -- one layer --------------------------------------------------------------------------------------

    def _descend(self, number: int, level: int | None, rows, facts: np.ndarray, start: np.ndarray):
        """The facts of the next layer, with their rows of features."""
        tiles = self.sets.tiles(level)
        x, source, target, move = facts.T
        allowed = np.zeros((rows.shape[0], 1 << len(self.coordinates[number])), dtype=bool)
        if tiles.most > allowed.shape[1] and (tiles.count[source] > allowed.shape[1]).any():
            raise NotCovered(f"layer {number + 1} has fewer digits than a set of its level has tiles")
        fact, digit = expanded(tiles.count[source])
        allowed[x[fact], digit] = True
        cases, features = self._evaluate(number, rows, start, allowed)
        refined = tiles.named(source[fact], digit)
        kept = self.sets.asked(refined, move[fact])
        fact, digit, refined = fact[kept], digit[kept], refined[kept]
        # With each fact and digit go the cases of its row of features and this digit.
        key = cases[:, 0] * allowed.shape[1] + cases[:, 1]
        wanted = x[fact] * allowed.shape[1] + digit
        first, last = np.searchsorted(key, wanted), np.searchsorted(key, wanted, "right")
        each, place = expanded(last - first)
        case = first[each] + place
        refined, move, written = refined[each], move[fact[each]], cases[case, 2]
        goal = tiles.named(target[fact[each]], written)
        wrong = np.flatnonzero((goal < 0) | ~self.sets.includes(goal, refined, move))
        if len(wrong):
            at = int(wrong[0])
            shown = _show(self.sets.masks[target[fact[each[at]]]])
            names = f"names no tile of {shown}" if goal[at] < 0 else f"leads to {_show(self.sets.masks[goal[at]])}"
            raise self._failure(
                f"layer {number + 1}, digit {digit[each[at]]}: the new digit {written[at]} {names}",
                int(refined[at]),
                int(move[at]),
            )
        return features, different(cases[case, 3], refined, goal, move)

    def _evaluate(self, number: int, rows, start: np.ndarray, allowed: np.ndarray):
        """What the weights do on all rows, each with all states of its digits, until no new state appears.

        Returns:
            The cases that occur, each once, as an array of rows (row of features, digit, new digit, number of z) in
            ascending order; and the distinct rows z.
        """
        gates, increments = self.maps.gates(number, rows), self.maps.increments(number, rows)
        # The new state depends on the gates and increments alone, and few rows differ in them.
        _, first, kind = np.unique(np.hstack([gates, increments]), axis=0, return_index=True, return_inverse=True)
        kind = kind.ravel()
        permitted = np.zeros((len(first), allowed.shape[1]), dtype=bool)
        for k in range(len(first)):
            permitted[k] = allowed[kind == k].any(axis=0)
        states, steps = self._closure(number, gates[first], increments[first], start, permitted)
        digits = self._digits(number, states)
        self.explored["layer inputs"] += int((allowed @ np.bincount(digits, minlength=allowed.shape[1])).sum())
        moves = np.unique(np.column_stack([steps[:, 0], digits[steps[:, 1]], steps[:, 2]]), axis=0)
        ends = np.searchsorted(moves[:, 0], np.arange(len(first) + 1))
        cases = [np.zeros((0, 3), dtype=np.int64)]
        for k in range(len(first)):
            here, own = np.flatnonzero(kind == k), moves[ends[k] : ends[k + 1]]
            x, move = np.nonzero(allowed[here][:, own[:, 1]])
            cases.append(np.column_stack([here[x], own[move, 1:]]))
        x, digit, after = np.concatenate(cases).T
        z, features = self.maps.distinct_phi(number, states, rows, after, x)
        # z depends on the features and the new state alone
        return np.unique(np.column_stack([x, digit, digits[after], z]), axis=0), features

    def _closure(self, number: int, gates, increments, start: np.ndarray, permitted: np.ndarray):
        """The states of a layer that follow from the start; and an array of rows (kind of step, state, new state).

        Args:
            permitted: booleans of shape (kinds of steps, digits): the digits before such a step.
        """
        states, known = start[None], {start.tobytes(): 0}
        done = 0
        found: list[np.ndarray] = []
        while done < len(states):
            kind, h = np.nonzero(permitted[:, self._digits(number, states[done:])])
            h += done
            done = len(states)
            stepped = np.ascontiguousarray(self.maps.update(number, gates[kind], states[h], increments[kind]))
            after = [known.setdefault(row.tobytes(), len(known)) for row in stepped]
            found.append(np.column_stack([kind, h, np.array(after, dtype=np.int64)]))
            new = np.unique(found[-1][:, 2], return_index=True)[1]
            states = np.concatenate([states, stepped[new[found[-1][new, 2] >= done]]])
            if len(states) > _STATES_PER_BIT ** len(self.coordinates[number]):
                raise _Failure(f"layer {number + 1} has at least {len(states)} states")
        return states, np.concatenate(found)

    # -- digits and sets ----------------------------------------------------------------------------------

    def _digits(self, number: int, states: np.ndarray) -> np.ndarray:
        """The digit that each state stands for: the lowest bits of the integer parts of its coordinates."""
        bits = states >> self.maps.numbers.unit_bits & 1
        weights = np.zeros(states.shape[1], dtype=np.int64)
        for place, coordinate in enumerate(self.coordinates[number]):
            weights[coordinate] = 1 << place
        return bits @ weights

    def _failure(self, message: str, source: int, move: int) -> _Failure:
        """A failed step from the states of a set, given by its number."""
        mask, (symbols, images) = self.sets.masks[source], self.moves[move]
        image = 0
        for state in states_of(mask):
            image |= 1 << images[state]
        return _Failure(f"{_show(mask)} by {symbols[0]!r} is {_show(image)}; {message}", mask, symbols)


def digit_coordinates(ssm: SSM, levels: int) -> list[tuple[int, ...]]:
    """For each layer the coordinates of its digit's bits, lowest first; the layers that have some are the levels in
    order.
    """
    found, level = [], 0
    for number, layer in enumerate(ssm.layers, 1):
        bits: dict[int, int] = {}
        level += layer.width > 0
        for coordinate, name in enumerate(layer.names):
            match = _NAME.fullmatch(name)
            if match is None or int(match[1]) != level or int(match[2] or 0) in bits:
                raise NotCovered(f"the coordinate {name!r} of layer {number} is not a bit of tile {level}")
            bits[int(match[2] or 0)] = coordinate
        if sorted(bits) != list(range(layer.width)):
            raise NotCovered(f"the coordinates of layer {number} are not the bits of one digit")
        found.append(tuple(bits[i] for i in range(layer.width)))
    if level != levels:
        raise NotCovered(f"the model has {level} layers with digits, the chart {levels} levels")
    return found


def _words_to(dfa: DFA, failure: _Failure) -> Iterator[tuple[str, ...]]:
    """Strings that reach the failing step, each with several ways on: to the end of a word, and at random."""
    rng = np.random.default_rng(0)
    endings = _endings(dfa)
    for state in states_of(failure.states)[:16]:
        access = dfa.access_word(state)
        if access is None:
            continue
        for symbol in failure.symbols[:1]:
            there = dfa.step(state, symbol)
            ways = [
                endings.get(there, ()),
                *(endings[q] for q in rng.choice(list(endings), min(8, len(endings)), replace=False).tolist()),
            ]
            for _ in range(8):
                walk = rng.integers(0, len(dfa.alphabet), 2 * dfa.states)
                ways.append(tuple(dfa.alphabet[i] for i in walk.tolist()))
            for way in ways:
                yield (*access, symbol, *way)


def _endings(dfa: DFA) -> dict[int, tuple[str, ...]]:
    """A shortest word to acceptance from each live state."""
    endings: dict[int, tuple[str, ...]] = {q: () for q in sorted(dfa.accepting)}
    sources: dict[int, list[tuple[int, str]]] = {}
    for state, row in enumerate(dfa.table.tolist()):
        for symbol, target in zip(dfa.alphabet, row):
            sources.setdefault(target, []).append((state, symbol))
    queue = list(endings)
    for state in queue:
        for source, symbol in sources.get(state, ()):
            if source not in endings:
                endings[source] = (symbol, *endings[state])
                queue.append(source)
    return endings


def states_of(mask: int) -> list[int]:
    """The states of a set, ascending."""
    return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]


def _show(mask: int) -> str:
    states = states_of(mask)
    return "{" + ", ".join(map(str, states[:8])) + (", …" if len(states) > 8 else "") + "}"
