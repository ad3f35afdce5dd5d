"""The one exception for input that cannot be used."""


class InputError(ValueError):
    """Input that names its own culprit in one line: a file position, state, symbol, register or number.

    The command line prints the message and leaves with status 2.
    """
