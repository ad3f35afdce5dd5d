"""``python -m verify checkpoint DIR --language NAME``: the older name of ``check DIR LANGUAGE``."""

from verify.commands.check import configure, run

__all__ = ["EXAMPLES", "HELP", "configure", "run"]

HELP = "the older name of check"

EXAMPLES = ("checkpoint stock --language d-2",)
