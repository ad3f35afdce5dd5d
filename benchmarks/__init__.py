"""How fast it is, as ratios against peers on the same machine."""
