"""The architectures: each file has one target, or a few that differ in where they are run (see :mod:`constructions.target`)."""
