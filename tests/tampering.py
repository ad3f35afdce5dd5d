"""Certificates that were tampered with: whatever the checker still verifies has to be true.

So many seeded changes of one of some dozen certificates (a number, a symbol, a count, a range, a part that is missing,
a wrong type, a key twice, numbers of a thousand digits, deep nesting, a file cut short); the checker then has to refuse
it, or the claim has to hold, as our provers or plain runs say.  No traceback, no run over a minute or a gigabyte::

    python -m tests.tampering [--count N] [--seed S]

Exit status: 0 when nothing false is verified and nothing goes wrong, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import numpy as np

if __name__ == "__main__":  # the modules of the tests import each other by name
    sys.path.insert(0, str(Path(__file__).resolve().parent))

SECONDS, BYTES = 60, 1 << 30
REFUSED, SAME, TRUE, UNKNOWN, FALSE = "refused", "the same claim", "another claim, and true", "not decided", "FALSE"

TESTED = "another claim, right on all strings tried"
"""Not known to be true: neither proved nor refuted by a search, and no string was found against it."""
BROKEN = "BROKEN"
NUMBERS = (0, 1, -1, 2, 3, 7, 63, 64, -(2**63), 2**62, -(2**62), 2**62 - 1, 10**30)
WRONG_TYPES = (None, True, False, "", "x", [], {}, [[]], [0], {"a": 0})


def originals() -> list[dict[str, Any]]:
    """Certificates of all claims and kinds of evidence."""
    from automata.catalogue import language
    from automata.machine import PREDICTIVE, RECOGNISE
    from constructions.build import build
    from constructions.compile.compiler import compile
    from tests.certificates import certified
    from tests.test_certificate import refuted_parity
    from verify.certificate.writer import at_most_star_free, not_star_free

    return [
        certified("flip-flop", PREDICTIVE),
        certified("tomita-2", RECOGNISE),
        certified("d-3", RECOGNISE),
        certified("dyck-2-2", PREDICTIVE),
        certified("dyck-2-2", RECOGNISE),
        certified("dyck-1", RECOGNISE),
        certified("anbn", PREDICTIVE),
        certified("anbn", RECOGNISE, "float16"),
        certified("tomita-2", PREDICTIVE, method="levels", route="holonomy"),
        refuted_parity(3),
        not_star_free(language("abab-star").dfa(), "(abab)*"),
        at_most_star_free(build(compile(language("tomita-2").machine, RECOGNISE)).weights),
    ]


# -- changes --------------------------------------------------------------------------------------------


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Every place of a value."""
    yield path
    if isinstance(value, dict):
        for key, found in value.items():
            yield from places(found, (*path, key))
    elif isinstance(value, list):
        for i, found in enumerate(value):
            yield from places(found, (*path, i))


def at(value: Any, path: tuple) -> Any:
    for key in path:
        value = value[key]
    return value


def tampered(found: dict[str, Any], rng: random.Random) -> tuple[str, str]:
    """(what was done, the text of the file)."""
    found = json.loads(json.dumps(found))
    every = [path for path in places(found) if path]
    numbers = [path for path in every if type(at(found, path)) is int]
    texts = [path for path in every if isinstance(at(found, path), str)]
    lists = [path for path in every if isinstance(at(found, path), list) and at(found, path)]
    weights = [path for path in numbers if path[0] == "model"]
    evidence = [path for path in numbers if path[0] == "evidence"] or numbers
    kind = rng.choice(
        ("weight",) * 5
        + ("evidence",) * 4
        + ("number", "text", "text", "swap", "swap", "drop", "add", "type", "type")
        + ("digits", "cut", "twice", "deep", "key", "head", "fraction")
    )
    text = None
    if kind in ("weight", "evidence", "number"):
        path = rng.choice({"weight": weights or numbers, "evidence": evidence, "number": numbers}[kind])
        old = at(found, path)
        new = rng.choice((old + 1, old - 1, -old, 2 * old, *NUMBERS))
        at(found, path[:-1])[path[-1]] = new
    elif kind == "text":
        path, new = rng.choice(texts), rng.choice([at(found, path) for path in texts] + ["<eos>", "\ud800", "", "é"])
        at(found, path[:-1])[path[-1]] = new
    elif kind == "swap":
        path = rng.choice(lists)
        row = at(found, path)
        i, j = rng.randrange(len(row)), rng.randrange(len(row))
        row[i], row[j] = row[j], row[i]
    elif kind in ("drop", "add"):
        path = rng.choice(lists if kind == "add" else every)
        row = at(found, path if kind == "add" else path[:-1])
        if kind == "drop":
            del row[path[-1]]
        else:
            row.insert(rng.randrange(len(row) + 1), row[rng.randrange(len(row))])
    elif kind == "type":
        path = rng.choice(every)
        at(found, path[:-1])[path[-1]] = rng.choice(WRONG_TYPES)
    elif kind == "key":
        path = rng.choice([path for path in every if isinstance(at(found, path[:-1]), dict)])
        row = at(found, path[:-1])
        row[rng.choice((path[-1] + "s", "note", "dead"))] = row.pop(path[-1])
    elif kind == "head":
        key = rng.choice([key for key in ("claim", "mode", "horizon", "format") if key in found])
        values = (
            "computes",
            "is wrong about",
            "not star-free",
            "at most star-free",
            "predictive",
            "recognise",
            None,
            0,
            5,
        )
        found[key], path = rng.choice(values), (key,)
    else:
        path = rng.choice(numbers)
        at(found, path[:-1])[path[-1]] = "HERE"
        new = {"digits": "9" * rng.choice((400, 1000, 100_000)), "deep": "[" * 100_000 + "]" * 100_000}
        whole = json.dumps(found)
        text = whole.replace('"HERE"', new.get(kind, rng.choice(("1.5", "1e2", "NaN", "Infinity", "-0", "01"))))
        if kind == "cut":
            text = whole[: rng.randrange(len(whole))]
        if kind == "twice":
            text = json.dumps(found).replace('"HERE"', "0")
            text = text[0] + f'"{rng.choice(list(found))}": {json.dumps(rng.choice(list(found.values())))}, ' + text[1:]
    return f"{kind} at {'.'.join(map(str, path))[:60]}", json.dumps(found) if text is None else text


# -- the checker ------------------------------------------------------------------------------------------


def answer(text: str) -> tuple[int, str, float, int]:
    """The checker's exit status, what it printed, its CPU seconds, and the most memory of any run so far."""
    from tests.certificates import CHECKER

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        shutil.copy(CHECKER, folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "checker.py", "c.json"],
            cwd=folder,
            capture_output=True,
            # The system ends it then, by a signal; what else the machine does counts for nothing.
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"), seconds, after.ru_maxrss * 1024


# -- the truth --------------------------------------------------------------------------------------------


def claimed(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "evidence"}


def truth(found: dict[str, Any], original: dict[str, Any]) -> str:
    """Whether a verified claim holds, by what does not come from its evidence."""
    if claimed(found) == claimed(original):
        return SAME
    claim = found["claim"]
    if claim == "not star-free":
        from automata.algebra.holonomy import Skeleton

        return FALSE if Skeleton.of(machine_of(found["language"]).minimise()).aperiodic else TRUE
    weights = weights_of(found["model"])
    if claim == "at most star-free":
        from verify.impossible.upper_bound import STAR_FREE, upper_bound

        return TRUE if upper_bound(weights).verdict == STAR_FREE else UNKNOWN
    machine = machine_of(found["language"])
    if claim == "is wrong about":
        word = [symbol for part, times in found["evidence"]["word"]["parts"] for symbol in part * min(times, 10**5)]
        return TRUE if wrong_on(machine, weights, [word]) is not None else FALSE
    return computes(machine, weights, found["horizon"], original)


def computes(machine, weights, horizon: int | None, original: dict[str, Any]) -> str:
    """By a search; where that does not close, by many strings, which is evidence and no proof."""
    from float_faults import short_words

    from automata.errors import InputError
    from constructions.ssm.engine import Engine
    from verify.claim import Claim
    from verify.evidence.sampling import random_words
    from verify.methods.bisimulation import Stepwise
    from verify.proving import prove_claim
    from verify.verdict import PROVED, REFUTED

    try:
        verdict = prove_claim(Claim(machine, weights.mode, Engine(weights), weights, limit=20_000), "search")
    except InputError:  # a number leaves the engine's range; the definition has none
        model = Stepwise(weights, weights.mode)
        verdict = prove_claim(Claim(machine, weights.mode, model, weights, limit=2_000), "search")
    if verdict.outcome == REFUTED and (horizon is None or len(verdict.witness.word) <= horizon):
        return FALSE
    if verdict.outcome == PROVED and (verdict.horizon is None or (horizon is not None and horizon <= verdict.horizon)):
        return TRUE
    words = [*short_words(machine.alphabet), *random_words(machine, 3000, 60, np.random.default_rng(0))]
    words = [word[:horizon] for word in words]
    return FALSE if wrong_on(machine, weights, words) is not None else TESTED


def wrong_on(machine, weights, words: list) -> tuple[str, ...] | None:
    """One of the words, as far as it is asked, on which the model is wrong.

    Run by the engine; where a number leaves its range, by the definition, which has none.
    """
    from automata.errors import InputError
    from constructions.ssm.engine import Engine
    from verify.evidence.sampling import check_words
    from verify.methods.bisimulation import Stepwise

    words = asked_of(machine, weights.mode, words)
    try:
        found = check_words(machine, Engine(weights), words, weights.mode).witness
    except InputError:
        found = check_words(machine, Stepwise(weights, weights.mode), words, weights.mode).witness
    return None if found is None else found.word


def asked_of(machine, mode: str, words: list) -> list:
    """The words, in predictive mode as far as they are prefixes of words: nothing is claimed of others."""
    from automata.machine import RECOGNISE

    if mode == RECOGNISE:
        return words
    kept = []
    for word in words:
        state, length = machine.initial, 0
        while length < len(word) and word[length] in machine.legal(state):
            state, length = machine.step(state, word[length]), length + 1
        kept.append(tuple(word[:length]))
    return kept


def written(items: list[Any]) -> str:
    """An expression whose operators come after their operands, in brackets."""
    stack: list[str] = []
    for item in items:
        if isinstance(item, list):
            names = [re.sub(r"([\\'])", r"\\\1", name) for name in item]
            stack.append("(%s)" % "|".join(f"'{name}'" for name in names) if names else "[]")
        elif isinstance(item, dict):
            most = "" if item["most"] is None else item["most"]
            stack.append(f"({stack.pop()}{{{item['least']},{most}}})")
        elif item == "()":
            stack.append("()")
        elif item == "~":
            stack.append(f"(~{stack.pop()})")
        else:
            last = stack.pop()
            stack.append(f"({stack.pop()}{item.strip('.')}{last})")
    return stack.pop()


def machine_of(found: dict[str, Any]):
    from automata.catalogue import language
    from automata.dfa import DFA
    from automata.machines.bounded_dyck import DyckMachine
    from automata.notation.expressions import regex_to_dfa

    if "dyck" in found:
        return DyckMachine(*found["dyck"])
    if "name" in found:
        return language(found["name"]).machine
    automaton = found["dfa"]
    if "regex" in found:
        return regex_to_dfa(written(found["regex"]), automaton["symbols"])
    return DFA(automaton["symbols"], automaton["table"], automaton["accepting"], automaton["start"])


def weights_of(found: dict[str, Any]):
    """The model of a certificate, as weights."""
    from constructions.ssm.arithmetic import Arithmetic
    from constructions.ssm.layers import Affine, Layer, Mix
    from constructions.ssm.weights import SSM

    def affine(part: dict[str, Any], inputs: int) -> Affine:
        matrix = np.zeros((len(part["rows"]), inputs), dtype=np.int64)
        for row, numbers in zip(matrix, part["rows"]):
            row[numbers[::2]] = numbers[1::2]
        return Affine(matrix, np.array(part["bias"], dtype=np.int64), part["exponent"])

    rows = np.array(found["embedding"]["rows"], dtype=np.int64).reshape(len(found["symbols"]) + 1, -1)
    features, layers = rows.shape[1], []
    for layer in found["layers"]:
        width = len(layer["initial"]["values"])
        mixes, before = [], width
        for mix in layer["phi"]:
            mixes.append(Mix(affine(mix["affine"], before + features), mix["activation"], mix["low"], mix["high"]))
            before = len(mix["affine"]["bias"])
        layers.append(
            Layer(
                affine(layer["gate"], features),
                affine(layer["increment"], features),
                np.array(layer["initial"]["values"], dtype=np.int64),
                tuple(mixes),
                layer["initial"]["exponent"],
            )
        )
        features = before
    return SSM(
        tuple(found["symbols"]),
        tuple(found["outputs"]),
        rows,
        tuple(layers),
        affine(found["readout"], features),
        Arithmetic.parse(found["arithmetic"]),
        found["embedding"]["exponent"],
    )


def judged(what: str, text: str, original: dict[str, Any]) -> tuple[str, str, float, int]:
    """(what became of it, what the checker printed, seconds, memory)."""
    status, printed, seconds, most = answer(text)
    if status not in (0, 1, 2) or "Traceback" in printed or seconds >= SECONDS or most > BYTES:
        return BROKEN, printed[-300:], seconds, most
    if status != 0:
        return REFUSED, printed, seconds, most
    return truth(json.loads(text), original), printed, seconds, most


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tampering", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="changes (default 500)")
    parser.add_argument("--seed", type=int, default=0, help="of the changes (default 0)")
    options = parser.parse_args()
    rng, known = random.Random(options.seed), originals()
    counts: Counter[str] = Counter()
    slowest, largest = 0.0, 0
    for number in range(options.count):
        original = known[number % len(known)]
        what, text = tampered(original, rng)
        outcome, printed, seconds, most = judged(what, text, original)
        counts[outcome] += 1
        slowest, largest = max(slowest, seconds), max(largest, most)
        if outcome != REFUSED:
            print(f"{outcome:24} {list(original['evidence'])[0]:9} {what}", flush=True)
        if outcome in (BROKEN, FALSE, UNKNOWN):
            print(f"    {printed.strip()[:300]}", flush=True)
    print("; ".join(f"{outcome}: {count}" for outcome, count in sorted(counts.items())))
    print(f"slowest {slowest:.1f} s, most memory {largest >> 20} MiB")
    return 1 if counts[BROKEN] or counts[FALSE] or counts[UNKNOWN] else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
