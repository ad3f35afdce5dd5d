"""Proof by induction on the weights, for state spaces that no search can close.

:mod:`~verify.methods.induction.prove` asks, and everything else answers a part of it.  The relation between a machine
state and a model state is read from the names of the registers (:mod:`~verify.methods.induction.relation`).  For a
stack its obligations are array operations (``stack_…``); for counters an SMT solver discharges them as linear integer
arithmetic (``counter_…`` and :mod:`~verify.methods.induction.symbolic`).  How far a float model is the exact one, after
a violation too, is counted in :mod:`~verify.methods.induction.float_growth`.
"""

from verify.methods.induction.prove import prove_counter, prove_dyck

__all__ = ["prove_counter", "prove_dyck"]
