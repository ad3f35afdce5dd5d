"""Data sets of other people, audited against a definition: FLaRe's folders, MLRegTest's labelled strings, bare strings.

=============  ===========================================================================================
FLaRe          a folder with ``main.tok`` (a string a line, tokens parted by blanks), ``labels.txt`` (1 where
               the string is a word, else 0), and perhaps ``next-symbols.jsonl``: a line for each word, a list
               of one more entry than it has symbols, ``{"s": "a b", "e": true}``: which symbols may come next,
               and whether the string may end
MLRegTest      a file of lines STRING, tab, TRUE or FALSE (1 or 0): is the string a word
bare strings   a file of strings, tokens parted by blanks; one that ends with ``END`` is said to be a word,
               another one to begin one
=============  ===========================================================================================

A token is a symbol, or of bounded Dyck a plain bracket or a number (0 … K-1 open, K … 2K-1 close).

Sources: Butoi et al. 2024 (FLaRe); van der Poel et al. 2024 (MLRegTest).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Iterator

from automata.errors import InputError, one_line, quoted
from automata.machine import EOS, Machine, run
from verify.evidence.conventions import Convention, Statement
from verify.evidence.dataset import Audit, Malformed, WrongLabel, believed, folders, text_lines
from verify.evidence.strings_file import END

FLARE_STRINGS, FLARE_LABELS, FLARE_SETS = "main.tok", "labels.txt", "next-symbols.jsonl"

_SAYS = {
    FLARE_LABELS: "1 where the string is a word, else 0",
    FLARE_SETS: "1 where the string is a word, else 0; of a word, which symbols may come next",
    END: f"{END} where the string is a word; no string leaves the language",
}

_TRUTH = {"TRUE": True, "True": True, "1": True, "FALSE": False, "False": False, "0": False}
"""Labels of MLRegTest, and as others write them."""

Parse = Callable[[str], str]
"""From a token to a symbol, with an InputError for what is none."""


@dataclass(frozen=True)
class _Label:
    """One statement of a file: where, what it says, what is right, and whether it is one of membership."""

    file: str
    line: int
    column: int
    given: str
    right: str
    membership: bool


@dataclass
class _Found:
    """What is found in the files of one data set, line by line."""

    machine: Machine
    parse: Parse
    words: list[tuple[str, ...]] = field(default_factory=list)
    labels: list[_Label] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)

    def word(self, file: str, line: int, tokens: Iterable[tuple[int, str]]) -> tuple[str, ...] | None:
        """The symbols of tokens with their columns; None, and a malformed line, where a token is none."""
        word = []
        for column, token in tokens:
            try:
                word.append(self.parse(token))
            except InputError as error:
                self.malformed.append(Malformed(file, line, column, str(error)))
                return None
        return tuple(word)

    def member(self, file: str, line: int, column: int, said: bool, word: tuple[str, ...]) -> None:
        """A label that says whether the string is a word."""
        right = self.machine.accepts(run(self.machine, word))
        self.words.append(word)
        self.labels.append(_Label(file, line, column, str(int(said)), str(int(right)), True))

    def audit(self, folder: Path, lines: int, says: str) -> Audit:
        """All of it; labels of membership that are negated throughout are said to be."""
        members = [label for label in self.labels if label.membership]
        missed = sum(label.given != label.right for label in members)
        negated = believed(missed, len(members) - missed)
        convention = Convention(Statement(1, says, lambda situation: str(int(situation.accepts))), negated)
        wrong = []
        for label in self.labels:
            differs = label.given != label.right
            odd = negated and label.membership
            if differs or odd:
                explanation = convention.oddity if odd and differs else None
                wrong.append(WrongLabel(label.line, label.column, label.given, label.right, explanation, label.file))
        known = convention if self.labels else None
        return Audit(folder, lines, tuple(self.words), len(self.labels), known, tuple(wrong), tuple(self.malformed))


def datasets(place: str | Path) -> list[Path]:
    """The data sets at a place: a file; a folder of labels, with FLaRe's further sets; or such folders in it, by name.

    Raises:
        InputError: when there are none.
    """
    place = Path(place)
    if place.is_file():
        return [place]
    if is_flare(place):
        return [place, *_inside(place / "datasets")]
    found = _inside(place)
    try:
        return sorted(found + folders(place))
    except InputError:
        if found:
            return found
        raise


def _inside(place: Path) -> list[Path]:
    """The folders of FLaRe's form in a folder."""
    try:
        return sorted(inner for inner in place.iterdir() if is_flare(inner)) if place.is_dir() else []
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror or error})") from None


def is_flare(place: Path) -> bool:
    """Whether a folder is one of FLaRe's."""
    return (place / FLARE_STRINGS).exists()


def audit_flare(folder: str | Path, machine: Machine, parse: Parse) -> Audit:
    """Compares the labels of a folder of FLaRe, and the sets of next symbols where they are there, with a machine.

    Args:
        folder: with FLARE_STRINGS, FLARE_LABELS and perhaps FLARE_SETS.
        machine: the definition.
        parse: from a token to a symbol.

    Raises:
        InputError: naming the file, when it is missing or no text.  What is wrong with a line is reported, not raised.
    """
    folder = Path(folder)
    found = _Found(machine, parse)
    strings, labels = text_lines(folder / FLARE_STRINGS), text_lines(folder / FLARE_LABELS)
    if len(strings) != len(labels):
        file, line = (FLARE_LABELS, len(labels)) if len(labels) < len(strings) else (FLARE_STRINGS, len(strings))
        reason = f"the file ends, {len(strings)} strings beside {len(labels)} labels"
        found.malformed.append(Malformed(file, line + 1, 1, reason))
    positive: list[tuple[str, ...] | None] = []
    for line, (text, label) in enumerate(zip(strings, labels), start=1):
        word = found.word(FLARE_STRINGS, line, _tokens(text))
        if label.strip() not in ("0", "1"):
            reason = f"{quoted(label.strip())} is not a label, expected 0 or 1"
            found.malformed.append(Malformed(FLARE_LABELS, line, 1, reason))
            positive.append(None)
            continue
        if label.strip() == "1":
            positive.append(word)
        if word is not None:
            found.member(FLARE_LABELS, line, 1, label.strip() == "1", word)
    if not (folder / FLARE_SETS).exists():
        return found.audit(folder, len(strings), _SAYS[FLARE_LABELS])
    _next_symbols(found, text_lines(folder / FLARE_SETS), positive)
    return found.audit(folder, len(strings), _SAYS[FLARE_SETS])


def _next_symbols(found: _Found, lines: list[str], words: list[tuple[str, ...] | None]) -> None:
    """Compares the sets after each prefix of each word."""
    if len(lines) != len(words):
        reason = f"{len(lines)} lines for {len(words)} strings that are labelled as words"
        found.malformed.append(Malformed(FLARE_SETS, min(len(lines), len(words)) + 1, 1, reason))
    for line, (text, word) in enumerate(zip(lines, words), start=1):
        if word is None:
            continue
        try:
            sets = list(_entries(text, found.parse))
        except _AtColumn as error:
            found.malformed.append(Malformed(FLARE_SETS, line, error.column, str(error)))
            continue
        if len(sets) != len(word) + 1:
            reason = f"{len(sets)} sets for a string of {len(word)} symbols, expected {len(word) + 1}"
            found.malformed.append(Malformed(FLARE_SETS, line, 1, reason))
            continue
        state = found.machine.initial
        for (column, given), symbol in zip(sets, (*word, None)):
            right = found.machine.legal(state)
            found.labels.append(_Label(FLARE_SETS, line, column, _shown(given), _shown(right), False))
            state = state if symbol is None else found.machine.step(state, symbol)


class _AtColumn(ValueError):
    """What is wrong with a line of JSON, and where."""

    def __init__(self, reason: str, column: int):
        super().__init__(reason)
        self.column = column


def _entries(text: str, parse: Parse) -> Iterator[tuple[int, frozenset[str]]]:
    """The sets of a line of JSON, each with the column where it begins.

    Raises:
        _AtColumn: for what is no such line.
    """
    decoder = json.JSONDecoder()
    place = _beyond(text, 0, "[")
    while text[place : place + 1] != "]":
        try:
            entry, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise _AtColumn(
                f"is not JSON ({one_line(str(error), most=60)})", getattr(error, "pos", place) + 1
            ) from None
        if not isinstance(entry, dict) or not isinstance(entry.get("s"), str) or not isinstance(entry.get("e"), bool):
            raise _AtColumn('expected an entry {"s": "symbols", "e": true or false}', place + 1)
        try:
            symbols = frozenset(parse(token) for token in entry["s"].split())
        except InputError as error:
            raise _AtColumn(str(error), place + 1) from None
        yield place + 1, symbols | {EOS} if entry["e"] else symbols
        place = _blanks(text, end)
        if text[place : place + 1] != "]":
            place = _beyond(text, place, ",")
    if text[place + 1 :].strip():
        raise _AtColumn("something follows the list", place + 2)


def _beyond(text: str, place: int, expected: str) -> int:
    """The place after this character and the blanks around it."""
    place = _blanks(text, place)
    if text[place : place + 1] != expected:
        raise _AtColumn(f"expected {expected!r}", place + 1)
    return _blanks(text, place + 1)


def _blanks(text: str, place: int) -> int:
    return place + len(text[place:]) - len(text[place:].lstrip(" \t\r"))


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """The tokens of a line, each with its column."""
    return ((match.start() + 1, match[0]) for match in re.finditer(r"\S+", text))


def _shown(legal: frozenset[str]) -> str:
    symbols = [*sorted(legal - {EOS}), *["end"] * (EOS in legal)]
    return "{" + " ".join(symbols) + "}"


# -- one file -----------------------------------------------------------------------------------------


def audit_file(path: str | Path, machine: Machine, parse: Parse) -> Audit:
    """Compares a file of labelled strings, or of bare ones, with a machine: it has labels where its first line has a
    tab.

    Args:
        path: the file.
        machine: the definition.
        parse: from a token to a symbol.

    Raises:
        InputError: naming the file, when it is missing or no text.  What is wrong with a line is reported, not raised.
    """
    path = Path(path)
    lines = text_lines(path)
    found = _Found(machine, parse)
    labelled = has_labels(path)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        (_labelled if labelled else _bare)(found, path.name, number, line)
    return found.audit(path, len(lines), _SAYS[FLARE_LABELS] if labelled else _SAYS[END])


def has_labels(path: Path) -> bool:
    """Whether the first line of a file that is not empty has a tab."""
    return "\t" in next((line for line in text_lines(path) if line.strip()), "")


def _labelled(found: _Found, file: str, number: int, line: str) -> None:
    text, tab, label = line.rpartition("\t")
    if not tab or label.strip() not in _TRUTH:
        reason = f"{quoted(label.strip())} is no label, expected a string, a tab, and TRUE or FALSE"
        found.malformed.append(Malformed(file, number, len(text + tab) + 1, reason))
        return
    # Symbols of one character stand side by side.
    tokens = _tokens(text) if " " in text.strip() else enumerate(text.strip(), start=1)
    if not all(len(symbol) == 1 for symbol in found.machine.alphabet):
        tokens = _tokens(text)
    word = found.word(file, number, tokens)
    if word is not None:
        found.member(file, number, len(text + tab) + 1, _TRUTH[label.strip()], word)


def _bare(found: _Found, file: str, number: int, line: str) -> None:
    tokens = list(_tokens(line))
    end = tokens.pop()[0] if tokens[-1][1] == END and END not in found.machine.alphabet else None
    word = found.word(file, number, tokens)
    if word is None:
        return
    state = found.machine.initial
    for (column, _), symbol in zip(tokens, word):
        legal = found.machine.legal(state)
        right = symbol if symbol in legal else _shown(legal)
        found.labels.append(_Label(file, number, column, symbol, right, False))
        if symbol not in legal:
            return  # what follows is about no word
        state = found.machine.step(state, symbol)
    found.words.append(word)
    if end is not None:
        right = END if found.machine.accepts(state) else _shown(found.machine.legal(state))
        found.labels.append(_Label(file, number, end, END, right, False))
