"""Cascades as checkpoints of stock architectures of transformers: what they share, and one file for each family.

The passes: a cascade becomes a program (:mod:`constructions.program`) for the halves that an architecture offers; the
architecture's file says where each operation goes in its weights; :mod:`~constructions.stock.target` makes a target of
it. To add one, write a file with a subclass of :class:`~constructions.stock.architecture.Architecture` and name it in
:data:`constructions.target.TARGETS`.
"""
