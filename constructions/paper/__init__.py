"""The paper's own constructions as cascades: flip-flop, bounded Dyck, the counter languages, PARITY."""
