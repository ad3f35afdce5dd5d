"""A census: every minimal automaton of a size, decided, and compiled and proved where it is star-free."""
