"""The algebra of automata: transition monoids, groups, holonomy, aperiodicity, enumeration."""
