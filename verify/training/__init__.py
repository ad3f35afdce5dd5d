"""How is a model trained?  Strings, a fast scan, gates that become exact, a loop that can be interrupted."""
