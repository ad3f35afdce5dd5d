"""Is a proof by boxes a proof?  One pass, box by box and symbol by symbol, slow and obvious.

It believes neither the finder nor the file: that the weights are those, that the automaton is the language's, that the
caches after BOS lie in box 0, that the image of every box under every symbol lies in some box, and that every output is
decided there: by the image itself, or by a half-space.  A half-space is a form v . h + c in the last block's state that
is said to be positive in a box: it holds after BOS, and before every step into the box, something that is known there
implies it.  The steps are those of :mod:`verify.learned.plain_step`, which share nothing with those of the finders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automata.machine import ACCEPT, MODES, PREDICTIVE, Machine
from constructions.mamba.reading import Reading
from verify.learned.plain_answers import PlainAnswers
from verify.learned.plain_step import Interval, LastScan, PlainStep, least_value, pulled_back
from verify.learned.proof import BoxProof, NoProof
from verify.learned.semantics import CONSTANTS, LARGEST_NUMBER, SENTENCE
from verify.learned.weights import TrainedMamba

if TYPE_CHECKING:
    from constructions.mamba.stepping import Vocabulary


@dataclass(frozen=True)
class Checked:
    """What holds.

    Attributes:
        boxes, edges: their numbers.
        margin: the least distance from 0 of the scores that boxes decide.
        half_spaces: outputs that half-spaces decide.
        forms: half-spaces.
    """

    boxes: int
    edges: int
    margin: float
    half_spaces: int = 0
    forms: int = 0

    @property
    def sentence(self) -> str:
        """The claim."""
        also = f" and {self.forms} half-spaces" if self.half_spaces else ""
        size = f"{self.boxes} boxes{also} ({self.edges} edges, least margin {self.margin:.3g})"
        return f"for every length, by an invariant of {size}, {SENTENCE}"


def recheck_boxes(
    proof: BoxProof, model: TrainedMamba, machine: Machine, vocabulary: Vocabulary, reading: Reading = Reading()
) -> Checked:
    """Checks that the model gives the machine's outputs on every string of the proof's mode.

    Args:
        vocabulary: the checkpoint's tokens for symbols, outputs and the beginning.
        reading: the convention by which outputs are read.

    Raises:
        NoProof: naming the first condition that fails.
    """
    if proof.digest != model.digest:
        raise NoProof("the weights are not those of the proof")
    if proof.semantics != CONSTANTS:
        raise NoProof("the proof assumes another float32")
    if proof.answer != reading.option:
        raise NoProof(f"the proof reads outputs by {proof.answer[:40]}, not {reading.option}")
    if (proof.alphabet, proof.outputs) != (vocabulary.alphabet, vocabulary.outputs):
        raise NoProof("the proof names other symbols or outputs than the language")
    if proof.tokens != tuple(vocabulary.tokens.tolist()) or proof.bos != vocabulary.bos:
        raise NoProof("the proof has other tokens than the checkpoint")
    _check_automaton(proof, machine)
    _check_shapes(proof, model)
    answers = PlainAnswers(reading, vocabulary.answers, len(model.head), proof.mode)
    with np.errstate(all="ignore"):
        return _Pass(proof, model, answers).run()


class _Pass:
    """The one pass over all boxes and symbols."""

    def __init__(self, proof: BoxProof, model: TrainedMamba, answers: PlainAnswers):
        self.proof, self.answers = proof, answers
        self.step = PlainStep(model, answers.read)
        shape = model.inner, model.states
        self.forms: dict[int, list[tuple[np.ndarray, float]]] = {}
        for box, weights, constant in zip(proof.form_boxes.tolist(), proof.form_weights, proof.form_constants.tolist()):
            self.forms.setdefault(box, []).append((weights.reshape(shape), constant))
        self.margin, self.by_forms = np.inf, 0

    def run(self) -> Checked:
        proof, edges = self.proof, 0
        nothing = np.zeros(proof.low.shape[1])
        caches, logits, last = self.step(nothing, nothing, proof.bos)
        self._decide(logits, last, proof.expected[0], None, "after BOS")
        if not _inside(caches, proof, 0) or proof.states[0] != 0:
            raise NoProof("the caches after BOS are not inside box 0")
        for weights, constant in self.forms.get(0, ()):
            if not constant + least_value(weights, last.after) > 0:
                raise NoProof("a half-space of box 0 does not hold after BOS")
        for box, state in enumerate(proof.states.tolist()):
            for symbol, token in enumerate(proof.tokens):
                target = int(proof.next[state, symbol])
                if target < 0:
                    continue
                where = f"box {box}, symbol {proof.alphabet[symbol]!r}"
                caches, logits, last = self.step(proof.low[box], proof.high[box], token)
                self._decide(logits, last, proof.expected[target], box, where)
                successor = int(proof.successors[box, symbol])
                if not 0 <= successor < len(proof.states) or proof.states[successor] != target:
                    raise NoProof(f"{where}: the successor is not a box of the automaton's next state")
                if not _inside(caches, proof, successor):
                    raise NoProof(f"{where}: the image is not inside box {successor}")
                for weights, constant in self.forms.get(successor, ()):
                    if not self._implied(box, last, *pulled_back(last, weights, constant)):
                        raise NoProof(f"{where}: a half-space of box {successor} does not follow")
                edges += 1
        return Checked(len(proof.states), edges, float(self.margin), self.by_forms, len(proof.form_boxes))

    def _decide(self, logits: Interval, last: LastScan, expected: np.ndarray, box: int | None, where: str) -> None:
        """Every output is on its side, by the image's bounds or by what is known at the box."""
        margins = np.array(self.answers.margins(*logits, expected.tolist()))
        for output in np.flatnonzero(~(margins > 0)).tolist():
            known = box is not None and self.answers.signs
            if not known or not self._implied(
                box, last, *pulled_back(last, *self.step.form(last, output, bool(expected[output])))
            ):
                raise NoProof(f"{where}: an output is not decided")
            self.by_forms += 1
        self.margin = min(self.margin, margins[margins > 0].min(initial=np.inf))

    def _implied(self, box: int | None, last: LastScan, weights: np.ndarray, constant: float) -> bool:
        """Whether a form in the state before a step is positive, by the box or by a form that is positive there."""
        if constant + least_value(weights, last.before) > 0:
            return True
        return any(
            constant - known + least_value(weights - other, last.before) >= 0
            for other, known in self.forms.get(-1 if box is None else box, ())
        )


def _check_automaton(proof: BoxProof, machine: Machine) -> None:
    """The proof's table is the part of the machine that strings of the mode reach."""
    symbols, count = proof.alphabet, len(proof.next)
    shapes = (count, len(symbols)), (count, len(proof.outputs))
    if proof.next.shape != shapes[0] or proof.expected.shape != shapes[1] or set(symbols) != set(machine.alphabet):
        raise NoProof("the automaton's table does not have the language's alphabet")
    if len(set(symbols)) != len(symbols) or len(set(proof.outputs)) != len(proof.outputs) or not count:
        raise NoProof("the automaton's table names a symbol or an output twice, or has no state")
    if len(proof.tokens) != len(symbols) or len(set(proof.tokens)) != len(symbols):
        raise NoProof("not every symbol has its own token")
    if proof.mode not in MODES or (proof.mode == PREDICTIVE) != (proof.outputs != (ACCEPT,)):
        raise NoProof(f"the outputs do not answer the question of mode {proof.mode[:20]!r}")
    states: dict[int, Any] = {0: machine.initial}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        state = states[number]
        given = machine.legal(state) if proof.mode == PREDICTIVE else {ACCEPT} if machine.accepts(state) else set()
        if given - set(proof.outputs) or any((o in given) != e for o, e in zip(proof.outputs, proof.expected[number])):
            raise NoProof(f"state {number} of the automaton's table expects other outputs than the language")
        for symbol, target in zip(symbols, proof.next[number].tolist()):
            if proof.mode == PREDICTIVE and symbol not in given:
                continue
            if not 0 <= target < count:
                raise NoProof(f"state {number} of the automaton's table does not follow {symbol!r}")
            after = machine.step(state, symbol)
            if target not in states:
                states[target] = after
                waiting.append(target)
            elif states[target] != after:
                raise NoProof(f"state {number} of the automaton's table goes elsewhere with {symbol!r}")


def _check_shapes(proof: BoxProof, model: TrainedMamba) -> None:
    size = len(model.blocks) * model.inner * (model.kernel - 1 + model.states)
    boxes = len(proof.states)
    forms, scanned = len(proof.form_boxes), model.inner * model.states
    shapes = {"low": (boxes, size), "high": (boxes, size), "successors": (boxes, len(proof.tokens)), "states": (boxes,)}
    shapes |= {"form_boxes": (forms,), "form_constants": (forms,)}
    shapes |= {"form_weights": (forms, scanned)} if forms else {}
    for name, shape in shapes.items():
        if getattr(proof, name).shape != shape:
            raise NoProof(f"{name} has the shape {getattr(proof, name).shape}, expected {shape}")
    if not boxes or not ((0 <= proof.states) & (proof.states < len(proof.next))).all():
        raise NoProof("a box has no state of the automaton")
    if not (proof.low <= proof.high).all() or not (np.maximum(-proof.low, proof.high) <= LARGEST_NUMBER).all():
        raise NoProof("a box is empty or unbounded")
    if not np.isfinite(proof.form_weights).all() or not np.isfinite(proof.form_constants).all():
        raise NoProof("a half-space is not made of finite numbers")
    if not all(0 <= token < len(model.embedding) for token in (*proof.tokens, proof.bos)):
        raise NoProof("the model has no such token")


def _inside(caches: Interval, proof: BoxProof, box: int) -> bool:
    return bool((proof.low[box] <= caches[0]).all() and (caches[1] <= proof.high[box]).all())
