"""Planted faults in the audit of labels, and in what makes a row of the table of the paper's languages fail."""

from .fault import Fault

_AUDIT = "verify/evidence/dataset.py"
_CONVENTIONS = "verify/evidence/conventions.py"
_OTHERS = "verify/evidence/other_datasets.py"
_EXPORTED, _PAGE = "verify/report/exported.py", "verify/report/page.py"
_SUITE = "verify/suite.py"
_DATASET_TESTS = "tests/test_dataset.py"
_SUITE_TESTS = "tests/test_suite.py"
_OTHERS_TESTS = "tests/test_other_datasets.py"
_PAGE_TESTS = "tests/test_page.py"

FAULTS = [
    Fault(
        _AUDIT,
        "return missed - left >= HABIT and left * _REST <= missed",
        "return missed - left >= HABIT",
        f"{_DATASET_TESTS}::test_an_oddity_leaves_few_labels_unexplained",
        "a convention accounts for nearly all that the plain one does not",
    ),
    Fault(
        _AUDIT,
        "if missed >= HABIT else plain",
        "if missed else plain",
        f"{_DATASET_TESTS}::test_a_few_errors_are_no_convention",
        "odd conventions are looked for where many labels are missed",
        "the difference is asked to be HABIT, so fewer missed labels never make an odd convention: this saves time",
    ),
    Fault(
        _AUDIT,
        "np.flatnonzero((self.labels != right) | (self.labels != expected))",
        "np.flatnonzero(self.labels != right)",
        f"{_DATASET_TESTS}::test_errors_are_found_beside_an_oddity",
        "a label that follows the definition where its file does not is named too",
    ),
    Fault(
        _AUDIT,
        "            explained = convention.oddity if self.labels[place] == expected[place] else None\n",
        "            explained = convention.oddity\n",
        f"{_DATASET_TESTS}::test_errors_are_found_beside_an_oddity",
        "an oddity explains only the labels that it makes",
    ),
    Fault(
        _AUDIT,
        "column = (place - int(starts[line])) * self.width + 1",
        "column = place - int(starts[line]) + 1",
        f"{_DATASET_TESTS}::test_fifty_planted_errors_are_found_each_at_its_place",
        "columns are those of the file of labels",
    ),
    Fault(
        _AUDIT,
        'side="right")) - 1',
        'side="left")) - 1',
        f"{_DATASET_TESTS}::test_fifty_planted_errors_are_found_each_at_its_place",
        "the first label of a line is on that line",
    ),
    Fault(
        _AUDIT,
        "    if len(strings) != len(labels):\n",
        "    if False:\n",
        f"{_DATASET_TESTS}::test_malformed_lines_are_placed_and_stop_nothing",
        "strings without labels are malformed",
    ),
    Fault(
        _AUDIT,
        "return not self.malformed and not self.unexplained",
        "return not self.unexplained",
        f"{_DATASET_TESTS}::test_a_malformed_line_alone_fails",
        "a malformed line fails",
    ),
    Fault(
        _AUDIT,
        "            after.append(-1)\n",
        "            after.append(at[first])\n",
        f"{_DATASET_TESTS}::test_shifted_labels",
        "nothing follows a whole string",
    ),
    Fault(
        _CONVENTIONS,
        "return label.translate(FLIPPED) if self.negated else label",
        "return label",
        f"{_DATASET_TESTS}::test_errors_are_found_beside_an_oddity",
        "negated labels are turned over",
    ),
    Fault(
        _CONVENTIONS,
        "_ends(s, may) if s.last == symbol else s",
        "_ends(s, may)",
        f"{_DATASET_TESTS}::test_oddities_of_own_files",
        "only strings that end with the symbol are altered",
    ),
    Fault(
        _CONVENTIONS,
        "if target == state}",
        "if target != state}",
        f"{_DATASET_TESTS}::test_a_live_state_taken_for_dead",
        "the steps into the state are those called illegal",
    ),
    Fault(
        _SUITE,
        "    if found is not None and found.unexplained:\n",
        "    if False:\n",
        f"{_SUITE_TESTS}::test_a_wrong_label_turns_its_row_red",
        "a wrong label fails its row",
    ),
    Fault(
        _SUITE,
        "if decision.verdict is not None and decision.verdict.outcome == REFUTED:",
        "if False:",
        f"{_SUITE_TESTS}::test_a_wrong_weight_turns_its_row_red",
        "refuted weights fail their row",
    ),
    Fault(
        _SUITE,
        "if known.star_free or known.dfa().accepts_word(one) == known.dfa().accepts_word(other):",
        "if known.star_free:",
        f"{_SUITE_TESTS}::test_what_is_said_to_be_impossible_is_shown",
        "just one of the two strings is a word",
    ),
    Fault(
        _SUITE,
        "    if found is not None and found.malformed:\n",
        "    if False:\n",
        f"{_SUITE_TESTS}::test_a_malformed_line_turns_its_row_red",
        "a malformed line fails its row",
    ),
    Fault(
        _OTHERS,
        "            if differs or odd:\n",
        "            if differs:\n",
        f"{_OTHERS_TESTS}::test_labels_that_are_negated_throughout",
        "a label that is right where its file is negated is named too",
    ),
    Fault(
        _OTHERS,
        '        if label.strip() == "1":\n',
        "        if True:\n",
        f"{_OTHERS_TESTS}::test_right_labels_and_sets_are_right",
        "sets are given of words alone",
    ),
    Fault(
        _OTHERS,
        "        if symbol not in legal:\n            return",
        "        if False:\n            return",
        f"{_OTHERS_TESTS}::test_bounded_dyck_as_numbers_and_as_tokens",
        "what follows a symbol that is not legal is about no word",
    ),
    Fault(
        _OTHERS,
        "right = END if found.machine.accepts(state) else",
        "right = END if True else",
        f"{_OTHERS_TESTS}::test_bounded_dyck_as_numbers_and_as_tokens",
        "a string that is said to be complete is a word",
    ),
    Fault(
        _OTHERS,
        "        if len(sets) != len(word) + 1:\n",
        "        if False:\n",
        f"{_OTHERS_TESTS}::test_lines_that_do_not_fit_are_said",
        "there is a set for each prefix",
    ),
    Fault(
        _EXPORTED,
        "return value if abs(value) < _SAFE else str(value)",
        "return value",
        f"{_PAGE_TESTS}::test_numbers_beyond_those_of_javascript",
        "an integer that JavaScript would round is a text",
    ),
    Fault(
        _PAGE,
        "    check_replaceable(folder, own_files(folder), A_PAGE)\n",
        "    pass\n",
        f"{_PAGE_TESTS}::test_a_folder_that_is_not_the_page_s_is_refused_at_once",
        "what is in the way is said before any work",
    ),
]
