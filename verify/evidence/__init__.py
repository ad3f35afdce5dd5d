"""Evidence, never proof: random strings, long words, a user's strings, the published data, accuracy."""
