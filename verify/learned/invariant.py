"""Is a trained Mamba right at every length?  An inductive invariant of boxes, by whichever finder has one first.

Two finders take turns, each with more room every time: windows (:mod:`verify.learned.windows`) of one more token, and
the search that merges boxes (:mod:`verify.learned.merging`) with longer windows, narrower boxes and more steps.  What
they find is a proof when :func:`verify.learned.recheck.recheck_boxes` says so, and not before.  All limits count steps
and boxes, never seconds, so that an outcome is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Iterator

import numpy as np

from automata.machine import Machine
from constructions.mamba.reading import Reading
from verify.evidence.sampling import check_words
from verify.learned.abstract_step import AbstractMamba
from verify.learned.answers import Answers, answers_for
from verify.learned.behaviour import Behaviour, behaviour
from verify.learned.float32 import Bounds
from verify.learned.half_spaces import HalfSpaces, half_spaces
from verify.learned.merging import CLOSED, EXHAUSTED, MISTAKEN, BoxSearch, MergedBoxes
from verify.learned.proof import BoxProof, NoProof, assumed
from verify.learned.recheck import Checked, recheck_boxes
from verify.learned.semantics import SENTENCE
from verify.learned.weights import TrainedMamba, trained_mamba
from verify.learned.windows import WindowBoxes, WindowGraph, window_boxes, window_graph
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict

if TYPE_CHECKING:
    from constructions.mamba.stepping import Vocabulary

LIMIT_BOXES, LIMIT_WINDOW, LIMIT_STEPS = 20_000, 8, 300_000

RATIOS = (4.0, 1.0, 0.5, 0.25, 0.125, 0.06, 0.03, 0.015, 0.0075, 0.004, 0.002)
"""How wide merged boxes may be, in units of what a number ranges over."""

_FIRST_STEPS, _ROUNDS = 2_000, 20
"""Steps of a search in the first wave, four times as many in each that follows; and what an edge of a graph of windows
counts, whose boxes take many rounds.
"""


@dataclass(frozen=True)
class Invariant:
    """How the search for an invariant ended.

    Attributes:
        status: "proved", "refuted" or "undecided".
        finder: "windows" or "merging", for "proved".
        checked: boxes, edges and least margin, as checked again; for "proved".
        window, ratio: with how many tokens, and how wide boxes, it was found; the ratio is None for windows.
        word: for "refuted", symbols after which every float32 execution is wrong.
        reason: one sentence.
        proof: for "proved".
        steps: images of boxes that the finders computed, about.
    """

    status: str
    reason: str
    finder: str = ""
    checked: Checked | None = None
    window: int = 0
    ratio: float | None = None
    word: tuple[str, ...] | None = None
    proof: BoxProof | None = None
    steps: int = 0


def prove_by_boxes(
    model: TrainedMamba,
    machine: Machine,
    vocabulary: Vocabulary,
    mode: str,
    *,
    reading: Reading = Reading(),
    limit_boxes: int = LIMIT_BOXES,
    limit_window: int = LIMIT_WINDOW,
    limit_steps: int = LIMIT_STEPS,
    progress: Progress = NO_PROGRESS,
) -> Invariant:
    """Proves or refutes that the model gives the machine's outputs on every string of the mode, or gives up.

    Args:
        model: see :func:`verify.learned.weights.trained_mamba`.
        vocabulary: the checkpoint's tokens.
        reading: the convention by which outputs are read.
        limit_boxes: an invariant has at most so many.
        limit_window: tokens of the longest windows; those that the convolution reads are always seen.
        limit_steps: images of boxes that are computed at most, over all attempts.
        progress: told about steps.
    """
    try:
        answers = answers_for(reading, vocabulary.answers, len(model.head), mode)
        expected = behaviour(machine, vocabulary.alphabet, vocabulary.outputs, mode, limit_boxes)
    except NotCovered as error:
        return Invariant(UNDECIDED, str(error))
    return _Prover(model, machine, vocabulary, mode, answers, expected, limit_boxes, progress).run(
        limit_window, limit_steps
    )


def prove_running(stepped: Any, machine: Machine, mode: str, **options: Any) -> Invariant:
    """:func:`prove_by_boxes` of a stock model as it is run and read
    (:class:`constructions.mamba.stepping.SteppedMamba`).
    """
    try:
        model = trained_mamba(stepped.runner.model)
    except NotCovered as error:
        return Invariant(UNDECIDED, f"not covered: {error}")
    return prove_by_boxes(model, machine, stepped.vocabulary, mode, reading=stepped.reading, **options)


def verdict_of(found: Invariant, stepped: Any, machine: Machine, mode: str) -> Verdict:
    """The outcome as a verdict; a string on which every execution is wrong is run in the model before it is shown."""
    explored = {"steps": found.steps}
    if found.checked is not None:
        explored = {"boxes": found.checked.boxes, "edges": found.checked.edges}
    arithmetic, reason = stepped.arithmetic, found.reason
    if found.word is not None:
        run = check_words(machine, stepped.by_full_forward, [found.word], mode, method="invariant")
        if run.outcome == REFUTED:
            return replace(run, reason=reason)
        reason = f"{reason}, and yet the model as run is right on {' '.join(found.word[:60])}"
    outcome = PROVED if found.status == PROVED else UNDECIDED
    return Verdict(outcome, "invariant", mode, arithmetic, explored, reason)


class _Prover:
    """Attempts on one model."""

    def __init__(
        self,
        model: TrainedMamba,
        machine: Machine,
        vocabulary: Vocabulary,
        mode: str,
        answers: Answers,
        expected: Behaviour,
        limit_boxes: int,
        progress: Progress,
    ):
        self.model, self.machine, self.vocabulary, self.mode = model, machine, vocabulary, mode
        self.answers, self.behaviour, self.limit_boxes, self.progress = answers, expected, limit_boxes, progress
        self.abstract = AbstractMamba(model)
        self.tokens = vocabulary.tokens.tolist()
        self.shortest = max(1, model.kernel - 1)
        self.steps, self.best = 0, "no attempt was within the limits"

    def run(self, limit_window: int, limit_steps: int) -> Invariant:
        told = 0
        for attempt in self._attempts(max(limit_window, self.shortest)):
            self.progress.advance(self.steps - told)
            told = self.steps
            if attempt is not None:
                return attempt
            if self.steps > limit_steps:
                return self._undecided(f"{self.best}, and {limit_steps} steps are the limit")
        return self._undecided(self.best)

    def _attempts(self, longest: int) -> Iterator[Invariant | None]:
        """The outcome of one attempt after the other, None where it decides nothing."""
        graphs = self._graphs(longest)
        graph = next(graphs, None)
        if graph is not None:
            yield self._by_windows(graph)
            graph = next(graphs, None)
        search = BoxSearch(self.abstract, self.behaviour, self.tokens, self.vocabulary.bos, self.answers)
        left = {(window, number) for window in range(self.shortest, longest + 1) for number in range(len(RATIOS))}
        wave = 0
        while left or graph is not None:
            allowed = _FIRST_STEPS * 4**wave
            while graph is not None and len(graph.targets) * _ROUNDS <= allowed:
                yield self._by_windows(graph)
                graph = next(graphs, None)
            full = 0
            for window, number in sorted(left):
                # Windows grow slowly: what they tell apart, narrow boxes tell apart too.
                if window > self.shortest + wave // 2 or number >= 5 + 2 * wave or window == full:
                    continue
                found = search.run(window, RATIOS[number], self.limit_boxes, allowed)
                self.steps += found.steps
                yield self._of_search(found, window, RATIOS[number])
                if found.outcome == EXHAUSTED:
                    full = window  # narrower boxes are more
                if found.outcome != EXHAUSTED or len(found.states) > self.limit_boxes:
                    left.remove((window, number))
            wave += 1

    def _graphs(self, longest: int) -> Iterator[WindowGraph]:
        """Longer and longer windows, as far as they are within the limit."""
        for length in range(self.shortest, longest + 1):
            graph = window_graph(self.behaviour, self.tokens, self.vocabulary.bos, length, self.limit_boxes)
            if graph is None:
                self.best = f"windows of {length} symbols have more than {self.limit_boxes} boxes"
                return
            yield graph

    def _of_search(self, found: MergedBoxes, window: int, ratio: float) -> Invariant | None:
        if found.outcome == MISTAKEN:
            return self._wrong(found.word)
        if found.outcome != CLOSED:
            return None
        return self._checked("merging", window, ratio, found.states, found.caches, found.successors)

    def _by_windows(self, graph: WindowGraph) -> Invariant | None:
        length = max(len(window) for _, window in graph.nodes)
        self.steps += len(graph.targets) * _ROUNDS
        with np.errstate(invalid="ignore", over="ignore"):
            found = window_boxes(self.abstract, graph, np.array(self.tokens), self.vocabulary.bos, self.answers.read)
        if isinstance(found, int):
            self.best = f"no closed boxes for windows of {length} symbols in block {found}"
            return None
        states = np.array([state for state, _ in graph.nodes])
        expected = self.behaviour.expected
        least, greatest = self.answers.margins(*found.logits.ends, expected[states[graph.targets]])
        first_least, first_greatest = self.answers.margins(*found.first.ends, expected[:1])
        if (first_greatest < 0).any():
            return self._wrong(())
        if (wrong := np.flatnonzero((greatest < 0).any(1))).size:
            return self._wrong((*_path(graph, int(graph.sources[wrong[0]])), int(graph.symbols[wrong[0]])))
        undecided, forms = ~(least > 0), None
        if undecided.any() or not (first_least > 0).all():
            count = int(undecided.sum() + (~(first_least > 0)).sum())
            self.best = (
                f"{count} of {least.size + first_least.size} outputs are undecided with boxes for windows of {length} "
                "symbols"
            )
            if self.answers.reading != Reading() or not (first_least > 0).all():
                return None
            wanted = expected[states[graph.targets]]
            forms = half_spaces(self.abstract, found, self.answers.read[:, 0], undecided, wanted)
            if forms is None:
                return None
        successors = _successors(found, self.behaviour.symbols)
        return self._checked("windows", length, None, states, found.caches, successors, forms)

    def _checked(
        self,
        finder: str,
        window: int,
        ratio: float | None,
        states: np.ndarray,
        caches: Bounds,
        successors: np.ndarray,
        forms: HalfSpaces | None = None,
    ) -> Invariant | None:
        vocabulary = self.vocabulary
        forms = forms or HalfSpaces(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        proof = BoxProof(
            digest=self.model.digest,
            mode=self.mode,
            alphabet=vocabulary.alphabet,
            outputs=vocabulary.outputs,
            tokens=tuple(self.tokens),
            bos=vocabulary.bos,
            answer=self.answers.reading.option,
            next=self.behaviour.next,
            expected=self.behaviour.expected,
            states=states,
            low=caches.low,
            high=caches.high,
            successors=successors,
            form_boxes=forms.nodes,
            form_weights=forms.weights,
            form_constants=forms.constants,
            semantics=assumed(),
        )
        try:
            checked = recheck_boxes(proof, self.model, self.machine, vocabulary, self.answers.reading)
        except NoProof as error:
            self.best = f"boxes were found that do not stand the check: {error}"
            return None
        return Invariant(PROVED, checked.sentence, finder, checked, window, ratio, proof=proof, steps=self.steps)

    def _wrong(self, word: tuple[int, ...]) -> Invariant:
        symbols = tuple(self.vocabulary.alphabet[symbol] for symbol in word)
        return Invariant(REFUTED, f"wrong {SENTENCE}", word=symbols, steps=self.steps)

    def _undecided(self, reason: str) -> Invariant:
        return Invariant(UNDECIDED, reason, steps=self.steps)


def _successors(found: WindowBoxes, symbols: int) -> np.ndarray:
    """The node to which each symbol leads from each node, -1 where it is not followed."""
    graph = found.graph
    successors = np.full((len(graph.nodes), symbols), -1, dtype=np.int64)
    successors[graph.sources, graph.symbols] = graph.targets
    return successors


def _path(graph: WindowGraph, node: int) -> tuple[int, ...]:
    """The symbols of a shortest way to a node."""
    after: dict[int, list[tuple[int, int]]] = {}
    for source, symbol, target in zip(graph.sources.tolist(), graph.symbols.tolist(), graph.targets.tolist()):
        after.setdefault(source, []).append((symbol, target))
    paths: dict[int, tuple[int, ...]] = {0: ()}
    waiting = [0]
    for source in waiting:
        for symbol, target in after.get(source, ()):
            if target not in paths:
                paths[target] = (*paths[source], symbol)
                waiting.append(target)
    return paths[node]
