"""The cases: a command, the files that it finds, and what is known of the answer, all from a seed and a number."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Callable

from .wild import INTEGERS, NUMBERS, TEXTS, mutated_bytes, mutated_json, mutated_text, text

QUICK = ["--strings", "3", "--max-length", "8"]
REGEXES = ("(ab)*", "a*b*", "~(.*bb.*)", "(a|b)*abb", "a(b|())a", ".*a.*", "(aa)*", "[ab]a{2}", "a+b?", "ab&~(b)")
FORMULAS = ("H(a -> Y b)", "O a", "a S b", "Y Y a", "!O(a & Y a)", "H a", "true", "a | Y(b)")
NAMES = (
    "d-2",
    "d-12",
    "tomita-1",
    "tomita-3",
    "tomita-7",
    "parity",
    "dyck-2-2",
    "flip-flop",
    "{a,b}*d{b,c}*",
    "dyck-1",
    "shuffle-2",
)
COUNTERS = ("dyck-1", "shuffle-2", "boolean-2", "anbn", "anbncn")
ARITHMETIC = ("exact", "fixed:1", "fixed:4", "float16", "float32", "float64", "wrap:4")


@dataclass
class Case:
    """One call of the command line.

    Attributes:
        kind: what is malformed.
        arguments: of the command, run in a folder with the files.
        files: name -> content; None for a folder, a string for what a symbolic link names.
        check: given status and standard output in that folder, says what is wrong with the answer, or gives None.
    """

    kind: str
    arguments: list[str]
    files: dict[str, bytes | str | None] = field(default_factory=dict)
    check: Callable[[int, str], str | None] | None = None


def case(seed: int, number: int) -> Case:
    """The case of this number; every kind comes again after so many numbers."""
    random = Random(f"{seed}:{number}")
    kinds = [kind for kind, weight in KINDS.items() for _ in range(weight)]
    kind = kinds[number % len(kinds)]
    found = kind(random)
    found.kind = kind.__name__.strip("_")
    found.arguments = _modest(found.arguments)
    return found


def _modest(arguments: list[str]) -> list[str]:
    """The arguments with fewer strings and models where there are more than thousands: whoever asks for 10^12 of them
    waits.
    """
    shown = list(arguments)
    for i, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if re.fullmatch("--(st|ma|mod)[a-z-]*", option):
            place, value = (i, value) if equals else (i + 1, arguments[i + 1] if i + 1 < len(arguments) else "")
            if re.fullmatch("[0-9]{5,60}", value):
                shown[place] = f"{option}=7" if equals else "7"
    return shown


# -- commands that are right --------------------------------------------------------------------------


def _command(random: Random) -> Case:
    """A small command with nothing wrong about it."""
    pick = random.choice
    mode = ["--mode", pick(["predictive", "recognise"])]
    name = pick("dyck flipflop counter starfree describe parity refute census trace export".split())
    if name == "dyck":
        return Case("", ["dyck", "--k", pick("123"), "--depth", pick("0123"), *mode, *QUICK])
    if name == "flipflop":
        return Case("", ["flipflop", *QUICK])
    if name == "counter":
        return Case("", ["counter", pick(COUNTERS[:1] + ("anbn",)), "--arithmetic", "float16", *QUICK])
    if name in ("starfree", "describe"):
        source = pick(
            [
                ["--regex", pick(REGEXES)],
                ["--ltl", pick(FORMULAS), "--alphabet", "ab"],
                ["--language", pick(NAMES[:7])],
                ["--file", "a.att"],
            ]
        )
        return Case("", [name, *source, *(QUICK if name == "starfree" else [])], {"a.att": automata()["a.att"]})
    if name == "parity":
        return Case("", ["parity", "--models", "1", "--arithmetic", pick(["fixed:4", "exact"])])
    if name == "refute":
        return Case("", ["refute", "--weights", "model", "--regex", "(ab)*"], dict(model()))
    if name == "census":
        return Case("", ["census", "--letters", pick("12"), "--states", pick("12"), "--workers", "1"])
    if name == "trace":
        return Case(
            "",
            [
                "trace",
                *pick(
                    [
                        ["dyck", "--k", "2", "--depth", "3", "( [ ] )"],
                        ["flipflop", "w1r1"],
                        ["starfree", "--regex", "(ab)*", "ab"],
                    ]
                ),
            ],
        )
    return Case("", ["export", "d-2", "--to", "out", *QUICK])


# -- what is malformed about them ---------------------------------------------------------------------


def _options(random: Random) -> Case:
    """Options that are missing, repeated, misspelt, of another command, or have wild values."""
    found = _command(random)
    arguments = found.arguments
    for _ in range(random.choice([1, 1, 2, 3])):
        place = random.randrange(len(arguments)) if arguments else 0
        options = [i for i, token in enumerate(arguments) if token.startswith("--")]
        what = random.randrange(9)
        if what == 0 and arguments:
            del arguments[place]
        elif what == 1 and options:
            i = random.choice(options)
            arguments += arguments[i : i + 2]
        elif what == 2 and options:
            i = random.choice(options)
            arguments[i] = mutated_text(random, arguments[i], 1)
        elif what == 3:
            option = random.choice(
                (
                    "--k --depth --strings --max-length --seed --limit --states "
                    "--image-sets --monoid --models --workers --letters"
                ).split()
            )
            arguments += [option, random.choice(NUMBERS)]
        elif what == 4:
            option = random.choice(
                "--arithmetic --mode --target --dtype --route --proof --draw-what --alphabet --language --bins".split()
            )
            arguments += [option, random.choice([*TEXTS, *NUMBERS, *ARITHMETIC])]
        elif what == 5 and options:
            i = random.choice(options)
            arguments[i : i + 2] = ["=".join(arguments[i : i + 2])]
        elif what == 6:
            arguments.insert(place, random.choice(TEXTS))
        elif what == 7 and arguments:
            arguments[place] = random.choice([*NUMBERS, *TEXTS])
        elif arguments:
            arguments[0] = mutated_text(random, arguments[0], 1)
    found.arguments = [argument.replace("\0", "") for argument in arguments]
    return found


def _regex(random: Random) -> Case:
    """Expressions: random characters, and mutations of right ones."""
    expression = (
        mutated_text(random, random.choice(REGEXES))
        if random.random() < 0.5
        else text(random, "ab|*+?()[]{}~&.,^-\\<>123 ", 14)
    )
    command = random.choice(
        [["starfree", *QUICK], ["describe"], ["export", "--to", "out", *QUICK], ["trace", "starfree", "ab"]]
    )
    alphabet = random.choice(
        [[], [], ["--alphabet", random.choice(["ab", "a b", "", " ", "aa", "a a", "abc", "🙂é", *TEXTS])]]
    )
    return Case("", [*command, f"--regex={expression}", *[part for part in alphabet]])


def _regex_that_is_right(random: Random) -> Case:
    """An expression that Python's own reads too: the words of a file are counted by both."""

    def make(depth: int) -> str:
        kind = random.randrange(6 if depth else 1)
        if kind == 0:
            return random.choice("ab")
        if kind == 1:
            return f"({make(depth - 1)})*"
        if kind == 2:
            return f"({make(depth - 1)}|{make(depth - 1)})"
        if kind == 3:
            return f"({make(depth - 1)})?"
        return make(depth - 1) + make(depth - 1)

    expression = make(3)
    words = ["".join(word) for n in range(1, 5) for word in product("ab", repeat=n)]
    foreign = sum(re.fullmatch(expression, word) is None for word in words)

    def check(status: int, out: str) -> str | None:
        if status == 1:
            return None if "permutes states" in out else "refuted, and not for a group"
        if status != 0:
            return "a right expression is refused"
        given = re.search(r"not in the language +(\d+)", out)
        return None if given and int(given[1]) == foreign else f"{foreign} of the words are not in the language"

    arguments = [
        "starfree",
        "--regex",
        expression,
        "--alphabet",
        "ab",
        "--mode",
        "recognise",
        "--strings-file",
        "words",
        *QUICK,
    ]
    return Case("", arguments, {"words": "".join(f"{word} END\n" for word in words).encode()}, check)


def _formula(random: Random) -> Case:
    """Formulas of past temporal logic."""
    formula = (
        mutated_text(random, random.choice(FORMULAS))
        if random.random() < 0.6
        else text(random, "abYHOS!&|->() true", 14)
    )
    command = random.choice([["starfree", *QUICK], ["describe"], ["trace", "starfree", "ab"]])
    return Case("", [*command, f"--ltl={formula}", "--alphabet", random.choice(["ab", "a b c", "", "Y a", "aa"])])


def _name(random: Random) -> Case:
    """Names of languages."""
    name = mutated_text(random, random.choice([*NAMES, *COUNTERS]), 2)
    command = random.choice(
        [
            ["starfree", *QUICK, "--language"],
            ["describe", "--language"],
            ["counter", "--arithmetic", "float16", *QUICK],
            ["export", "--to", "out", *QUICK],
        ]
    )
    return Case("", [*command, name])


def _arithmetic(random: Random) -> Case:
    """Arithmetics that there are, or nearly."""
    name = random.choice(ARITHMETIC) if random.random() < 0.5 else mutated_text(random, random.choice(ARITHMETIC), 1)
    command = random.choice(
        [["dyck", "--k", "2", "--depth", "2"], ["flipflop"], ["counter", "anbn"], ["starfree", "--regex", "(ab)*"]]
    )
    mode = ["--mode", random.choice(["predictive", "recognise"])]
    return Case(
        "", [*command, *mode, f"--arithmetic={name}", "--strings", "2", "--max-length", random.choice(["3", "5000"])]
    )


def _automaton(random: Random) -> Case:
    """Automata in files of each format, damaged."""
    name = random.choice(list(automata()))
    content = automata()[name] if random.random() < 0.05 else mutated_bytes(random, automata()[name])
    if name.endswith(".json") and random.random() < 0.6:
        content = json.dumps(mutated_json(random, json.loads(automata()[name]))).encode("utf-8", "surrogatepass")
    other = random.choice([name, name, name, "x" + Path(random.choice(list(automata()))).suffix])
    command = random.choice([["describe"], ["starfree", *QUICK], ["starfree", "--save", "out", *QUICK]])
    alphabet = random.choice([[], [], [], ["--alphabet", random.choice(["ab", "ba", "a", "abc", ""])]])
    return Case("", [*command, "--file", other, *alphabet], {other: content})


def _strings(random: Random) -> Case:
    """Files of strings, damaged, of several languages."""
    command, content = random.choice(
        [
            (["dyck", "--k", "2", "--depth", "3"], "( [ ] )\n(a (b b) a) END\n\nEND\n"),
            (["flipflop"], "w1r1\nw 1 i 0 r 1 END\n"),
            (["starfree", "--regex", "(ab)*"], "abab\nab END\na b a\n"),
            (["counter", "anbn", "--arithmetic", "float16"], "aabb END\na b\n"),
        ]
    )
    data = mutated_bytes(random, content.encode())
    return Case("", [*command, *QUICK, "--strings-file", "strings"], {"strings": data})


def _trace(random: Random) -> Case:
    """Strings given as an argument."""
    command, content = random.choice(
        [
            (["dyck", "--k", "2", "--depth", "3"], "( [ ] )"),
            (["flipflop"], "w1r1"),
            (["starfree", "--regex", "(ab)*"], "abab"),
        ]
    )
    return Case("", ["trace", *command, "--", mutated_text(random, content)])


def _published(random: Random) -> Case:
    """Published strings with their labels, damaged."""
    name, strings, labels = random.choice(
        [("Dyck1", b"()\n(())\n()()\n", b"10\n1110\n1010\n"), ("anbn", b"aabb\nab\n", b"aabT\naT\n")]
    )
    files = {f"data/{name}/val_src_bin0.txt": strings, f"data/{name}/val_tgt_bin0.txt": labels}
    damaged = random.choice(list(files))
    files[damaged] = mutated_bytes(random, files[damaged])
    language = {"Dyck1": "dyck-1", "anbn": "anbn"}[name]
    return Case("", ["counter", language, "--arithmetic", "float16", *QUICK, "--released", "data"], dict(files))


def _path(random: Random) -> Case:
    """Paths that are folders, devices, missing, too long, no text, or in one another's way."""
    places = [
        "", ".", "..", "/", "folder", "folder/", "missing/x", "file/x", "file", "loop", "/dev/null", "/dev/zero",
        "/dev/full", "/proc/none/x", "x" * 300, "é", "a b",
        "\udcff", "model", "model/model.json", "model/new", "out", "out/x", "x.svg", "x.png", "x.pdf", "x.txt",
        "x.svg/y", "a.att", "strings", "dangling", "~", "-", "*", "\n",
    ]  # fmt: skip
    found = random.choice(
        [
            Case("", ["dyck", "--k", "1", "--depth", "2", *QUICK]),
            Case("", ["starfree", "--file", "a.att", *QUICK]),
            Case("", ["refute", "--weights", "model", "--regex", "(ab)*"]),
            Case("", ["describe", "--file", "a.att"]),
            Case("", ["census", "--states", "1"]),
            Case("", ["parity", "--models", "1"]),
            Case("", ["export", "d-2", "--to", "out", *QUICK]),
        ]
    )
    options = {
        "dyck": "json save strings-file",
        "starfree": "json save draw file strings-file",
        "refute": "json weights file",
        "describe": "json draw file",
    }
    options.update(census="json out", parity="json plot", export="json to")
    for option in random.sample(options[found.arguments[0]].split(), random.choice([1, 1, 2])):
        found.arguments += [f"--{option}={random.choice(places)}"]
    found.files = {
        "folder": None,
        "file": b"text",
        "loop": "loop",
        "dangling": "nowhere",
        "strings": b"ab\n",
        "a.att": automata()["a.att"],
        **model(),
    }
    return found


def _model(random: Random) -> Case:
    """Saved models: the description or the arrays damaged.  What is said of one that loads is compared with all short
    words.
    """
    files = dict(model())
    description, weights = files["model/model.json"], files["model/weights.safetensors"]
    what = random.randrange(5)
    if what == 0:
        files["model/model.json"] = mutated_bytes(random, description)
    elif what == 1:
        files["model/model.json"] = json.dumps(mutated_json(random, json.loads(description))).encode(
            "utf-8", "surrogatepass"
        )
    elif what == 2:
        files["model/weights.safetensors"] = mutated_bytes(random, weights)
    elif what == 3:
        files["model/weights.safetensors"] = _edited(random, weights)
    elif random.random() < 0.5:
        del files[random.choice(["model/model.json", "model/weights.safetensors"])]
    unchanged = files == model()

    def check(status: int, out: str) -> str | None:
        if unchanged:
            return None if status in (0, 3) else "the model is right, and not taken for it"
        if status != 0:
            return None
        wrong = _wrong_word("model", "(ab)*")
        return None if wrong is None else f"the model is wrong on {wrong!r}, and was not refuted"

    return Case("", ["refute", "--weights", "model", "--regex", "(ab)*", "--quiet"], files, check)


def _saved_language(random: Random) -> Case:
    """The language of a saved model damaged: what is proved is true of the language that the file says, if it says
    one.
    """
    sources = (
        {"name": "d-1"},
        {"regex": "(ab)*", "alphabet": ["a", "b"]},
        {"ltl": "G(a -> F b)", "alphabet": ["a", "b"]},
        {"automaton": json.loads(automata()["a.json"])},
    )
    entries = {"format": 1, "mode": "predictive", **random.choice(sources)}
    right = "name" in entries or "regex" in entries
    found = json.dumps(entries).encode()
    unchanged = found
    if random.random() < 0.5:
        found = json.dumps(mutated_json(random, entries)).encode("utf-8", "surrogatepass")
    elif random.random() < 0.8:
        found = mutated_bytes(random, found)

    def check(status: int, out: str) -> str | None:
        if found != unchanged:
            return None
        return None if (status == 0) == right else "the model is of (ab)*, and taken for another one, or not for this"

    return Case("", ["check", "model", "--strings", "3", "--quiet"], {**model(), "model/language.json": found}, check)


def _edited(random: Random, weights: bytes) -> bytes:
    """The arrays with some numbers exchanged, or one array of another type or shape, missing or too much."""
    import numpy as np
    from safetensors.numpy import load, save

    arrays = load(weights)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        name = random.choice(sorted(arrays))
        array = arrays[name]
        what = random.randrange(8)
        if what < 4 and array.size and array.dtype == np.int64:
            array = array.copy()
            array.flat[random.randrange(array.size)] = random.choice(INTEGERS)
            arrays[name] = array
        elif what == 4:
            arrays[name] = array.astype(random.choice([np.float32, np.int32, np.uint64, np.bool_, np.float16]))
        elif what == 5:
            arrays[name] = array.reshape(-1)[: random.randrange(array.size + 1)] if array.size else array.reshape(-1, 1)
        elif what == 6 and len(arrays) > 1:
            del arrays[name]
        else:
            arrays[random.choice([*TEXTS[:20], name + "x"]).encode("utf-8", "replace").decode()] = array
    return save(arrays)


def _wrong_word(folder: str, expression: str) -> str | None:
    """A word of up to five symbols on which the saved model differs from Python's own expressions; predictive models
    only.
    """
    from automata.machine import BOS
    from automata.notation.expressions import regex_to_dfa
    from constructions.ssm import reference
    from constructions.ssm.storage import load

    ssm, dfa = load(folder), regex_to_dfa(expression)
    todo = [((), reference.step(ssm, reference.start(ssm), BOS), dfa.initial)]
    for word, state, true in todo:
        if state.outputs != dfa.legal(true):
            return " ".join(word)
        for symbol in sorted(dfa.legal(true) & set(ssm.alphabet)) if len(word) < 5 else ():
            todo.append(((*word, symbol), reference.step(ssm, state, symbol), dfa.step(true, symbol)))
    return None


def _checkpoint(random: Random) -> Case:
    """Mamba checkpoints: configuration, vocabulary or weights damaged."""
    files = dict(checkpoint())
    name = random.choice(list(files))
    if name.endswith(".json") and random.random() < 0.6:
        files[name] = json.dumps(mutated_json(random, json.loads(files[name]))).encode("utf-8", "surrogatepass")
    elif random.random() < 0.1:
        del files[name]
    else:
        files[name] = mutated_bytes(random, files[name])
    arguments = [
        "checkpoint",
        "stock",
        "--language",
        "d-2",
        "--strings",
        "3",
        "--bins",
        random.choice(["5", "3,8", *NUMBERS[:12], "5,3"]),
        "--limit",
        "200",
    ]
    return Case("", arguments, files)


KINDS: dict[Callable[[Random], Case], int] = {
    _options: 20, _regex: 8, _regex_that_is_right: 2, _formula: 6, _name: 5, _arithmetic: 4, _automaton: 12,
    _strings: 6, _trace: 4, _published: 3, _path: 10, _model: 14, _saved_language: 2,
    _checkpoint: 4,
}  # fmt: skip
"""How many of a hundred cases are of which kind."""


# -- files that are right -----------------------------------------------------------------------------


@lru_cache
def automata() -> dict[str, bytes]:
    """One automaton in every format."""
    from automata.formats import write_dfa
    from automata.notation.expressions import regex_to_dfa

    with TemporaryDirectory() as folder:
        found = {}
        for suffix in ("att", "json", "dot"):
            path = Path(folder) / f"a.{suffix}"
            write_dfa(regex_to_dfa("(a|b)*abb"), path)
            found[path.name] = path.read_bytes()
        return found


@lru_cache
def model() -> dict[str, bytes]:
    """A saved model of (ab)*."""
    from automata.notation.expressions import regex_to_dfa
    from constructions.compile.krohn_rhodes import holonomy_cascade
    from constructions.ssm.arithmetic import Arithmetic
    from constructions.ssm.lowering import lower
    from constructions.ssm.storage import save

    with TemporaryDirectory() as folder:
        save(
            lower(holonomy_cascade(regex_to_dfa("(ab)*"), "predictive"), Arithmetic("fixed", 1)), Path(folder) / "model"
        )
        return {f"model/{path.name}": path.read_bytes() for path in sorted((Path(folder) / "model").iterdir())}


@lru_cache
def checkpoint() -> dict[str, bytes]:
    """A checkpoint of d-2, without its card."""
    from automata.catalogue import language
    from constructions.compile.krohn_rhodes import holonomy_cascade
    from constructions.mamba.checkpoint import write
    from constructions.mamba.lowering import lower_to_mamba

    with TemporaryDirectory() as folder:
        write(
            lower_to_mamba(holonomy_cascade(language("d-2").dfa(), "predictive"), "float32"), Path(folder) / "stock", ""
        )
        return {
            f"stock/{path.name}": path.read_bytes()
            for path in sorted((Path(folder) / "stock").iterdir())
            if path.suffix != ".md"
        }
