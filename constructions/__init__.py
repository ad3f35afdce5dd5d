"""How weights do it: constructions as cascades, the state space model in exact arithmetic, and lowerings to real architectures."""
