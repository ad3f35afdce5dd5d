"""One module per command: ``HELP``, ``EXAMPLES``, ``configure(parser)`` and ``run(args) -> exit status``."""

COMMANDS = (
    "dyck",
    "flipflop",
    "counter",
    "starfree",
    "parity",
    "prove",
    "refute",
    "trace",
    "describe",
    "languages",
    "census",
    "decide",
    "suite",
    "report",
    "dataset",
    "gates",
    "export",
    "certify",
    "check",
    "checkpoint",
    "train",
    "repair",
    "help",
    "completion",
)
"""The commands in the order in which help lists them; the names of modules of this package."""
