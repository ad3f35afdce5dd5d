"""Pictures, all by Matplotlib: structures (automata, cascades, monoids) and runs (states, trajectories, memory)."""
