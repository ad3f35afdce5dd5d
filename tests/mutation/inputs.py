"""Planted faults in what is read: expressions, formulas, files, names, and the machines that define languages."""

from .fault import Fault

_REGEX, _DFA, _PAST, _PAST_CASCADE, _FUTURE = (
    "automata/notation/expressions.py",
    "automata/dfa.py",
    "automata/notation/past_ltl.py",
    "constructions/compile/past_formula.py",
    "automata/notation/future_ltl.py",
)
_DESCRIBED, _LABELS, _GUARDS = (
    "automata/formats/described.py",
    "automata/formats/labels.py",
    "automata/formats/guards.py",
)
_GRAPHVIZ, _OPENFST, _JFLAP = "automata/formats/graphviz.py", "automata/formats/openfst.py", "automata/formats/jflap.py"
_DYCK, _COUNTER, _LANGUAGES = (
    "automata/machines/bounded_dyck.py",
    "automata/machines/counter_machine.py",
    "automata/catalogue.py",
)
_FILES = "tests/test_other_tools_files.py"

FAULTS = [
    # -- expressions
    Fault(
        _REGEX,
        "return self._union((after_first, known[rest])) if first.nullable else after_first",
        "return after_first",
        "tests/test_regex.py",
        "the derivative of a concatenation whose first factor may be empty goes on in the second",
    ),
    Fault(
        _REGEX,
        "max(least - 1, 0), most and most - 1)",
        "least, most and most - 1)",
        "tests/test_regex.py",
        "a repetition that is used up counts down to its least number",
    ),
    Fault(
        _REGEX,
        "            least = 0  # fewer repetitions can be filled up with empty words\n",
        "            pass\n",
        "tests/test_regex.py",
        "a repetition of what may be empty may be empty",
    ),
    Fault(
        _REGEX,
        'all(len(part) > 1 and (part[0].value, part[-1].value) == ("^", "$") for part in operands)',
        'any(len(part) > 1 and (part[0].value, part[-1].value) == ("^", "$") for part in operands)',
        "tests/test_regex.py",
        "anchors stand around every alternative",
    ),
    Fault(
        _REGEX,
        'if repeated and character in ("?", "+"):',
        'if repeated and character == "+":',
        "tests/test_regex.py",
        "a lazy repetition is refused",
    ),
    Fault(
        _REGEX,
        "or (after_bar and token.kind == CLOSE)",
        "",
        "tests/test_regex.py",
        "the alternative that is left out at the end is the empty word",
    ),
    # -- minimisation
    Fault(
        _DFA,
        "smaller = fresh if (old, s) in queued or len(moved) <= len(blocks[old]) else old",
        "smaller = fresh if len(moved) <= len(blocks[old]) else old",
        "tests/test_dfa.py",
        "both halves of a block that was waiting have to be splitters",
    ),
    Fault(
        _DFA,
        "waiting = deque((number, symbol) for number in range(len(blocks)) for symbol in range(symbols))",
        "waiting = deque((number, symbol) for number in range(1) for symbol in range(symbols))",
        "tests/test_dfa.py",
        "both first blocks are splitters",
        equivalent=(
            "what one of two blocks that are all states splits, the other one splits too: the transitions are complete"
        ),
    ),
    Fault(
        _DFA,
        "waiting = deque((number, symbol) for number in range(len(blocks)) for symbol in range(symbols))",
        "waiting = deque((number, 0) for number in range(len(blocks)))",
        "tests/test_dfa.py",
        "a block is a splitter by every symbol",
    ),
    Fault(
        _DFA,
        'raise InputError(f"symbol {quoted(symbol)} occurs twice in the alphabet")',
        "pass",
        "tests/test_dfa.py",
        "the symbols of an alphabet differ",
    ),
    # -- formulas
    Fault(
        _PAST,
        "value = started and operands[0] in old",
        "value = operands[0] in old",
        "tests/test_past_ltl.py",
        "there is no position before the first symbol",
    ),
    Fault(
        _PAST,
        "value = args[1] or (args[0] and index in old)",
        "value = args[1] or index in old",
        "tests/test_past_ltl.py",
        "since: the left side holds ever after",
    ),
    Fault(
        _PAST_CASCADE,
        "return In((self.letters | {BOS}) - literal.symbols)",
        "return In(self.letters - literal.symbols)",
        "tests/test_past_ltl.py",
        "the empty word is in the complement of a set of symbols",
    ),
    Fault(
        _FUTURE,
        'mirrored.append(add("|", add("S", f, g), add("H", f)))',
        'mirrored.append(add("S", f, g))',
        "tests/test_future_ltl.py",
        "weak until: the right side may never hold",
    ),
    Fault(
        _FUTURE,
        'mirrored.append(no(add("Y", no(f))))',
        'mirrored.append(add("Y", f))',
        "tests/test_future_ltl.py",
        "weak next is true where there is no next position",
    ),
    Fault(
        _FUTURE,
        "self.initial = sum(1 << state for state in dfa.accepting)",
        "self.initial = 1 << dfa.initial",
        "tests/test_future_ltl.py",
        "the reversed automaton begins where the other one accepts",
    ),
    Fault(
        "automata/notation/temporal.py",
        "    if len(first) > 1:\n",
        "    if False:\n",
        "tests/test_future_ltl.py",
        "a formula does not mix past and future",
    ),
    # -- files
    Fault(
        _DESCRIBED,
        "        self.initial = closure[described.initial]\n",
        "        self.initial = frozenset({described.initial})\n",
        _FILES,
        "epsilon is followed before the first symbol",
    ),
    Fault(
        _DESCRIBED,
        "self._targets.get(key, frozenset()) | closure[transition.target]",
        "self._targets.get(key, frozenset()) | {transition.target}",
        _FILES,
        "epsilon is followed after every symbol",
    ),
    Fault(
        _DESCRIBED,
        "return Described(self.source, (self.initial, False), states",
        "return Described(self.source, (self.initial, True), states",
        _FILES,
        "before the first symbol a Mealy machine has given nothing",
    ),
    Fault(
        _LABELS,
        "    grouped = all(_in_pairs(label.text) for label in open_labels)\n",
        "    grouped = True\n",
        _FILES,
        "brackets that are symbols do not group",
    ),
    Fault(
        _LABELS,
        '        if piece.startswith(",") and depth == 0:\n',
        '        if piece.startswith(","):\n',
        _FILES,
        "a comma inside brackets is part of a symbol",
    ),
    Fault(
        _LABELS,
        "        if any(map(_WEIGHT.search, label.lines)):\n",
        "        if False:\n",
        _FILES,
        "labels with weights are refused",
    ),
    Fault(
        _GUARDS,
        '_PRECEDENCE = {"|": 0, "&": 1, "!": 2}',
        '_PRECEDENCE = {"|": 1, "&": 0, "!": 2}',
        _FILES,
        "and binds tighter than or",
    ),
    Fault(
        _GRAPHVIZ,
        "if node not in entered and not _is_accepting(attributes) and not _is_named_initial(attributes):",
        "if not _is_accepting(attributes) and not _is_named_initial(attributes):",
        (_FILES, "tests/test_formats.py"),
        "a node that an edge enters is a state",
    ),
    Fault(
        _OPENFST,
        "    if value != 0:\n",
        "    if False:\n",
        "tests/test_formats.py",
        "weights other than 0 are refused",
    ),
    Fault(
        _OPENFST,
        "        if symbols[0] != symbols[-1]:\n",
        "        if False:\n",
        "tests/test_formats.py",
        "transducers are refused",
    ),
    Fault(
        _OPENFST,
        '    if value == float("inf"):\n        return False\n',
        "",
        _FILES,
        "what has an infinite weight is not there",
    ),
    Fault(
        _JFLAP,
        "    parser.StartDoctypeDeclHandler = doctype\n",
        "",
        _FILES,
        "document types, and with them entities, are refused",
    ),
    # -- machines and names
    Fault(
        _DYCK,
        "return (self.openers + self.closers)[int(token)]",
        "return self.alphabet[int(token)]",
        "tests/test_strings_file.py",
        "numbers: the opening brackets first, then the closing ones",
    ),
    Fault(
        _DYCK,
        "return (*state, action) if len(state) < self.depth else None",
        "return (*state, action) if len(state) <= self.depth else None",
        "tests/test_languages.py",
        "nesting is at most the depth",
    ),
    Fault(
        _COUNTER,
        "needed = {i - 1: POSITIVE, i - 2: ZERO}",
        "needed = {i - 1: POSITIVE}",
        "tests/test_counter_machine.py",
        "in a run, all letters of the run before the last one are matched",
    ),
    Fault(
        _COUNTER,
        "return tuple([value > 0 for value in values])",
        "return tuple([value > 0 for value in values[:1]])",
        "tests/test_counter_machine.py::test_the_move_is_the_one_whose_tests_hold",
        "a move is looked up by the signs of all counters",
    ),
    Fault(
        _COUNTER,
        "if not any({a, b} == {ZERO, POSITIVE} for a, b in zip(one.tests, other.tests)):",
        "if False:",
        "tests/test_counter_machine.py",
        "no two moves apply together",
    ),
    Fault(
        _LANGUAGES,
        "rows = [[depth + 1 if depth < n else dead,",
        "rows = [[depth + 1,",
        "tests/test_languages.py",
        "D_n is nested at most n deep",
        equivalent="the depth after the greatest one has the number of the dead state",
    ),
    Fault(
        _LANGUAGES,
        "depth - 1 if depth else dead]",
        "max(depth - 1, 0)]",
        "tests/test_languages.py",
        "nothing is closed that is not open",
    ),
    Fault(
        "verify/evidence/strings_file.py",
        "    marks = not _is_symbol(END, parse)\n",
        "    marks = True\n",
        "tests/test_strings_file.py",
        "a symbol called END is a symbol",
    ),
]
