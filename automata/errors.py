"""The exceptions for input that cannot be used, or is larger than a limit; how they quote what they found, and one
short line.
"""

import difflib
from typing import Iterable

LONGEST_LINE = 400
"""Characters of a message on the command line."""

LONGEST_QUOTE = 60
"""Characters of a token that a message shows at most."""


class InputError(ValueError):
    """Input that names its own culprit in one line: a file position, state, symbol, register or number.

    The command line prints the message and leaves with status 2.
    """

    def at(self, place: str) -> "InputError":
        """The same error, which also says where."""
        return InputError(f"{place}: {self}")


class LimitError(InputError):
    """Input that is larger than a limit, which can be raised.

    Args:
        message: one line that says "raise the limit".
        limit: the name of the limit, which is that of the command line's option: ``image-sets`` for ``--image-sets``.

    >>> error = LimitError("more than 5 image sets: raise the limit to go on", "image-sets")
    >>> error.with_option()
    'more than 5 image sets: raise the limit (--image-sets) to go on'
    """

    def __init__(self, message: str, limit: str):
        super().__init__(message)
        self.limit = limit

    def at(self, place: str) -> "LimitError":
        return LimitError(f"{place}: {self}", self.limit)

    def with_option(self) -> str:
        """The message for a user of the command line, which names the option."""
        return str(self).replace("raise the limit", f"raise the limit (--{self.limit})", 1)


def one_line(message: str, encoding: str = "utf-8", most: int = LONGEST_LINE) -> str:
    """The message on one line of printable characters, its middle left out where it is long.

    Args:
        message: any text, lone surrogates and control characters among it.
        encoding: of the stream that it is for; what it does not have is escaped.
        most: characters of the line, at least 20.

    >>> one_line("no\\n symbol '\\x1b[2J\\ud800'"), one_line("x" * 50, most=20)
    ("no symbol '\\\\x1b[2J\\\\ud800'", 'xxxxxxxxxxxx ... xxx')
    """
    # Far more than is shown: whoever quotes a file of megabytes does not wait for all of it.
    if len(message) > 100 * most:
        message = message[: 50 * most] + message[-50 * most :]
    text = " ".join(message.split())
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    line = escaped.encode(encoding, "backslashreplace").decode(encoding)
    if len(line) <= most:
        return line
    end = (most - 5) // 5
    return f"{line[: most - 5 - end]} ... {line[-end:]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names up to three of the known words that are near this one; nothing where none is.

    >>> did_you_mean("dick", ["dyck", "census"]), did_you_mean("x", ["dyck"])
    (': did you mean dyck?', '')
    """
    near = difflib.get_close_matches(word[:100], list(known), n=3, cutoff=0.6)
    return f": did you mean {' or '.join(near)}?" if near else ""


def quoted(found: object) -> str:
    """The value as Python writes it, on one line and at most 60 characters; the rest of a long one is left out.

    >>> quoted("a"), quoted("a" * 1000)[-5:], len(quoted("a" * 1000))
    ("'a'", "aaa…'", 60)
    """
    # A long text is cut before it is escaped: it may have millions of characters.
    text = repr(found[:LONGEST_QUOTE] if isinstance(found, str) else found)
    if len(text) <= LONGEST_QUOTE and not (isinstance(found, str) and len(found) > LONGEST_QUOTE):
        return text
    return text[: LONGEST_QUOTE - 2] + "…" + text[-1]


def shortened(text: str, length: int = LONGEST_QUOTE) -> str:
    """The text itself, without the rest of a long one.

    >>> shortened("a long name", 7)
    'a long…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
