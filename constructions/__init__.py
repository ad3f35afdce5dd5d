"""How weights do it: from a language to a cascade, and from a cascade to weights that run.

The flow is ``compile`` (a language to a :mod:`~constructions.cascade`; the paper's own cascades are in ``paper``) ->
a :mod:`~constructions.target` (``ssm``: the paper's model, with its exact engine; ``mamba``: stock checkpoints, by way
of ``conditions``) -> ``build``.  Nothing here imports ``verify``.
"""
