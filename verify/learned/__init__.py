"""What can be said of a model that was learned: what theory expects, where it fades, what it holds.

Proofs at every length, for every float32 execution, are by inductive invariants of boxes.  Read in this order:
:mod:`~verify.learned.semantics` (what is assumed of float32), :mod:`~verify.learned.float32` (operations on intervals),
:mod:`~verify.learned.abstract_step` (a Mamba's step on boxes), the two finders :mod:`~verify.learned.windows` and
:mod:`~verify.learned.merging`, :mod:`~verify.learned.recheck` (what a proof rests on) and
:mod:`~verify.learned.invariant`, which is what others call.
"""
