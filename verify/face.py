"""The public face: what people import.  ``from verify import language, regex, ltl, read, compile, build, load, prove,
test, ...``

A language is named, compiled to registers, built as weights for a target, and proved, tested, refuted or traced::

    word = language("dyck-2-5")
    model = build(compile(word))
    prove(word, model)

Whatever takes a model takes a :class:`~constructions.build.Build`, the weights alone, a folder of a saved SSM, a
running model, or any machine with ``alphabet``, ``initial``, ``step`` and ``legal`` or ``accepts``: a cell of one's own
is proved by ``prove(word, my_machine)``.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, Sequence

from automata.catalogue import Language
from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE, Machine
from automata.saved_language import has_language, of_automaton, of_ltl, of_regex, saved_language
from constructions.build import Build
from constructions.compile.compiler import AUTO, Construction
from constructions.compile.compiler import compile as compile_machine
from constructions.compile.smaller import Limits
from constructions.ssm.engine import Engine
from constructions.target import Target, owner
from verify.claim import JOINT_STATE_LIMIT, Claim
from verify.evidence.sampling import check_random
from verify.evidence.strings_file import parse_word
from verify.impossible.refuter import refute as refute_weights
from verify.methods.bisimulation import Stepwise
from verify.progress import Progress
from verify.proving import prove_claim
from verify.show.tracing import Trace
from verify.verdict import Verdict


def regex(expression: str, alphabet: Iterable[str] | None = None) -> Language:
    """The language of a regular expression (its notation: :mod:`automata.notation.expressions`).

    Raises:
        InputError: with the column that is wrong.

    >>> regex("(ab)*").star_free, regex("(aa)*").star_free
    (True, False)
    """
    return of_regex(expression, None if alphabet is None else tuple(alphabet))


def ltl(formula: str, alphabet: Iterable[str] | None = None) -> Language:
    """The language of a formula of linear temporal logic over finite words, of the past or of the future.

    Raises:
        InputError: with the column that is wrong.

    >>> ltl("H(a -> Y b)", "ab").dfa().states
    3
    """
    return of_ltl(formula, None if alphabet is None else tuple(alphabet))


def read(path: str | Path, alphabet: Iterable[str] | None = None) -> Language:
    """The language of an automaton in a file: .att, .json, .dot, .gv or .jff.

    Raises:
        InputError: naming the file and the line, column, state or symbol at fault.
    """
    from automata.formats import read_dfa

    return of_automaton(str(path), read_dfa(path, alphabet))


def compile(  # noqa: A001 - the word of the field
    word: Language | Machine,
    mode: str = PREDICTIVE,
    route: str = AUTO,
    *,
    target: str | Target = "ssm",
    dtype: str = "float32",
    limits: Limits = Limits(),
) -> Construction:
    """The cascade of a language: see :func:`constructions.compile.compiler.compile`.

    >>> from automata.catalogue import language
    >>> compile(language("tomita-4")).route
    'quotient'
    """
    return compile_machine(machine_of(word), mode, route, target=target, dtype=dtype, limits=limits)


def load(folder: str | Path) -> Build:
    """A saved model, with its ``language`` where the folder says it; a checkpoint is refused, naming the command that
    checks it.

    Raises:
        InputError: when the folder is none, or something in it is not as it should be.
    """
    target = owner(folder)
    weights = target.load(folder)
    return Build(target, weights, language=saved_language(folder)[0] if has_language(folder) else None)


def prove(
    word: Language | Machine,
    model: Any,
    mode: str | None = None,
    method: str = AUTO,
    *,
    limit: int = JOINT_STATE_LIMIT,
    progress: bool = False,
) -> Verdict:
    """Proves, or refutes with a shortest string, that a model is right about a language on every string.

    Args:
        word: the language, or a machine that defines it.
        model: see the head of this module.
        mode: "predictive" or "recognise"; by default what the model answers.
        method: "search", "relation", "induction", "levels", "caches", "drift", or the cheapest that covers the model.
        limit: joint states after which a search gives up.
        progress: whether to show a line of progress.

    >>> from automata.catalogue import language
    >>> from constructions.build import build
    >>> word = language("dyck-2-5")
    >>> verdict = prove(word, build(compile(word)))
    >>> verdict.outcome, verdict.method, verdict.explored["joint states"]
    ('proved', 'search', 192)
    """
    with running(model, mode) as (run, weights, construction):
        claim = Claim(machine_of(word), mode or mode_of(run), run, weights, construction, limit)
        with Progress("steps", quiet=not progress, phase="proof") as line:
            return prove_claim(claim, method, line)


def test(
    word: Language | Machine,
    model: Any,
    mode: str | None = None,
    *,
    strings: int = 1000,
    max_length: int = 500,
    seed: int = 0,
) -> Verdict:
    """Runs a model on random strings: evidence, never a proof.

    >>> from automata.catalogue import language
    >>> test(language("tomita-1"), language("tomita-1").dfa(), strings=30).outcome
    'tested'
    """
    machine = machine_of(word)
    with running(model, mode) as (run, _, _):
        tested = getattr(run, "by_full_forward", run)
        return check_random(machine, tested, strings, max_length, mode or mode_of(run), seed=seed)


setattr(test, "__test__", False)  # noqa: B010 - it is no test of this project, whatever its name


def refute(word: Language, model: Any) -> Verdict:
    """Looks for strings on which a saved or built SSM must be wrong; of a language that is not star-free there are
    always two.

    Raises:
        InputError: for a model that is not the paper's SSM.
    """
    with running(model, None) as (run, _, _):
        if not isinstance(run, Engine):
            raise InputError("refute speaks about the paper's SSM: prove looks for a wrong string of any model")
        return refute_weights(run, word.dfa() if isinstance(word, Language) else machine_of(word)).verdict


def certify(
    word: Language | Machine | Any,
    model: Any = None,
    path: str | Path | None = None,
    mode: str | None = None,
    method: str = AUTO,
    *,
    limit: int = JOINT_STATE_LIMIT,
) -> Any:
    """Proves or refutes a model, and gives the certificate of it (``docs/certificates.md``), which ``check FILE``
    checks again.

    Args:
        word: the language, or a machine that defines it; or the weights of a Mamba alone, for their certificate of
            exactness.
        model: the paper's SSM, built or saved.
        path: of the file that is written, if any; compressed where it ends in ``.gz``.
        mode, method, limit: as for :func:`prove`.

    Raises:
        NoCertificate: saying why there is none, for instance since the verdict is undecided.

    >>> from automata.catalogue import language
    >>> from constructions.build import build
    >>> word = language("dyck-2-5")
    >>> list(certify(word, build(compile(word)))["evidence"])
    ['relation']
    """
    if model is None:
        from constructions.mamba.certificate import certify as certify_mamba

        weights: Any = word  # of a Mamba, as the docstring says
        return certify_mamba(weights)
    from verify.certificate.document import write_certificate
    from verify.certificate.writer import certificate

    with running(model, mode) as (run, weights, construction):
        claim = Claim(machine_of(word), mode or mode_of(run), run, weights, construction, limit)
        found = certificate(claim, prove_claim(claim, method))
    if path is not None:
        write_certificate(found, path)
    return found


def trace(model: Any, word: str | Sequence[str]) -> Trace:
    """A run of the paper's SSM, step by step, by name; tokens of a string are separated by blanks, or single
    characters.

    >>> from automata.catalogue import language
    >>> from constructions.build import build
    >>> trace(build(compile(language("flip-flop"))), "w1").rows[-1][-1]
    'i r w end'
    """
    with running(model, None) as (run, weights, construction):
        if not isinstance(run, Engine):
            raise InputError("trace speaks about the paper's SSM")

        def parse(token: str) -> str:
            if token not in weights.symbol_index:
                raise InputError(f"{token!r} is not one of the symbols {' '.join(weights.alphabet)}")
            return token

        # A bracket may be written short where the machine that the model was made for knows how.
        parse = getattr(construction and construction.machine, "parse_symbol", parse)
        symbols = parse_word(word, parse, characters=True) if isinstance(word, str) else tuple(word)
        return Trace.of(weights, symbols, construction)


# -- what a model is -----------------------------------------------------------------------------------


def machine_of(word: Language | Machine) -> Machine:
    """What defines the language."""
    return word.machine if isinstance(word, Language) else word


def mode_of(model: Any) -> str:
    """The question that a running model answers."""
    from automata.machine import ACCEPT, RECOGNISE

    return RECOGNISE if tuple(model.outputs) == (ACCEPT,) else PREDICTIVE


@contextmanager
def running(model: Any, mode: str | None) -> Iterator[tuple[Any, Any, Construction | None]]:
    """The model as it runs in batches, its weights, and what they were lowered from, where these are known.

    Raises:
        InputError: when it is nothing that can be run.
    """
    if isinstance(model, (str, Path)):
        target = owner(model)
        model = Build(target, target.load(model))  # what its folder says of a language is not asked for
    if isinstance(model, Build):
        with model.running() as run:
            yield run, model.weights, model.construction
        return
    from constructions.ssm.weights import SSM

    if isinstance(model, SSM):
        model = Engine(model)
    if isinstance(model, Engine):
        yield model, model.ssm, None
    elif hasattr(model, "begin") and hasattr(model, "advance"):
        yield model, None, None
    elif hasattr(model, "step") and hasattr(model, "initial"):
        if mode not in (None, *MODES):
            raise InputError(f"mode {mode!r} is not one of {', '.join(MODES)}")
        yield Stepwise(model, mode or (PREDICTIVE if hasattr(model, "legal") else "recognise")), None, None
    else:
        raise InputError(
            f"a {type(model).__name__} is no model: it has neither begin and advance, nor initial and step"
        )
