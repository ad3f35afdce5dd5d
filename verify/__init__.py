"""Does it hold?  Proofs for every length, random tests, refutations, and the command line that prints them."""
