"""An assertion that holds only of what is proved, and says how to see again what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Sequence

import numpy as np

from automata.catalogue import Language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import Machine
from constructions.build import Build
from constructions.cascade import Cascade
from constructions.ssm.weights import SSM
from verify.claim import JOINT_STATE_LIMIT
from verify.face import prove, running
from verify.verdict import PROVED, REFUTED, Verdict

_SEARCHED = 20_000
"""Joint states that are searched for a shorter string than the one that was found."""

_PASTED = 20_000
"""Characters of a model that a message repeats; a larger one is named."""

_MODULES = ("from constructions.ssm.layers import *", "from constructions.ssm.weights import SSM, Arithmetic")
"""What a model is written in."""

_WORD = 200
"""Symbols of a string that a message shows."""


def assert_proved(
    word: Language | Machine,
    model: Any,
    mode: str | None = None,
    method: str = "auto",
    *,
    limit: int = JOINT_STATE_LIMIT,
) -> Verdict:
    """Proves that a model is right about a language on every string of the mode, or fails.

    Args:
        word, model, mode, method, limit: as of :func:`verify.prove`.

    Returns:
        The verdict, which is ``proved``; its ``horizon`` says up to which length, None for every length.

    Raises:
        AssertionError: with the verdict, a shortest wrong string where one was found, and Python that shows it again.
            ``tested`` and ``undecided`` fail too: they are no proof.
        InputError: for what is no model, or a mode or method that does not fit.

    >>> from verify import language, regex
    >>> assert_proved(regex("(ab)*"), regex("(ab)*").dfa()).outcome
    'proved'
    >>> assert_proved(regex("a*", "ab"), DFA("ab", [[0, 0]], [0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: not proved, but refuted
      Verdict(refuted, search, predictive, none: ...; wrong on the empty string; ...)
      shortest wrong string  the empty string
      expected               <eos> a
      given                  <eos> a b
    to see it again:
      from automata.dfa import DFA
      from verify.testing import answer
      model = DFA('ab', [[0, 0]], [0])
      assert answer(model, (), 'predictive') == {'<eos>', 'a'}
    """
    verdict = prove(word, model, mode, method, limit=limit)
    if verdict.outcome != PROVED:
        raise AssertionError(_message(word, model, verdict))
    return verdict


def answer(model: Any, word: Sequence[str], mode: str | None = None) -> frozenset[str]:
    """What a model gives after a string: the symbols that may come next, or ``<accept>`` or nothing.

    Args:
        model: anything that :func:`verify.prove` takes.
        word: symbols.
        mode: "predictive" or "recognise"; by default what the model answers.

    Raises:
        InputError: for a symbol that the model does not have.

    >>> sorted(answer(DFA("ab", [[1, 1], [0, 1]], [0]), "a"))
    ['a', 'b']
    """
    with running(model, mode) as (run, _, _):
        index = {symbol: i for i, symbol in enumerate(run.alphabet)}
        for symbol in word:
            if symbol not in index:
                raise InputError(f"{symbol!r} is not one of the model's symbols {' '.join(run.alphabet)}")
        state, outputs = run.begin(1)
        if len(word):
            _, outputs = run.advance(state, np.array([[index[symbol] for symbol in word]]))
        row = outputs.table[outputs.ids[0, -1]]
        return frozenset(run.outputs[i] for i in np.flatnonzero(row))


def _message(word: Language | Machine, model: Any, verdict: Verdict) -> str:
    verdict, kind = _shortest(word, model, verdict)
    lines = [f"not proved, but {verdict.outcome}", f"  {verdict!r}"]
    if verdict.witness is not None:
        found = verdict.witness
        shown = " ".join(found.word[:_WORD]) + (f" … ({len(found.word)} symbols)" if len(found.word) > _WORD else "")
        values = {kind: shown or "the empty string", "expected": _set(found.expected), "given": _set(found.given)}
        lines += [f"  {name:<{len(kind)}}  {value}" for name, value in values.items()]
        lines += ["to see it again:", *(f"  {line}" for line in _again(model, verdict))]
    elif verdict.pair is not None:
        lines += [f"  wrong on one of  {verdict.pair[0]}", f"  and              {verdict.pair[1]}"]
    return "\n".join(lines)


def _shortest(word: Language | Machine, model: Any, verdict: Verdict) -> tuple[Verdict, str]:
    """The verdict with a shortest string where a search finds one, and what the string is called."""
    if verdict.outcome != REFUTED or verdict.method == "search":
        return verdict, "shortest wrong string"
    try:
        searched = prove(word, model, verdict.mode, "search", limit=_SEARCHED)
    except InputError:
        return verdict, "wrong string"
    if searched.outcome != REFUTED:
        return verdict, "wrong string"
    return replace(verdict, witness=searched.witness), "shortest wrong string"


def _set(outputs: frozenset[str]) -> str:
    return " ".join(sorted(outputs)) or "nothing"


def _again(model: Any, verdict: Verdict) -> list[str]:
    """Python that runs the witness and fails."""
    imports, made = _pasted(model)
    assert verdict.witness is not None, "a refutation has its string"
    expected = (
        "{" + ", ".join(map(repr, sorted(verdict.witness.expected))) + "}" if verdict.witness.expected else "set()"
    )
    call = f"answer(model, {verdict.witness.word!r}, {verdict.mode!r})"
    return [*imports, "from verify.testing import answer", f"model = {made}", f"assert {call} == {expected}"]


def _pasted(model: Any) -> tuple[list[str], str]:
    """Imports, and an expression that makes the model again; a remark where there is none."""
    if isinstance(model, Build) and isinstance(model.weights, SSM):
        model = model.weights
    text = repr(model)
    if len(text) <= _PASTED:
        if isinstance(model, DFA) and not text.startswith("<"):
            return ["from automata.dfa import DFA"], text
        if isinstance(model, Cascade):
            return ["from constructions.cascade import *"], text
        if isinstance(model, SSM) and not text.startswith("<"):
            return [
                "from constructions.ssm.layers import *",
                "from constructions.ssm.weights import SSM, Arithmetic",
            ], text
        if isinstance(model, str):
            return [], text
    return [], f"...  # the {type(model).__name__} that was given"
