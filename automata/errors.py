"""The exceptions for input that cannot be used, or is larger than a limit; and how a message becomes one short line."""

import difflib
from typing import Iterable

LONGEST_LINE = 400
"""Characters of a message on the command line."""


class InputError(ValueError):
    """Input that names its own culprit in one line: a file position, state, symbol, register or number.

    The command line prints the message and leaves with status 2.
    """


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
