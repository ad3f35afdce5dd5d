"""Ratios measured in one run: ``python -m benchmarks [PART ...]``, or ``make bench`` for all of them.

A part is a module with ``rows()``, which yields (what, figure) pairs.  Speed claims are ratios between things
measured side by side; plain seconds only describe the machine.
"""

PARTS = ("engine", "searching", "holonomy", "induction", "certificates", "refutation", "mamba", "targets")
"""The parts in the order in which they are printed."""
