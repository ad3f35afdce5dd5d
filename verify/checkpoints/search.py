"""The proof for a Mamba: a search through the model's own decoding step and its own cache.

A state of the search is a pair (machine state, bytes of the cache).  When the search closes, the outputs of single
decoding steps, as run, are right at every length.  That every row, full forward, prefill, other batches and other
kernels give the same numbers follows from the certificate of exactness, which is part of the verdict; and so does that
each layer need be run only once on each input that differs in what it reads
(:mod:`constructions.mamba.layerwise`).  A model that does not do what its layers do one by one is run by whole steps
(:class:`constructions.mamba.stepping.SteppedMamba`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from automata.machine import PREDICTIVE, Machine
from automata.machines.counter_machine import CounterMachine
from constructions.cascade import Cascade, Counter
from constructions.mamba.certificate import Certificate, certify
from constructions.mamba.weights import MambaWeights
from constructions.target import FORWARD, PIECES, PREFILL, STEPWISE
from verify.checkpoints.checkpoint_search import UNCLOSED, runs_wrong
from verify.checkpoints.counted_horizon import AS_RUN, prove_along_lines
from verify.methods.bisimulation import bisimulation
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, UNDECIDED, Verdict, Way

UNBOUNDED_LIMIT = 20_000
"""Joint states after which a search stops that does not close, but may reach the end of where counters are exact."""


def closes(cascade: Cascade, machine: Machine) -> bool:
    """Whether the search has finitely many states: no counter can drift."""
    counts = any(isinstance(register, Counter) for register in cascade.registers)
    return not counts or (cascade.mode == PREDICTIVE and not isinstance(machine, CounterMachine))


def prove_mamba(
    machine: Machine,
    cascade: Cascade,
    weights: MambaWeights,
    model,
    *,
    limit: int = 5_000_000,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Proves or refutes that a running Mamba gives the machine's outputs.

    Args:
        machine: the ground truth.
        cascade: what the weights were lowered from: decides whether the search can close.
        weights: for the certificate of exactness.
        model: the running weights (see :meth:`constructions.target.Target.running`).
        limit: joint states after which a search gives up.

    Returns:
        ``proved`` for all lengths when the search closes within the certificate's horizon, beyond which counters may
        not be exact; ``proved`` up to there when all these strings were compared; ``refuted`` with a shortest witness;
        or ``undecided``, saying how far the search came.  The reason names what was run.

    Raises:
        InputError: when the certificate of exactness cannot be given.
    """
    certificate, allowed = certify(weights), limit
    finite = closes(cascade, machine)
    if not finite:
        # Each symbol more is a state more, at the least.
        near = certificate.horizon is not None and certificate.horizon < UNBOUNDED_LIMIT
        limit = min(limit, UNBOUNDED_LIMIT if near else UNCLOSED)
    # Where it closes within the horizon every state is one in which counters are exact, whatever the weights count.
    length = certificate.horizon
    verdict, conditions = _searched(machine, model, cascade.mode, limit=limit, length=length, progress=progress)
    if verdict.outcome == UNDECIDED and isinstance(machine, CounterMachine):
        fresh = model.with_batch(model.batch)
        lines = prove_along_lines(machine, fresh, cascade.mode, limit=allowed, progress=progress)
        if isinstance(lines, Verdict):
            return _with_ways(lines, certificate)
        verdict = replace(verdict, reason=f"{verdict.reason}; {lines}")
    if verdict.outcome != PROVED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {conditions}")
    what = (
        "the search over caches closed: every length"
        if verdict.horizon is None
        else f"every string of up to {verdict.horizon} symbols, as far as counters are certainly exact"
    )
    closed = verdict.horizon is None and certificate.horizon is not None
    within = ", which are enough to reach every state" if closed else ""
    reason = f"{what}, by single decoding steps in {conditions}; {certificate.sentence}{within}"
    return replace(verdict, method="cache search", reason=reason, ways=_ways(what, certificate))


def _ways(what: str, certificate: Certificate) -> tuple[Way, ...]:
    exact = f"the same bits as single steps but for the sign of zeros, by the certificate of {certificate.sums} sums"
    return (
        Way(STEPWISE, PROVED, what),
        Way(PREFILL, PROVED, exact),
        Way(FORWARD, PROVED, exact),
        Way(PIECES, UNDECIDED, "several tokens at once after others are not covered"),
    )


def _with_ways(lines: Verdict, certificate: Certificate) -> Verdict:
    """A verdict along lines of counts, which is about single steps, as far as it is one about the other ways, too."""
    if lines.outcome != PROVED:
        return lines
    both = [horizon for horizon in (lines.horizon, certificate.horizon) if horizon is not None]
    horizon = min(both, default=None)
    what = "every length" if horizon is None else f"every string of up to {horizon} symbols"
    reason = f"{lines.reason.removesuffix(AS_RUN)}; {certificate.sentence}"
    return replace(lines, reason=reason, horizon=horizon, ways=_ways(what, certificate))


def _searched(machine: Machine, model, mode: str, **how) -> tuple[Verdict, str]:
    """The search, and how the model was run; by layers where it has any, and by whole steps where they do otherwise."""
    layers = getattr(model, "by_layers", None)
    if layers is not None:
        from constructions.mamba.layerwise import NotInLayers

        with suppress(NotInLayers):
            verdict = bisimulation(machine, layers, mode, **how)
            if verdict.witness is None or runs_wrong(machine, model, mode, verdict.witness.word) == verdict.witness:
                return verdict, layers.conditions
    return bisimulation(machine, model, mode, **how), model.conditions
