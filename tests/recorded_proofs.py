"""A plugin of pytest: the false verdicts that tests would meet in this tree, as certificates.

What the tests hand to a prover (a model and a language, with the chart where there is one) is kept.  After the tests
every prover that speaks about it is asked, the last pair first; a verdict that plain runs show to be false
(:mod:`truth`) is written as a certificate, into the folder that ``FALSE_PROOFS`` names.  In a tree without faults there
are none.  In a tree with a planted fault the tests that see the fault have to have such a model in their hands::

    FALSE_PROOFS=folder python -m pytest -x -p recorded_proofs tests/test_levelwise.py
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

from truth import falsehood

FOLDER, ENOUGH, ASKED = "FALSE_PROOFS", "FALSE_PROOFS_ENOUGH", "FALSE_PROOFS_METHODS"
"""Names in the environment: of the folder, of how many false verdicts are enough (2), and of the methods that are asked
(all).
"""

SECONDS, PAIRS, FOR_ONE = 5.0, 400, 3.0
"""CPU seconds of asking, and pairs of model and language, after which no more is asked; CPU seconds of one answer."""

NONE = "none"
"""The kind of evidence in the place of evidence that cannot be written."""

MOST_SECONDS, MOST_BYTES = 60, 4 << 30
"""CPU seconds and memory of a process whose prover has a fault, which need not end."""

LIMIT, MOST_STATES = 3_000, 100
"""Joint states of a search, and states of an automaton that is made of a model."""

FUNCTIONS = (
    ("verify.methods.bisimulation", "bisimulation"),
    ("verify.methods.bounded_search", "bounded_search"),
    ("verify.methods.levelwise", "prove_levelwise"),
    ("verify.methods.sticky", "find_sticky"),
    ("verify.methods.relation.counters", "prove_relation"),
    ("verify.methods.induction.prove", "prove_dyck"),
    ("verify.methods.induction.prove", "prove_counter"),
    ("verify.impossible.upper_bound", "upper_bound"),
    ("verify.impossible.refuter", "refute"),
    ("constructions.ssm.ranges", "ranges"),
)
CLASSES = (
    ("verify.methods.relation.prove", "RelationProof"),
    ("verify.methods.induction.counter_obligations", "CounterInduction"),
    ("verify.methods.induction.stack_obligations", "StackInduction"),
    ("verify.methods.induction.depths", "DepthInduction"),
    ("constructions.ssm.engine", "Engine"),
)
"""What is handed a model, by module and name."""

_calls: list[tuple[str, dict[str, Any], Any]] = []
"""What was called, with which arguments, and what it gave."""


def _kept(name: str, signature: inspect.Signature, given: tuple, named: dict[str, Any], result: Any) -> None:
    try:
        bound = signature.bind(*given, **named)
    except TypeError:
        return
    bound.apply_defaults()
    _calls.append((name, bound.arguments, result))


def _recording(name: str, function: Callable) -> Callable:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def recorded(*given, **named):
        result = function(*given, **named)
        _kept(name, signature, given, named, result)
        return result

    return recorded


def _record() -> None:
    """Puts the recording ones in the place of the functions and classes, wherever they are known by name."""
    instead = {}
    for module, name in FUNCTIONS:
        function = getattr(importlib.import_module(module), name)
        instead[function] = _recording(name, function)
    for module, name in CLASSES:
        kind = getattr(importlib.import_module(module), name)
        made, signature = kind.__init__, inspect.signature(kind)

        def recorded(self, *given, _made=made, _signature=signature, _name=name, **named):
            _made(self, *given, **named)
            _kept(_name, _signature, given, named, None)

        kind.__init__ = recorded
    for module in list(sys.modules.values()):
        if module.__name__.startswith(("verify", "constructions")):
            for name, value in list(vars(module).items()):
                if inspect.isfunction(value) and value in instead:
                    setattr(module, name, instead[value])


def pytest_configure() -> None:
    limit_means()
    _record()


def pytest_sessionfinish() -> None:
    without_witnesses()
    keep_false(_documents(_calls[-20 * PAIRS :]), Path(os.environ[FOLDER]), SECONDS)


def keep_false(documents: Iterable[tuple[str, Callable[[], dict[str, Any] | None]]], folder: Path, most: float) -> None:
    """Writes certificates of verdicts that are false, and why each is, until there are enough.

    Args:
        documents: methods, each with what gives a certificate of a proof, or None.
        folder: to write into.
        most: CPU seconds after which no more is asked.
    """
    begun, written, enough = time.process_time(), 0, int(os.environ.get(ENOUGH, "2"))
    methods = os.environ.get(ASKED, "").split()
    for method, make in documents:
        if methods and method not in (*methods, "refutation"):
            continue
        if time.process_time() - begun > most or written == enough:
            return
        try:
            with _in_time():
                found = make()
            why = found and falsehood(found)
        except (Exception, _OutOfTime):  # a planted fault may break anything; only what is written counts
            continue
        if found and why:
            name = f"{len(os.listdir(folder)):03}.json"
            (folder / name).write_text(json.dumps({"method": method, "false": why, "certificate": found}))
            written += 1


class _OutOfTime(BaseException):
    """Raised by a timer; not an Exception, so that no prover takes it for one of its own."""


@contextmanager
def _in_time() -> Iterator[None]:
    def out_of_time(*_):
        raise _OutOfTime

    before = signal.signal(signal.SIGVTALRM, out_of_time)
    signal.setitimer(signal.ITIMER_VIRTUAL, FOR_ONE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def limit_means() -> None:
    """This process ends when it has used too much."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def without_witnesses() -> None:
    """Strings on which a model is wrong are not asked for, and looking for them takes most of the time."""
    from verify.methods import METHODS

    for name in METHODS:
        METHODS.named(name)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("verify.methods") and hasattr(module, "find_witness"):
            module.find_witness = lambda *_: None


def _documents(calls: list) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """What can be asked about what was called, the last first: the method, and what gives the certificate."""
    from verify.certificate.writer import refutation

    pairs, alone = _models(calls)
    for ssm, machine, chart in pairs:
        yield from asked(ssm, machine, chart)
    for ssm in alone:
        yield "bound", functools.partial(bound_of, ssm)
        yield "search", functools.partial(by_its_own_language, ssm)
    for name, given, result in reversed(calls):
        if name == "refute" and result.verdict.outcome == "refuted":
            ssm = getattr(given["model"], "ssm", given["model"])
            parts = (ssm, given["dfa"], result.verdict, result.cycle, result.answer)
            yield "refutation", functools.partial(refutation, *parts)


def _models(calls: list) -> tuple[list[tuple], list]:
    """(model, language, chart or None) as they were called together, and where no language was given, with each that
    has the symbols; and the models that were looked at alone.
    """
    from automata.machines.bounded_dyck import DyckMachine
    from constructions.ssm.weights import SSM

    pairs: dict[tuple[int, int, int], tuple] = {}
    machines: dict[int, Any] = {}
    alone: dict[int, Any] = {}
    for name, given, _ in reversed(calls):
        model = given.get("ssm", given.get("engine", given.get("model")))
        ssm = model if isinstance(model, SSM) else getattr(model, "ssm", getattr(model, "machine", None))
        if not isinstance(ssm, SSM):
            continue
        machine, chart = given.get("machine", given.get("dfa")), given.get("chart")
        if name == "prove_dyck":
            machine = DyckMachine(given["k"], given["depth"])
        if machine is None:
            alone.setdefault(id(ssm), ssm)
        else:
            machines.setdefault(id(machine), machine)
            pairs.setdefault((id(ssm), id(machine), id(chart)), (ssm, machine, chart))
    for ssm in list(alone.values())[:PAIRS]:
        for machine in machines.values():
            if set(machine.alphabet) == set(ssm.alphabet):
                pairs.setdefault((id(ssm), id(machine), id(None)), (ssm, machine, None))
    return list(pairs.values())[:PAIRS], list(alone.values())[:PAIRS]


def asked(ssm, machine, chart=None) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """Every method that covers the model: its name, and what gives the certificate of a proof."""
    if chart is not None:
        yield "levels", functools.partial(by_levels, ssm, machine, chart)
    for method in ("relation", "induction", "search"):
        yield method, functools.partial(by_method, method, ssm, machine)


def by_method(name: str, ssm, machine, construction=None) -> dict[str, Any] | None:
    """The certificate of a proof by a method; None where it proves nothing."""
    from constructions.ssm.engine import Engine
    from verify.certificate.writer import certificate
    from verify.claim import Claim
    from verify.methods import METHODS
    from verify.progress import NO_PROGRESS
    from verify.verdict import PROVED

    claim = Claim(machine, ssm.mode, Engine(ssm), ssm, construction, LIMIT)
    method = METHODS.named(name)
    if method.covers(claim):
        return None
    verdict = method.run(claim, NO_PROGRESS)
    if verdict.outcome != PROVED:
        return None
    return _certified(ssm, machine, verdict.horizon, lambda: certificate(claim, verdict)["evidence"])


def _certified(ssm, machine, horizon: int | None, evidence: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is claimed, with its evidence; in the place of evidence that cannot be written, why."""
    from verify.certificate.document import CERTIFICATE_FORMAT, COMPUTES, language_object, model_object

    head = {"format": CERTIFICATE_FORMAT, "claim": COMPUTES, "mode": ssm.mode, "horizon": horizon}
    claim = {**head, "language": language_object(machine), "model": model_object(ssm)}
    try:
        return {**claim, "evidence": evidence()}
    except Exception as error:  # the fault may be in the way
        return {**claim, "evidence": {NONE: str(error) or type(error).__name__}}


def by_its_own_language(ssm) -> dict[str, Any] | None:
    """The certificate that the model computes the language that it seems to have where it is run in this tree."""
    machine = language_as_run(ssm)
    return None if machine is None else by_method("search", ssm, machine)


def language_as_run(ssm):
    """The automaton of all states that a model reaches as a search runs it; None where they are many, or where no
    automaton predicts what the model does.
    """
    import numpy as np

    from automata.dfa import DFA
    from automata.machine import ACCEPT, EOS, RECOGNISE
    from constructions.ssm.engine import Engine
    from verify.methods.coded_models import ByTables

    model, symbols = ByTables(Engine(ssm)), np.arange(len(ssm.alphabet))
    columns, outputs = model.begin()
    waiting: list[tuple] = [(columns, outputs.dense()[0, 0])]
    numbers: dict[tuple, int] = {}
    accepting, rows = [], []
    for columns, given in waiting:
        if len(waiting) > MOST_STATES:
            return None
        names = {name for name, on in zip(ssm.outputs, given) if on}
        if names & {ACCEPT, EOS}:
            accepting.append(len(rows))
        after, outputs = model.step(columns, np.zeros(len(symbols), dtype=np.intp), symbols)
        rows.append([])
        for place, (symbol, answer) in enumerate(zip(ssm.alphabet, outputs.dense()[:, 0])):
            key = (answer.tobytes(), *(int(column[place]) for column in after))  # outputs depend on the symbol too
            followed = ssm.mode == RECOGNISE or symbol in names
            if followed and key not in numbers:
                numbers[key] = len(waiting)
                waiting.append(([column[place : place + 1] for column in after], answer))
            rows[-1].append(numbers[key] if followed else -1)
    table = np.array([*rows, [-1] * len(symbols)])
    return DFA(ssm.alphabet, np.where(table < 0, len(rows), table), accepting)


def by_levels(ssm, dfa, chart) -> dict[str, Any] | None:
    """The same level by level, with a chart that need not be the automaton's."""
    from verify.certificate.levels import levels_evidence
    from verify.methods.levelwise import prove_levelwise
    from verify.verdict import PROVED

    if prove_levelwise(ssm, dfa, chart).outcome != PROVED:
        return None
    return _certified(ssm, dfa, None, lambda: levels_evidence(ssm, chart))


def bound_of(ssm) -> dict[str, Any] | None:
    """The certificate that a model is at most star-free, where the audit says so; of so many states at most."""
    from verify.certificate.document import AT_MOST_STAR_FREE, CERTIFICATE_FORMAT, model_object
    from verify.impossible.upper_bound import STAR_FREE, upper_bound

    if upper_bound(ssm).verdict != STAR_FREE:
        return None
    head = {"format": CERTIFICATE_FORMAT, "claim": AT_MOST_STAR_FREE, "model": model_object(ssm)}
    return {**head, "evidence": {"bound": {"states": 20_000}}}
