"""A whole string at once, a prefill, pieces: nothing follows for them from a search through single steps, so they are
run here on a few strings, compared with the steps number by number (:mod:`constructions.mamba.other_runs`), and the
verdict says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator

import numpy as np

from automata.machine import RECOGNISE, Machine
from constructions.target import FORWARD, PIECES, PREFILL, STEPWISE
from verify.checkpoints.operations import ByOperations, by_operations
from verify.evidence.sampling import RandomWord, expect
from verify.verdict import PROVED, REFUTED, TESTED, Verdict, Way, Witness

_WORDS = (("arbitrary", 66), ("valid", 20), ("arbitrary", 12))
"""The strings, kind and length: with BOS the first is longer than the chunks of transformers, of 64 tokens or less."""


class _Found:
    """What is found out of one way to run a model."""

    def __init__(self, name: str):
        self.name = name
        self.words: set[tuple[str, ...]] = set()
        self.others: set[tuple[str, ...]] = set()
        self.witness: Witness | None = None

    @property
    def way(self) -> Way:
        """In words: on how many strings its numbers are those of single steps, or what it gets wrong."""
        count, longest = len(self.words), max(map(len, self.words), default=0)
        same = count - len(self.others)
        if self.witness is not None:
            shown = " ".join(self.witness.word) or "the empty string"
            return Way(self.name, REFUTED, f"wrong on {shown}", count, same)
        what = (
            "the same bits as single steps" if not self.others else f"the same outputs, on {same} of them the same bits"
        )
        strings = f"{count} string{'s' * (count != 1)} of up to {longest} symbols"
        return Way(self.name, TESTED, f"{what}, on {strings}: not proved", count, same)


def run_otherwise(machine: Machine, model: Any, mode: str, verdict: Verdict, thorough: bool = False) -> Verdict:
    """A proof of single steps with what the other ways to run the model give; refuted where a prefill or a full forward
    is wrong.  Any other verdict is left as it is.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`; it cannot be stepped afterwards.
        mode: the question.
        verdict: of :func:`verify.checkpoints.checkpoint_search.search_checkpoint`.
        thorough: whether a certificate by operations is looked for, which takes some seconds.
    """
    if verdict.outcome != PROVED:
        return verdict
    found = _run(machine, model.with_batch(1), mode)
    reach = "every length" if verdict.horizon is None else f"up to {verdict.horizon} symbols"
    ways = Way(STEPWISE, PROVED, reach), *(one.way for one in found.values())
    for name in (FORWARD, PREFILL):
        if found[name].witness is not None:
            reason = f"a {name} is wrong on the witness, though {verdict.reason}"
            return replace(
                verdict, outcome=REFUTED, reason=reason, witness=found[name].witness, horizon=None, ways=ways
            )
    at_once = found[PREFILL], found[FORWARD]
    if thorough and not any(one.others for one in at_once) and hasattr(model, "step"):
        certificate = by_operations(machine, model, mode)
        ways = tuple(way if way.name not in (PREFILL, FORWARD) else _certified(way, certificate) for way in ways)
    said = [", ".join(way.name for way in ways if way.outcome == outcome) for outcome in (PROVED, TESTED)]
    tested = f"; only tested: {said[1]}" * bool(said[1])
    return replace(verdict, reason=f"{verdict.reason}; proved: {said[0]}{tested}", ways=ways)


def _certified(way: Way, certificate: ByOperations | str) -> Way:
    if isinstance(certificate, str):
        return replace(way, reason=f"{way.reason}, since there is no certificate by operations: {certificate}")
    return replace(way, outcome=PROVED, reason=certificate.sentence)


def _run(machine: Machine, model: Any, mode: str) -> dict[str, _Found]:
    """A few strings, in every way."""
    from constructions.mamba.other_runs import other_answers

    found = {name: _Found(name) for name in (PREFILL, FORWARD, PIECES)}
    for word in dict.fromkeys(_words(machine, mode)):
        expected = expect(machine, word, mode).sets
        tokens = [int(model.vocabulary.tokens[model.alphabet.index(symbol)]) for symbol in word]
        for answer in other_answers(model.runner, [model.vocabulary.bos, *tokens]):
            way, wanted = found[answer.way], expected[answer.at - 1]
            way.words.add(word)
            if answer.same:
                continue
            way.others.add(word)
            given = model.reading.given(answer.logits, model.vocabulary.answers)
            right = np.array([name in wanted for name in model.outputs])
            shorter = way.witness is None or answer.at - 1 < len(way.witness.word)
            if shorter and model.reading.wrong(right, given, mode):
                names = frozenset(name for name, on in zip(model.outputs, given) if on)
                way.witness = Witness(word[: answer.at - 1], wanted, names)
    return found


def _words(machine: Machine, mode: str) -> Iterator[tuple[str, ...]]:
    """A few strings; where it is asked what may come next, valid ones."""
    for seed, (kind, length) in enumerate(_WORDS):
        yield tuple(RandomWord(machine, kind if mode == RECOGNISE else "valid", length, seed))
