"""Regular expressions with complement and intersection, to minimal DFAs by derivatives.

The notation, loosest first (blanks are ignored):

======================  ==============================================================================
``r|s``                 union; an alternative that is left out is the empty word: ``(a|)`` is ``a?``
``r&s``                 intersection
``rs``                  concatenation
``~r``                  complement, of what follows up to the next concatenation: ``~a*b`` is ``(~(a*))b``
``r* r+ r?``            any number, at least one, at most one
``r{m} r{m,n} r{m,}``   exactly m, from m to n, at least m; ``r{,n}`` is ``r{0,n}``
``( ) (?: )``           grouping; ``()`` or ``ε`` is the empty word
``a``                   a symbol of one character
``<open> 'open'``       a symbol of one or more characters
``\\*``                  a character that would be an operator, as a symbol
``.``                   any symbol of the alphabet
``[abc] [a-z] [^a]``    one of these symbols, of this range of characters, or any other symbol
``[]`` or ``∅``         the empty language
``^r$``                 ``r``: strings are matched whole, with or without anchors
======================  ==============================================================================

What other notations add is refused by name: lazy and possessive repetitions, look-around, backreferences, flags,
classes such as ``\\d``, and anchors elsewhere than around a whole alternative.

Without an explicit alphabet the alphabet is that of the symbols shown, in the order of their code points; ``.``, ``~``
and ``[^a]`` are about that alphabet.

Source: Brzozowski 1964, "Derivatives of regular expressions"; the normal forms and the classes of symbols that
behave alike are those of Owens, Reppy, Turon 2009, "Regular-expression derivatives re-examined".
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import Any, Iterable, Iterator, NamedTuple

from automata import limits
from automata.dfa import DFA, check_alphabet
from automata.errors import InputError, quoted
from automata.notation.scanner import CLOSE, INFIX, OPEN, OPERAND, POSTFIX, PREFIX, Scanner, Token, to_postfix

DERIVATIVE_LIMIT = 100_000
"""The number of derivatives at which :func:`regex_to_dfa` stops, unless told otherwise."""


def regex_to_dfa(text: str, alphabet: Iterable[str] | None = None, limit: int = DERIVATIVE_LIMIT) -> DFA:
    """The minimal complete DFA of a regular expression, states numbered breadth-first.

    Args:
        text: the expression.
        alphabet: the symbols, in order; those shown in the expression if absent.
        limit: the greatest number of derivatives to look at.

    Raises:
        InputError: with the column, what was found and what was expected; or when the limit is reached.

    >>> regex_to_dfa("(ab)*").states
    3
    >>> no_three_zeros = regex_to_dfa("~(.*000.*)", "01")
    >>> no_three_zeros.accepts_word("10010"), no_three_zeros.accepts_word("10001")
    (True, False)
    >>> regex_to_dfa("(a|b")
    Traceback (most recent call last):
    automata.errors.InputError: regular expression, column 5: found the end, expected ')' for the '(' at column 1
    """
    return DFA.from_machine(parse_regex(text, alphabet), limit).minimise()


def parse_regex(text: str, alphabet: Iterable[str] | None = None) -> "Expression":
    """The expression that a text denotes; see the head of this module for the notation.

    Args:
        text: the expression.
        alphabet: the symbols, in order; those shown in the text if absent.

    Raises:
        InputError: with the column, what was found and what was expected.

    >>> parse_regex("<open> (a|b)* <close>").alphabet
    ('a', 'b', 'close', 'open')
    """
    given = None if alphabet is None else check_alphabet(alphabet)
    scanner = Scanner(text, "regular expression", given)
    if not scanner.peek():
        raise scanner.error("an expression (the empty word is written ())")
    tokens = _with_empty_words(_without_anchors(scanner, list(_tokens(scanner))))
    postfix = to_postfix(scanner, tokens, _PRECEDENCE, right=frozenset({"", "|"}), juxtaposed="")
    if given is None and not scanner.shown:
        raise InputError("the regular expression shows no symbol: give the alphabet")
    return Expression(given or tuple(sorted(scanner.shown)), postfix)


# -- the notation -------------------------------------------------------------------------------------

_PRECEDENCE = {"|": 0, "&": 1, "": 2, "~": 3}


class _Choice(NamedTuple):
    """One symbol out of these, or out of all others."""

    symbols: frozenset[str]
    negated: bool = False


_EMPTY_WORD = "()"
_ANCHOR = "anchor"


def _tokens(scanner: Scanner) -> Iterator[Token]:
    counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    repeated = ""  # how the repetition just before is written
    while character := scanner.peek():
        column = scanner.column
        if (symbol := scanner.marked_symbol()) is not None:
            repeated = ""
            yield Token(OPERAND, _Choice(frozenset({symbol})), column, symbol)
            continue
        if repeated and character in ("?", "+"):
            kind = "a lazy" if character == "?" else "a possessive"
            found = f"{repeated + character!r}, {kind} repetition elsewhere"
            raise scanner.error("parentheses around what is repeated twice", column, found)
        scanner.position += 1
        repeated = character if character in counts else "}" if character == "{" else ""
        if character == "(":
            _group(scanner, column)
            yield Token(OPERAND, _EMPTY_WORD, column, "()") if scanner.take(")") else Token(OPEN, None, column, "(")
        elif character == ")":
            yield Token(CLOSE, None, column, ")")
        elif character in ("|", "&"):
            yield Token(INFIX, character, column, character)
        elif character == "~":
            yield Token(PREFIX, character, column, character)
        elif character in ("^", "$"):
            yield Token(_ANCHOR, character, column, character)
        elif character in counts:
            yield Token(POSTFIX, counts[character], column, character)
        elif character == "{":
            yield Token(POSTFIX, _counts(scanner), column, character)
        elif character == ".":
            yield Token(OPERAND, _Choice(frozenset(), negated=True), column, character)
        elif character == "ε":
            yield Token(OPERAND, _EMPTY_WORD, column, character)
        elif character == "∅":
            yield Token(OPERAND, _Choice(frozenset()), column, character)
        elif character == "[":
            yield Token(OPERAND, _symbol_set(scanner), column, character)
        elif character in ("]", "}", ">"):
            raise scanner.misplaced(character, column)
        else:
            yield Token(OPERAND, _Choice(frozenset({scanner.show(character, column)})), column, character)


_GROUPS = (
    ("?:", ""),
    ("?=", "lookahead"),
    ("?!", "negative lookahead"),
    ("?<=", "lookbehind"),
    ("?<!", "negative lookbehind"),
    ("?P=", "a backreference"),
    ("?P", "a named group"),
    ("?<", "a named group"),
    ("?>", "an atomic group"),
    ("?#", "a comment"),
    ("?(", "a condition"),
    ("?", "flags"),
)
"""What follows the parenthesis of other notations' groups; the first is one of this notation too."""


def _group(scanner: Scanner, column: int) -> None:
    """Skips the ``?:`` of a group and refuses others by name."""
    opening, meaning = next(
        (group for group in _GROUPS if scanner.text.startswith(group[0], scanner.position)), ("", "")
    )
    if meaning:
        raise scanner.error("a group ( ) or (?: )", column, f"'({opening}', {meaning} elsewhere")
    scanner.position += len(opening)


def _without_anchors(scanner: Scanner, tokens: list[Token]) -> Iterator[Token]:
    """Without ``^`` and ``$`` around every outermost operand of | and &; one that stands elsewhere is refused.

    One alone would say something about a search inside a longer string, and strings are matched whole.
    """
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {OPEN: 1, CLOSE: -1}.get(token.kind, 0)
        if token.kind == INFIX and depth == 0:
            parts += [[token], []]
        else:
            parts[-1].append(token)
    operands = parts[::2]
    if all(len(part) > 1 and (part[0].value, part[-1].value) == ("^", "$") for part in operands):
        for part in operands:
            part[:] = part[1:-1] or [Token(OPERAND, _EMPTY_WORD, part[0].column, "^$")]
    for token in chain.from_iterable(parts):
        if token.kind == _ANCHOR:
            expected = f"^ and $ around every alternative or no anchor (the symbol itself is written \\{token.text})"
            raise scanner.error(expected, token.column, f"the anchor {token.text!r}")
        yield token


def _with_empty_words(tokens: Iterable[Token]) -> Iterator[Token]:
    """With the empty word for each alternative that is left out: at the beginning, between two bars, at the end."""
    last = Token(OPEN, None, 0, "")
    for token in chain(tokens, [Token(CLOSE, None, 0, "")]):
        after_bar, bar = last.value == "|", token.value == "|"
        if (bar and (after_bar or last.kind == OPEN)) or (after_bar and token.kind == CLOSE):
            yield Token(OPERAND, _EMPTY_WORD, token.column, "")
        if token.column:
            yield token
        last = token


def _counts(scanner: Scanner) -> tuple[int, int | None]:
    """The rest of ``{m}``, ``{m,n}``, ``{m,}`` or ``{,n}``."""
    from_zero = scanner.take(",")
    least = 0 if from_zero else scanner.number()
    most: int | None = least
    if from_zero:
        most = scanner.number()
    elif scanner.take(","):
        most = None
        if scanner.peek() != "}":
            column = scanner.column
            greatest = most = scanner.number()
            if greatest < least:
                raise scanner.error(f"at least {least}", column, str(greatest))
    if not scanner.take("}"):
        raise scanner.error("'}' after the numbers of a repetition")
    return least, most


def _symbol_set(scanner: Scanner) -> _Choice:
    """The rest of ``[abc]``, ``[a-z]`` or ``[^a]``."""
    opened = scanner.position
    negated = scanner.take("^")
    symbols: set[str] = set()
    while not scanner.take("]"):
        blank = scanner.text[scanner.position - 1].isspace()
        column = scanner.column
        if scanner.text.startswith("[:", scanner.position):
            raise scanner.error("the symbols themselves", column, "'[:', a class of characters elsewhere")
        first = _member(scanner, opened)
        ended = scanner.position
        if scanner.peek() != "-" or scanner.text[scanner.position + 1 :].lstrip()[:1] == "]":
            if blank and first == "-" and scanner.peek() not in ("", "]"):
                raise scanner.error(
                    "'-' at the beginning or the end of the set, or a range of symbols", column, "a range from a blank"
                )
            symbols.add(scanner.show(first, column))
            continue
        scanner.position += 1
        if ended != scanner.position - 1 or scanner.text[scanner.position : scanner.position + 1].isspace():
            raise scanner.error(
                "a range without blanks: a blank cannot be a symbol",
                column,
                f"a blank in the range from {quoted(first)}",
            )
        last = _member(scanner, opened)
        if len(first) != 1 or len(last) != 1 or first > last:
            found = f"the range from {quoted(first)} to {quoted(last)}"
            raise scanner.error("a range between two characters in the order of their code points", column, found)
        if limits.exceeded("range", size := ord(last) - ord(first) + 1):
            # [!-~] has 94: a range of many thousands is a mistake, or an alphabet to be given.
            found = f"a range of {size} characters"
            raise limits.refusal("range", scanner.error(f"at most {limits.limit('range')}", column, found))
        for code in range(ord(first), ord(last) + 1):
            if not chr(code).isspace():
                symbols.add(scanner.show(chr(code), column))
    return _Choice(frozenset(symbols), negated)


def _member(scanner: Scanner, opened: int) -> str:
    """One symbol inside square brackets, where operators stand for themselves."""
    character = scanner.peek()
    if not character:
        raise scanner.error(f"']' for the '[' at column {opened}")
    if (symbol := scanner.marked_symbol()) is not None:
        return symbol
    scanner.position += 1
    return character


# -- the algebra --------------------------------------------------------------------------------------

SYMBOL_SET, EMPTY_WORD, CONCATENATION, REPETITION, UNION, COMPLEMENT = range(6)


class Term:
    """An expression in normal form.  Two terms of one :class:`Expression` with equal parts are the same object."""

    __slots__ = ("operator", "parts", "nullable")

    def __init__(self, operator: int, parts, nullable: bool):
        self.operator = operator
        self.parts = parts
        self.nullable = nullable


class Expression:
    """A regular expression; a Machine for recognition whose states are its derivatives.

    Terms are kept in a normal form under which an expression has finitely many derivatives: unions are sets (so
    associative, commutative and idempotent), concatenations group to the right, and the laws of the empty language,
    the empty word and the full language are applied.  Intersections are written with complements.

    >>> expression = parse_regex("(ab)*")
    >>> expression.step(expression.step(expression.initial, "a"), "b") is expression.initial
    True
    """

    def __init__(self, alphabet: tuple[str, ...], postfix: list[Token]):
        self.alphabet = alphabet
        self._tokens = postfix
        #: Whether it speaks of all symbols of the alphabet, so that another alphabet would give it another meaning.
        self.speaks_of_others = any(
            t.kind == PREFIX or (isinstance(t.value, _Choice) and t.value.negated) for t in postfix
        )
        choices = dict.fromkeys(token.value for token in postfix if isinstance(token.value, _Choice))
        # Symbols that occur in the same sets behave alike in every derivative; one of them stands for all.
        alike: dict[tuple[bool, ...], str] = {}
        self._stands_for = {
            symbol: alike.setdefault(tuple(symbol in choice.symbols for choice in choices), symbol)
            for symbol in alphabet
        }
        self._every = frozenset(alike.values())
        self._terms: dict[tuple, Term] = {}
        self._derivatives: dict[str, dict[Term, Term]] = defaultdict(dict)
        self._nothing = self._term(SYMBOL_SET, frozenset(), False)
        self._empty_word = self._term(EMPTY_WORD, (), True)
        self._everything = self._term(COMPLEMENT, (self._nothing,), True)
        self.initial = self._build(postfix)

    # -- as a Machine ---------------------------------------------------------------------------------

    def step(self, state: Term, symbol: str) -> Term:
        """The derivative: what may follow ``symbol`` in the words of ``state``."""
        try:
            return self._derivative(state, self._stands_for[symbol])
        except KeyError:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet") from None

    def accepts(self, state: Term) -> bool:
        """Whether the empty word is in ``state``."""
        return state.nullable

    def postfix(self) -> list[Any]:
        """The expression as it was written, without brackets, each operator after its operands: lists of symbols, one
        of which is meant; ``"()"``; ``{"least": m, "most": n or None}``; ``"~"``; ``"|"``, ``"&"`` and ``"."``.

        >>> parse_regex("a?|(ab)*").postfix()[:3]
        [['a'], {'least': 0, 'most': 1}, ['a']]
        """
        return [self._item(token) for token in self._tokens]

    def _item(self, token: Token) -> Any:
        if token.kind == POSTFIX:
            return dict(zip(("least", "most"), token.value))
        if isinstance(token.value, _Choice):
            return [symbol for symbol in self.alphabet if (symbol in token.value.symbols) != token.value.negated]
        return token.value or "."  # operators, and the empty word

    # -- from the notation ----------------------------------------------------------------------------

    def _build(self, postfix: list[Token]) -> Term:
        stack: list[Term] = []
        for token in postfix:
            if token.kind == POSTFIX:
                stack.append(self._repetition(stack.pop(), *token.value))
            elif token.kind == PREFIX:
                stack.append(self._complement(stack.pop()))
            elif token.kind == INFIX:
                right, left = stack.pop(), stack.pop()
                if token.value == "|":
                    stack.append(self._union((left, right)))
                elif token.value == "&":
                    stack.append(self._complement(self._union((self._complement(left), self._complement(right)))))
                else:
                    stack.append(self._concatenation(left, right))
            elif token.value == _EMPTY_WORD:
                stack.append(self._empty_word)
            else:
                chosen = token.value.symbols & self._every
                stack.append(self._symbols(self._every - chosen if token.value.negated else chosen))
        return stack.pop()

    # -- normal forms ---------------------------------------------------------------------------------

    def _term(self, operator: int, parts, nullable: bool) -> Term:
        """The one term with these parts."""
        key = (operator, parts)
        if key not in self._terms:
            self._terms[key] = Term(operator, parts, nullable)
        return self._terms[key]

    def _symbols(self, symbols: frozenset[str]) -> Term:
        return self._term(SYMBOL_SET, symbols, False)

    def _concatenation(self, left: Term, right: Term) -> Term:
        if left is self._nothing or right is self._nothing:
            return self._nothing
        factors = []
        while left.operator == CONCATENATION:
            first, left = left.parts
            factors.append(first)
        factors.append(left)
        for factor in reversed(factors):
            if right is self._empty_word:
                right = factor
            elif factor is not self._empty_word:
                right = self._term(CONCATENATION, (factor, right), factor.nullable and right.nullable)
        return right

    def _union(self, terms: Iterable[Term]) -> Term:
        members: set[Term] = set()
        for term in terms:
            members.update(term.parts if term.operator == UNION else (term,))
        if self._everything in members:
            return self._everything
        letters = [term for term in members if term.operator == SYMBOL_SET]
        members.difference_update(letters)
        if any(term.parts for term in letters):
            members.add(self._symbols(frozenset().union(*(term.parts for term in letters))))
        if self._empty_word in members and any(term.nullable for term in members if term is not self._empty_word):
            members.discard(self._empty_word)
        if len(members) <= 1:
            return members.pop() if members else self._nothing
        return self._term(UNION, frozenset(members), any(term.nullable for term in members))

    def _complement(self, term: Term) -> Term:
        if term.operator == COMPLEMENT:
            return term.parts[0]
        return self._term(COMPLEMENT, (term,), not term.nullable)

    def _repetition(self, term: Term, least: int, most: int | None) -> Term:
        """``term`` repeated ``least`` to ``most`` times (None: any number).

        Repetitions are counted, not written out: a large count costs states only where it needs them.
        """
        if most == 0 or term is self._empty_word:
            return self._empty_word
        if term is self._nothing:
            return self._nothing if least else self._empty_word
        if term is self._everything or (term.operator == REPETITION and term.parts[1:] == (0, None)):
            return term
        if (least, most) == (1, 1):
            return term
        if term.nullable:
            least = 0  # fewer repetitions can be filled up with empty words
        if (least, most) == (0, None) and term is self._symbols(self._every):
            return self._everything
        return self._term(REPETITION, (term, least, most), least == 0)

    # -- derivatives ----------------------------------------------------------------------------------

    def _derivative(self, term: Term, symbol: str) -> Term:
        """The derivative by a symbol, remembered for every part; parts first, on a stack of our own."""
        known = self._derivatives[symbol]
        stack = [term]
        while stack:
            top = stack[-1]
            missing = [part for part in self._differentiated(top) if part not in known]
            if missing:
                stack.extend(missing)
            else:
                known[top] = self._derive(top, symbol, known)
                stack.pop()
        return known[term]

    @staticmethod
    def _differentiated(term: Term) -> Iterable[Term]:
        """The parts whose derivatives the derivative of a term is made of."""
        if term.operator in (SYMBOL_SET, EMPTY_WORD):
            return ()
        if term.operator == REPETITION or (term.operator == CONCATENATION and not term.parts[0].nullable):
            return term.parts[:1]
        return term.parts

    def _derive(self, term: Term, symbol: str, known: dict[Term, Term]) -> Term:
        if term.operator == SYMBOL_SET:
            return self._empty_word if symbol in term.parts else self._nothing
        if term.operator == EMPTY_WORD:
            return self._nothing
        if term.operator == UNION:
            return self._union(known[part] for part in term.parts)
        if term.operator == COMPLEMENT:
            return self._complement(known[term.parts[0]])
        if term.operator == REPETITION:
            part, least, most = term.parts
            return self._concatenation(known[part], self._repetition(part, max(least - 1, 0), most and most - 1))
        first, rest = term.parts
        after_first = self._concatenation(known[first], rest)
        return self._union((after_first, known[rest])) if first.nullable else after_first
