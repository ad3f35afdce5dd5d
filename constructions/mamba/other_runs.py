"""One string, run in every way that a model can be run: by single steps, at once, by a prefill, in pieces.

They are other programs than a step: scans over a string, or over its chunks.  Here their numbers are compared with
those of steps: the logits, and after a prefill the whole state, from which later steps are steps like any.  0 and -0
are one number.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Sequence

import torch

from constructions.target import FORWARD, PIECES, PREFILL

_CUTS = (2, 15, 16, 17, 63, 64, 65)
"""Tokens of a prefill: about the ends of chunks."""

_MOST_PIECES = 13
"""Tokens of the strings in which each two tokens are read at once, after all before them."""

_State = list[list[torch.Tensor]]


class OtherAnswer(NamedTuple):
    """What one way gives after some tokens.

    Attributes:
        way: PREFILL, FORWARD or PIECES.
        at: how many tokens were read.
        logits: of the whole vocabulary.
        same: whether its numbers are those of single steps.
    """

    way: str
    at: int
    logits: torch.Tensor
    same: bool


def other_answers(runner: Any, numbers: Sequence[int]) -> Iterator[OtherAnswer]:
    """All that the other ways give on a string.

    Args:
        runner: a :class:`constructions.mamba.stepping.Runner`, one row of which is used; what it has read is gone.
        numbers: of the tokens, BOS first.
    """
    tokens, time = torch.tensor([numbers], device=runner.device), len(numbers)
    with torch.no_grad():
        logits, states = _steps(runner, tokens)
        for at, given in enumerate(runner.logits(tokens)[0], 1):
            yield OtherAnswer(FORWARD, at, given, torch.equal(given, logits[at - 1]))
        readings = [(PREFILL, 0, cut) for cut in sorted({*_CUTS, time}) if 1 < cut <= time]
        readings += [(PIECES, cut, cut + 2) for cut in range(1, time - 1) if time <= _MOST_PIECES]
        for way, first, last in readings:
            if first:
                runner.start(tokens[:, :first])
            given = (runner.step if first else runner.start)(tokens[:, first:last])[0]
            same = torch.equal(given, logits[last - 1]) and _same(runner.caches(), states[last - 1])
            yield OtherAnswer(way, last, given, same)
            # From the same state on, what follows is the same.
            for at in range(last, time) if not same else ():
                yield OtherAnswer(way, at + 1, runner.step(tokens[:, at : at + 1])[0], False)


def _steps(runner: Any, tokens: torch.Tensor) -> tuple[torch.Tensor, list[_State]]:
    """By single steps: the logits (time, vocabulary), and the state after each token."""
    logits, states = [runner.start(tokens[:, :1])], [_copied(runner.caches())]
    for at in range(1, tokens.shape[1]):
        logits.append(runner.step(tokens[:, at : at + 1]))
        states.append(_copied(runner.caches()))
    return torch.cat(logits), states


def _copied(state: Any) -> _State:
    return [[tensor.clone() for tensor in layer] for layer in state]


def _same(first: Any, second: _State) -> bool:
    """Whether all numbers are the same ones, in the same formats."""
    pairs = [pair for layers in zip(first, second, strict=True) for pair in zip(*layers, strict=True)]
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)
