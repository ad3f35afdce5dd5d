"""Proof by a relation whose entries are written out, and checked on affine forms: no solver is needed."""
