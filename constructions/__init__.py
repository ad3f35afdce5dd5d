"""How weights do it: the paper's constructions as cascades, the state space model, and lowerings between them.

The flow is cascade (``flip_flop``, ``bounded_dyck``, or one from ``automata``) -> ``lowering`` -> ``ssm`` (weight
arrays) -> ``engine`` (exact runs).  Nothing here imports ``verify``.
"""
