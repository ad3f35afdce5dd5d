"""Languages written down: regular expressions and temporal formulas over finite words."""
