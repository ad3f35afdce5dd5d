"""Cascades as stock Mamba checkpoints, exact to the last bit.

The passes, one a file: a cascade becomes a :mod:`~constructions.conditions.network` of cubes (conditions that one
neuron can test, :mod:`~constructions.conditions.cases`), small signals are written into their readers
(:mod:`~constructions.conditions.inline`), everything is placed in :mod:`~constructions.mamba.blocks` of named channels,
and these become the :mod:`~constructions.mamba.weights` of a Mamba, with the constants of
:mod:`~constructions.mamba.precision` and the norms of :mod:`~constructions.mamba.ballast`.
:mod:`~constructions.mamba.certificate` proves, from the arrays, that no rounding ever happens.  None of this needs
torch; only :mod:`~constructions.mamba.huggingface` and :mod:`~constructions.mamba.official`, which run the models, do.
"""
