"""The printed report and its JSON twin: sections of named values, in the order in which they are found."""

from __future__ import annotations

import json
import textwrap
import time
from pathlib import Path
from typing import Callable

from automata.files import staged
from automata.machine import ACCEPT, EOS
from verify.verdict import TESTED, Verdict

_NAME_WIDTH, _LINE_WIDTH = 20, 110


class Report:
    """Prints as it goes, and remembers what it printed for ``--json``."""

    def __init__(self, command: str, quiet: bool = False):
        self.quiet = quiet
        self.content: dict = {"command": command}
        self.verdicts: list[Verdict] = []
        self._started = time.perf_counter()

    def title(self, text: str) -> None:
        self.content["title"] = text
        self._print(text)

    def section(self, name: str, values: dict[str, object], data: dict | None = None) -> None:
        """A heading and one line per value; ``data`` is what JSON gets instead of the printed text."""
        self.content[name.replace(" ", "_")] = data if data is not None else {k: str(v) for k, v in values.items()}
        self._print(f"\n{name}")
        for key, value in values.items():
            lines = textwrap.wrap(str(value), _LINE_WIDTH - _NAME_WIDTH - 2) or [""]
            self._print(f"  {key:<{_NAME_WIDTH - 1}} {lines[0]}")
            for line in lines[1:]:
                self._print(" " * (_NAME_WIDTH + 2) + line)

    def table(self, name: str, rows: list[tuple[str, ...]], data: object) -> None:
        """A table, its first row the headings; ``data`` is what JSON gets."""
        self.content[name.replace(" ", "_")] = data
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        self._print("")
        for row in rows:
            self._print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    def verdict(self, name: str, verdict: Verdict, notes: dict[str, object] | None = None) -> None:
        """A check: what was explored, the outcome, and the witness where there is one."""
        self.verdicts.append(verdict)
        values: dict[str, object] = {"mode": f"{verdict.mode}, {verdict.arithmetic} arithmetic"}
        values.update({key: f"{count:,}".replace(",", " ") for key, count in verdict.explored.items()})
        values.update(notes or {})
        if verdict.relation:
            values["the relation R"] = "; ".join(verdict.relation)
        if verdict.repeat:
            values["repeat with"] = verdict.repeat
        outcome = verdict.reason
        if verdict.horizon is not None:
            outcome += f" (strings of up to {verdict.horizon} symbols)"
        values[verdict.outcome] = outcome + (": evidence, not a proof" if verdict.outcome == TESTED else "")
        if verdict.witness:
            values["string"] = show_word(verdict.witness.word)
            values["expected"] = show_set(verdict.witness.expected)
            values["given"] = show_set(verdict.witness.given)
        self.section(name, values, verdict.to_json())
        if self.quiet:
            print(
                f"{name}: {verdict.outcome}: {outcome}"
                + (f": {show_word(verdict.witness.word)}" if verdict.witness else "")
            )

    def close(self, json_path: str | None, finish: Callable[[], object] = lambda: None) -> None:
        """The time, and the JSON file; ``finish`` is what is written besides: when one of the two fails, neither is
        there.
        """
        self.content["seconds"] = round(time.perf_counter() - self._started, 3)
        if json_path:
            self.content["outcomes"] = [verdict.outcome for verdict in self.verdicts]
            text = json.dumps(self.content, indent=1, ensure_ascii=False) + "\n"
            Path(json_path).parent.mkdir(parents=True, exist_ok=True)
            # The name of a file need not be text; JSON has an escape for what is not.
            with staged(json_path, text.encode("utf-8", "backslashreplace")):
                finish()
        else:
            finish()
        self._print(f"\ntime {time.perf_counter() - self._started:.2f} s")

    def _print(self, text: str) -> None:
        if not self.quiet:
            print(text)


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
