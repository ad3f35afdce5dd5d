"""The validation files of the published experiments on counter languages, prefix by prefix.

A folder has for each language a file of strings and a file of labels, line by line; the labels of a string follow each
other without separator, a fixed number of characters for each prefix:

* Dyck1: chr(48 + 1) where the closing bracket may come next, chr(48) elsewhere;
* Shuffle2, 4, 6: one bit for each type: may its closing bracket come next;
* Boolean3, 5: is the expression complete;
* anbn and its kin: the legal next letter, the first letter where two are, ``T`` for the end.

Source: Bhattamishra, Ahuja, Goyal 2020; released again with Sarrof, Veitsman, Hahn 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np

from automata.errors import InputError
from automata.files import read_text
from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import RUNS, CounterMachine, counter_machine, parse_name, shuffle_brackets
from verify.evidence.sampling import check_words
from verify.verdict import REFUTED, UNDECIDED, Verdict

FOLDERS = {
    "dyck-1": "Dyck1",
    **{f"shuffle-{k}": f"Shuffle{k}" for k in (2, 4, 6)},
    **{f"boolean-{n}": f"Boolean{n}" for n in (3, 5)},
    **{name: name for name in RUNS},
}
"""The folder of each language that was released."""

_BATCH = 256


@dataclass(frozen=True)
class Labelled:
    """One line: its number, the string, and the labels of its prefixes from the first symbol on."""

    number: int
    word: tuple[str, ...]
    labels: str


def label(name: str, legal: frozenset[str]) -> str:
    """How the files write this set of legal next symbols.

    >>> given = {"dyck-1": {"(", ")"}, "shuffle-2": {"(", "[", "]"}, "anbn": {EOS}}
    >>> tuple(label(name, frozenset(symbols)) for name, symbols in given.items())
    ('1', '01', 'T')
    """
    family, number = parse_name(name)
    if family == "dyck":
        return chr(48 + (")" in legal))
    if family == "shuffle":
        return "".join(str(int(closing in legal)) for _, closing in shuffle_brackets(number))
    if family == "boolean":
        return str(int(EOS in legal))
    return "T" if EOS in legal else min(legal)


def read_released(folder: str | Path, name: str) -> list[Labelled]:
    """The lines of one language.

    Raises:
        InputError: naming the file, when it is missing, unreadable, or its two halves do not fit.
    """
    if name not in FOLDERS:
        raise InputError(f"no strings were released for {name}: there are some for {', '.join(FOLDERS)}")
    place = Path(folder) / FOLDERS[name]
    halves = []
    for half in ("src", "tgt"):
        lines = read_text(place / f"val_{half}_bin0.txt").replace("\r\n", "\n").split("\n")
        halves.append(lines[:-1] if lines[-1] == "" else lines)
    if len(halves[0]) != len(halves[1]):
        raise InputError(f"{place}: {len(halves[0])} strings, but {len(halves[1])} lines of labels")
    if not halves[0]:
        raise InputError(f"{place}: has no strings")
    alphabet = counter_machine(name).alphabet
    for number, word in enumerate(halves[0], start=1):
        for column, symbol in enumerate(word, start=1):
            if symbol not in alphabet:
                expected = " ".join(alphabet)
                raise InputError(
                    f"{place}/val_src_bin0.txt, line {number}, column {column}: {symbol!r} is not a symbol of {name}: "
                    f"expected {expected}"
                )
    return [Labelled(i, tuple(word), labels) for i, (word, labels) in enumerate(zip(*halves), start=1)]


def labels_of(machine: CounterMachine, word: tuple[str, ...]) -> str:
    """The labels that a string should have."""
    state, labels = machine.initial, []
    for symbol in word:
        after = machine.step(state, symbol)
        if after is None:
            break
        state = after
        labels.append(label(machine.name, machine.legal(state)))
    return "".join(labels)


def check_released(machine: CounterMachine, model, lines: Sequence[Labelled]) -> Verdict:
    """Compares the labels with the machine, and the model with the machine, on every prefix of every line.

    A predictor's sets are also written as labels and compared with the file directly.

    Args:
        model: a batched model (an Engine, or a Mamba by full forward).

    Returns:
        ``tested``; ``refuted`` where the model is wrong; ``undecided`` where only the file disagrees, naming the line.
    """
    mode = RECOGNISE if model.outputs == (ACCEPT,) else PREDICTIVE
    verdict = check_words(machine, model, [line.word for line in lines], mode, method="released strings")
    if verdict.outcome == REFUTED:
        return verdict
    wrong = [line.number for line in lines if labels_of(machine, line.word) != line.labels]
    if mode == PREDICTIVE:
        wrong += [
            line.number for line, given in zip(lines, _given_labels(machine, model, lines)) if given != line.labels
        ]
    verdict.explored["labels"] = sum(len(line.labels) for line in lines)
    if not wrong:
        return verdict
    reason = (
        f"{len(set(wrong))} lines are labelled otherwise than the language says, the first of them line {min(wrong)}"
    )
    return Verdict(UNDECIDED, verdict.method, mode, verdict.arithmetic, verdict.explored, reason)


def _given_labels(machine: CounterMachine, model, lines: Sequence[Labelled]) -> Iterator[str]:
    """A predictor's outputs on each line, written as labels."""
    index = {symbol: i for i, symbol in enumerate(model.alphabet)}
    for first in range(0, len(lines), _BATCH):
        batch = lines[first : first + _BATCH]
        words = np.zeros((len(batch), max(len(line.word) for line in batch)), dtype=np.int64)
        for row, line in zip(words, batch):
            row[: len(line.word)] = [index[symbol] for symbol in line.word]
        _, outputs = model.advance(model.begin(len(batch))[0], words)
        sets, numbers = np.unique(outputs.table, axis=0, return_inverse=True)
        # Beyond the end of a line the words are filled up, and any set may be given.
        named = [frozenset(name for name, given in zip(model.outputs, row) if given) for row in sets]
        labels = [label(machine.name, legal) if legal else "" for legal in named]
        for ids, line in zip(numbers.ravel()[outputs.ids].tolist(), batch):
            yield "".join(labels[number] for number in ids[: len(line.word)])
