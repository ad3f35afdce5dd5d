"""Does it hold?  Proofs for every length, random tests, refutations, and the command line that prints them."""

__version__ = "0.1.0"
