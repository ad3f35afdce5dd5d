"""What the checks of one model say together: refuted beats proved, and one proof of every length is enough."""

from __future__ import annotations

from typing import Sequence

from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED, Verdict, worst


def status(verdicts: Sequence[Verdict]) -> int:
    """The exit status: 1 where one is refuted, else 0 where one is proved, else that of the worst.

    A check that could not decide takes nothing from the proof that another one gave.
    """
    outcomes = {verdict.outcome for verdict in verdicts}
    if REFUTED not in outcomes and PROVED in outcomes:
        return EXIT_STATUS[PROVED]
    return worst(list(verdicts))


def conclusion(verdicts: Sequence[Verdict], horizon: str = "") -> dict[str, object]:
    """The outcome of all, with the shortest string found, the method, or what is left open.

    Args:
        horizon: what the gates predict, in words.
    """
    refuted = [verdict for verdict in verdicts if verdict.outcome == REFUTED]
    witnesses = [(verdict.witness, verdict) for verdict in refuted if verdict.witness is not None]
    if witnesses:
        witness, verdict = min(witnesses, key=lambda found: len(found[0].word))
        length = len(witness.word)
        symbols = f"{length} symbol{'s' * (length != 1)}"
        return {"refuted": f"the shortest wrong string found has {symbols}: by {verdict.method}, and it was run"}
    for verdict in verdicts:
        if verdict.outcome == PROVED:
            explored = verdict.looked_at
            reach = "every length" if verdict.horizon is None else f"up to {verdict.horizon} symbols"
            return {"proved": f"{reach}, in {verdict.arithmetic} as run, by {verdict.method} ({explored})"}
    tried = ", ".join(verdict.method for verdict in verdicts)
    gave_up = [verdict.reason.partition(";")[0] for verdict in verdicts if verdict.outcome == UNDECIDED]
    said: dict[str, object] = {"undecided": f"no wrong string was found, and no proof, by {tried}"}
    said |= {"stopped": gave_up[-1]} if gave_up else {}
    return said | ({"predicted": horizon} if horizon else {})
