"""The proof for a Mamba: a search through the model's own decoding step and its own cache.

A state of the search is a pair (machine state, bytes of the cache), see
:class:`constructions.mamba.stepping.SteppedMamba`.  When the search closes, the outputs of single decoding steps, as
run, are right at every length.  That every row, full forward, prefill, other batches and other kernels give the same
numbers follows from the certificate of exactness, which is part of the verdict.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Iterator

from automata.bounded_dyck import DyckMachine
from automata.cascade import Cascade, Counter, Set
from automata.counter_machine import CounterMachine
from automata.dfa import DFA
from automata.errors import InputError
from automata.flip_flop import FlipFlopMachine
from automata.krohn_rhodes import holonomy_cascade
from automata.languages import COUNTER, Language
from automata.machine import PREDICTIVE, Machine
from constructions.bounded_dyck import bounded_dyck
from constructions.counters import counter_cascade
from constructions.flip_flop import flip_flop
from constructions.mamba.certificate import Certificate, certify
from constructions.mamba.weights import MambaWeights
from verify.bisimulation import bisimulation
from verify.mamba import MAMBA
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, Verdict

RESETS_LIMIT = 1000
"""States of a minimal DFA up to which a recogniser is made of resets alone."""
UNBOUNDED_LIMIT = 20_000
"""Joint states after which a search that cannot close stops."""


def cascade_of(language: Language, mode: str) -> Cascade:
    """The cascade that a named language is lowered from: the paper's where there is one, else by holonomy."""
    machine = language.machine
    if isinstance(machine, FlipFlopMachine):
        return flip_flop(mode)
    if isinstance(machine, DyckMachine):
        return resets_only(bounded_dyck(machine.k, machine.depth, mode), machine)
    if language.kind == COUNTER:
        return counter_cascade(language.name, mode)
    return holonomy_cascade(language.dfa(), mode)


def resets_only(cascade: Cascade, machine: Machine) -> Cascade:
    """The cascade, or, where its counters would not do and the language is regular, one by holonomy.

    On dead strings a recogniser's counters drift for ever, and a search over caches would never close; and no Mamba has
    a counter that is set.  Where the minimal DFA has more than RESETS_LIMIT states, the cascade stays as it is.
    """
    counters = [register for register in cascade.registers if isinstance(register, Counter)]
    is_set = any(isinstance(rule.then, Set) for counter in counters for rule in counter.rules)
    if not counters or isinstance(machine, CounterMachine) or (cascade.mode == PREDICTIVE and not is_set):
        return cascade
    try:
        dfa = machine if isinstance(machine, DFA) else DFA.from_machine(machine, RESETS_LIMIT)
        return holonomy_cascade(dfa.minimise(), cascade.mode)
    except InputError:  # too many states, or too many image sets
        return cascade


@contextmanager
def running(weights: MambaWeights, target: str = MAMBA) -> Iterator:
    """The weights as a batched model, in transformers or in mamba-ssm, on one thread: steps are too small for more.

    Raises:
        InputError: when the package is not installed.
    """
    if target == MAMBA:
        with transformers_ready():
            from constructions.mamba.huggingface import stepped

            yield stepped(weights)
        return
    from constructions.mamba.checkpoint import write
    from constructions.mamba.worker import WorkerModel

    with tempfile.TemporaryDirectory() as folder:
        write(weights, Path(folder), "")
        with WorkerModel(Path(folder)) as model:
            yield model


@contextmanager
def transformers_ready() -> Iterator[None]:
    """transformers, without its remarks, and PyTorch on one thread; both as before afterwards.

    Raises:
        InputError: when torch or transformers is not installed.
    """
    try:
        import torch

        from constructions.mamba.huggingface import quiet
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install 'ssm-compiler[mamba]'") from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with quiet():
            yield
    finally:
        torch.set_num_threads(threads)


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
        model: the running weights (see :func:`running`).
        limit: joint states after which a search gives up.

    Returns:
        ``proved`` for all lengths when the search closes; where counters are unbounded, ``proved`` when all strings up
        to the certificate's horizon were compared; ``refuted`` with a shortest witness; or ``undecided``, saying how
        far the search came.  The reason names what was run.

    Raises:
        InputError: when the certificate of exactness cannot be given.
    """
    certificate = certify(weights)
    finite = closes(cascade, machine)
    if not finite:
        limit = min(limit, UNBOUNDED_LIMIT)
    length = None if finite else certificate.horizon
    verdict = bisimulation(machine, model, cascade.mode, limit=limit, length=length, progress=progress)
    if verdict.outcome != PROVED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {model.conditions}")
    what = (
        "the search over caches closed: every length"
        if verdict.horizon is None
        else f"every string of up to {verdict.horizon} symbols, as far as counters are certainly exact"
    )
    reason = f"{what}, by single decoding steps in {model.conditions}; {exactness(certificate)}"
    return replace(verdict, method="cache search", reason=reason)


def exactness(certificate: Certificate) -> str:
    """What follows from the certificate, in words."""
    text = (
        "full forward, prefill, other rows and other batches give the same bits but for the sign of zeros, since no sum "
        f"exceeds 2^{certificate.digits} units"
    )
    if certificate.greatest is None:
        return text
    return f"{text} while no counter exceeds {certificate.greatest}, as none can within {certificate.horizon} symbols"
