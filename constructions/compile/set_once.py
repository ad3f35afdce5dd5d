"""Registers that are set once and never taken back, as counters of how often they were: for gates that never forget.

A bit that no rule sets back to its first value is 1 exactly when the number of times that it was set is positive, and
a number can be added up where nothing can be held: with gates that are the same at every step, as in S4D and LRU.
Languages whose registers are all of this kind are the R-trivial ones.

Source: J.-E. Pin, "Varieties of Formal Languages", chapter 4 (R-trivial monoids as extensive automata).
"""

from __future__ import annotations

from dataclasses import replace

from constructions.cascade import Add, AtLeast, Bit, Cascade, Copy, Counter, In, Is, Level, Literal, Reset, Rule, Set


def counted(cascade: Cascade) -> Cascade:
    """The cascade with a counter in the place of each bit that is set once; O(rules).

    Other registers stay.  A counter of these has no range, as a bit may be set again and again.

    >>> from automata.catalogue import language
    >>> from constructions.compile.compiler import compile
    >>> deaths = counted(compile(language("dyck-1").machine, "recognise").cascade).names["dead"]
    >>> type(deaths).__name__, {rule.then for rule in deaths.rules}
    ('Counter', {Add(amount=1)})
    """
    copied = {rule.then.source for item in cascade.names.values() for rule in item.rules if isinstance(rule.then, Copy)}
    once = {register.name for register in cascade.registers if _is_set_once(register) and register.name not in copied}

    def read(literal: Literal) -> Literal:
        if isinstance(literal, In) or literal.name not in once:
            return literal
        assert isinstance(literal, (Is, Bit)), "a bit has no order"
        return AtLeast(literal.name, 1, literal.before, negated=literal.value == 0)

    def rule_of(rule: Rule) -> Rule:
        return replace(rule, when=tuple(map(read, rule.when)))

    def register_of(register):
        rules = tuple(map(rule_of, register.rules))
        if register.name in once:
            return Counter(register.name, tuple(Rule(rule.when, Add(1)) for rule in rules))
        return replace(register, rules=rules)

    levels = tuple(
        Level(
            tuple(map(register_of, level.registers)),
            tuple(replace(signal, rules=tuple(map(rule_of, signal.rules))) for signal in level.signals),
        )
        for level in cascade.levels
    )
    emissions = tuple(replace(emission, when=tuple(map(read, emission.when))) for emission in cascade.emissions)
    return replace(cascade, levels=levels, emissions=emissions) if once else cascade


def _is_set_once(register) -> bool:
    """A bit that begins at 0 and is only ever set to 1."""
    two = isinstance(register, Reset) and register.values == 2 and register.initial == 0
    return two and all(rule.then == Set(1) for rule in register.rules)
