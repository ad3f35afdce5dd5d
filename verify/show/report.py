"""The printed report and its JSON twin: sections of named values, in the order in which they are found."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from numbers import Integral
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from automata.files import staged
from automata.machine import ACCEPT, EOS
from verify import clock
from verify.progress import announce, announced
from verify.show.terminal import painted, width
from verify.verdict import TESTED, Verdict, so_many

VERSION = 1
"""Of the JSON report: ``verify/schema/report.schema.json`` says what it holds."""

STANDARD_OUTPUT = "-"
"""The name that sends the JSON to standard output, and the text to standard error."""

_NAME_WIDTH = 20


class Command(str):
    """A command to be repeated: shown on one line, however long, so that it can be copied."""


class Report:
    """Prints as it goes, and remembers what it printed for ``--json``.

    Args:
        command: what repeats it.
        quiet: whether only verdicts are printed.
        json_path: where the JSON goes; STANDARD_OUTPUT sends it there, and the text to standard error.
    """

    def __init__(self, command: str, quiet: bool = False, json_path: str | None = None):
        self.quiet, self.json_path = quiet, json_path
        self.stream = sys.stderr if json_path == STANDARD_OUTPUT else sys.stdout
        self.content: dict[str, Any] = {"version": VERSION, "command": command}
        self.verdicts: list[Verdict] = []
        self._written: dict[str, object] = {}

    def title(self, text: str) -> None:
        self.content["title"] = text
        first, _, more = text.partition("\n")
        if announced(first):
            text = more
        if text:
            self._print(text)

    def announce(self, title: str) -> None:
        """Has the first line of a title printed before any progress is shown, so that long work begins with it."""
        announce("" if self.quiet else title, self._announced)

    def _announced(self, title: str) -> None:
        self._print(title)
        if self.stream is not None:
            self.stream.flush()

    def section(self, name: str, values: Mapping[str, object], data: object = None) -> None:
        """A heading and one line per value; ``data`` is what JSON gets instead, where values are more than numbers and
        words.
        """
        self.content[name.replace(" ", "_")] = plain(values if data is None else data)
        self._print(f"\n{name}")
        for key, value in values.items():
            lines = [shown(value)]
            if not isinstance(value, Command):
                lines = textwrap.wrap(lines[0], width(self.stream) - _NAME_WIDTH - 2) or [""]
            self._print(f"  {painted(f'{key:<{_NAME_WIDTH - 1}}', key, self.stream)} {lines[0]}")
            for line in lines[1:]:
                self._print(" " * (_NAME_WIDTH + 2) + line)

    def table(self, name: str, rows: Sequence[tuple[str, ...]], data: object) -> None:
        """A table, its first row the headings, its last column as wide as there is room; ``data`` is what JSON gets."""
        self.content[name.replace(" ", "_")] = plain(data)
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
        indent = sum(widths) + 2 * len(widths)
        self._print("")
        for row in rows:
            first = "".join(f"{cell.ljust(columns)}  " for cell, columns in zip(row, widths))
            lines = textwrap.wrap(row[-1], max(20, width(self.stream) - indent)) or [""]
            self._print((first + lines[0]).rstrip())
            for line in lines[1:]:
                self._print(" " * indent + line)

    def verdict(self, name: str, verdict: Verdict, notes: dict[str, object] | None = None) -> None:
        """A check: what was explored, the outcome, and the witness where there is one."""
        self.verdicts.append(verdict)
        values: dict[str, object] = {"mode": f"{verdict.mode}, {verdict.arithmetic} arithmetic"}
        values.update({key: f"{count:,}".replace(",", " ") for key, count in verdict.explored.items()})
        values.update(notes or {})
        if verdict.relation:
            values["the relation R"] = "; ".join(verdict.relation)
        if verdict.repeat:
            values["repeat with"] = Command(verdict.repeat)
        outcome = verdict.reason
        if verdict.horizon is not None:
            outcome += f" (strings of up to {so_many(verdict.horizon, 'symbols')})"
        values[verdict.outcome] = outcome + (": evidence, not a proof" if verdict.outcome == TESTED else "")
        values.update({way.name: f"{way.outcome}: {way.reason}" for way in verdict.ways})
        if verdict.witness:
            values["string"] = show_word(verdict.witness.word)
            values["expected"] = show_set(verdict.witness.expected)
            values["given"] = show_set(verdict.witness.given)
        self.section(name, values, verdict.to_json())
        if self.quiet:
            word = f": {show_word(verdict.witness.word)}" if verdict.witness else ""
            self.say(f"{name}: {painted(verdict.outcome, verdict.outcome, self.stream)}: {outcome}{word}")

    def wrote(self, what: str, path: str, **more: object) -> None:
        """Names a file or folder that is written, and what is said of it besides; they are listed at the end."""
        self._written |= {what: path, **{key.replace("_", " "): value for key, value in more.items()}}

    def close(self, finish: Callable[[], object] = lambda: None) -> None:
        """The files that were written, the JSON and the time.

        Args:
            finish: writes more: when that or the JSON fails, neither is there.
        """
        if self.json_path not in (None, STANDARD_OUTPUT):
            self.wrote("report", self.json_path)
        if self._written:
            self.content["written"] = plain(self._written)
        self.content["seconds"] = round(clock.seconds(), 3)
        self.content["outcomes"] = [verdict.outcome for verdict in self.verdicts]
        text = json.dumps(self.content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        if self.json_path == STANDARD_OUTPUT:
            finish()
            sys.stdout.write(text)
        elif self.json_path:
            Path(self.json_path).parent.mkdir(parents=True, exist_ok=True)
            # The name of a file need not be text; JSON has an escape for what is not.
            with staged(self.json_path, text.encode("utf-8", "backslashreplace")):
                finish()
        else:
            finish()
        if self._written:
            self.section("written", self._written)
        self._print(f"\ntime {clock.seconds():.2f} s")

    def say(self, text: str) -> None:
        """One line, in a quiet report too."""
        if self.stream is not None:  # as a closed one is, and None is for print another name of standard output
            print(text, file=self.stream)

    def _print(self, text: str) -> None:
        if not self.quiet:
            self.say(text)


def shown(value: object) -> str:
    """The value of a section as it is printed."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers are numbers, keys are texts, and what is neither is its text.

    >>> import numpy
    >>> plain({"states": numpy.int64(3), "word": ("a", "b"), "gate": float("inf")})
    {'states': 3, 'word': ['a', 'b'], 'gate': 'inf'}
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return str(value)


def show_word(word: tuple[str, ...]) -> str:
    """A word for reading; the middle of a very long one is left out, and said to be."""
    if not word:
        return "the empty string"
    if len(word) <= 60:
        return " ".join(word)
    return f"{' '.join(word[:30])} … ({len(word) - 60} more) … {' '.join(word[-30:])}"


def show_set(outputs: frozenset[str]) -> str:
    """A set of outputs for reading."""
    if outputs == {ACCEPT}:
        return "accept"
    if not outputs:
        return "nothing (reject, or no symbol is legal)"
    symbols = sorted(outputs - {EOS, ACCEPT}) + ["end of string"] * (EOS in outputs)
    if len(symbols) > 24:
        return f"{' '.join(symbols[:20])} … ({len(symbols)} in all)"
    return " ".join(symbols)
