"""Does it hold: proofs for all lengths, random strings, refutations, certificates, and the command line."""
