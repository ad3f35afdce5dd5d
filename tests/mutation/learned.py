"""Planted faults in what is said of learned models."""

from .fault import Fault

_PART = "verify/learned/part.py"
_EXPECTED = "verify/learned/expectation.py"
_FADING = "verify/learned/fading.py"
_LIMITS = "verify/learned/limits.py"
_CONCLUSION = "verify/learned/conclusion.py"
_READING = "constructions/mamba/reading.py"
_GREEDY = "verify/checkpoints/greedy.py"
_CHECK = "verify/commands/check_checkpoint.py"
_EXTRACTION = "verify/learned/extraction.py"
_EDGES = "constructions/mamba/edges.py"
_FORKS = "constructions/mamba/forks.py"

FAULTS = [
    Fault(
        _CHECK,
        "        if opened.forgets and not judged_by_top:\n",
        "        if opened.forgets:\n",
        "tests/test_answers.py::test_right_by_its_most_likely_token_alone",
        "what theory says of sets of symbols says nothing of one",
    ),
    Fault(
        "constructions/growing.py",
        "self._have_room(max(count, self._count + self._count // 2))",
        "self._have_room(count)",
        "tests/test_state_table.py::test_what_is_known_already_makes_no_step_dearer",
        "a table that is copied for every batch",
    ),
    Fault(
        "constructions/joint_states.py",
        "            self._entries.append(rows.take(free.take(won), axis=0))\n",
        "            self._entries._array = np.concatenate([self._entries.rows, rows[free[won]]])\n"
        "            self._entries._count = len(self._entries._array)\n",
        "tests/test_state_table.py::test_what_is_known_already_makes_no_step_dearer",
        "a table that is copied for every batch, elsewhere",
    ),
    Fault(
        _PART,
        "            if symbol not in legal:\n                row.append(ILLEGAL)\n                continue\n",
        "",
        "tests/test_expectation.py",
        "of what predicts, legal symbols alone are followed",
    ),
    Fault(
        _EXPECTED,
        "if (v := _separator(part, p, q)) is not None:",
        "if (v := _separator(part, p, q) or ()) is not None:",
        "tests/test_expectation.py",
        "two states that nothing tells apart are no reason",
    ),
    Fault(
        _EXPECTED,
        "return word * (power - start), *pair",
        "return word, *pair",
        "tests/test_expectation.py",
        "a word that swaps two states leads them back only when it is read twice",
    ),
    Fault(
        _EXPECTED,
        "        if (left == alive).all():\n            break\n",
        "        break\n",
        "tests/test_expectation.py",
        "a pair from which a path goes on need not come back",
    ),
    Fault(
        _EXPECTED,
        "InTheory(mode, None if regular else False)",
        "InTheory(mode, True)",
        "tests/test_expectation.py",
        "what was not looked at to the end is not known",
    ),
    Fault(
        _FADING,
        "        self._compare(rows, self.at, given, np.zeros((len(rows), 0), dtype=np.int64))\n",
        "",
        "tests/test_fading_words.py",
        "the model is asked on the way, too",
    ),
    Fault(
        _FADING,
        "                self._compare(rows, at, given[:, i], endings[:, : i + 1])\n",
        "",
        "tests/test_fading_words.py",
        "the model is asked after each ending",
    ),
    Fault(
        _FADING,
        "        ended = self.read_symbols % self._lengths == 0\n",
        "        ended = self.read_symbols >= 0\n",
        "tests/test_fading_words.py",
        "endings branch off where v has been read to its end, as the state is known there",
    ),
    Fault(
        _FADING,
        "    if run.witness is not None and length > branched + 1:\n",
        "    if run.witness is None:\n",
        "tests/test_fading_words.py",
        "the endings in between are looked at once something is wrong",
    ),
    Fault(
        _FADING,
        "length + _ROUND * max(1, length // (10 * _ROUND))",
        "length + length // 10",
        "tests/test_fading_words.py",
        "endings branch off where each v has been read to its end",
    ),
    Fault(
        _FADING,
        "_ENDING, _LONGEST_ENDING = 128, 3, 2, 6",
        "_ENDING, _LONGEST_ENDING = 128, 3, 2, 2",
        "tests/test_drifting_states.py::test_what_was_forgotten_matters_a_few_symbols_later",
        "what was forgotten may matter only a few symbols later",
    ),
    Fault(
        _FADING,
        "                found.append((rows[~goes_on.any(axis=1)], endings[~goes_on.any(axis=1)]))\n",
        "                pass\n",
        "tests/test_fading_words.py::test_every_short_word_is_an_ending_or_begins_one",
        "an ending that nothing may follow is asked for itself",
    ),
    Fault(
        _FADING,
        "            if length > 1 and goes_on.sum() > most:\n                break\n",
        "",
        "tests/test_fading_words.py::test_every_short_word_is_an_ending_or_begins_one",
        "longer endings are tried where they are few",
    ),
    Fault(
        _FORKS,
        "                    tensor[: self.rows][stay] = was[: self.rows][stay]\n",
        "                    pass\n",
        "tests/test_fading_words.py",
        "a string that is not going stays as it is",
    ),
    Fault(
        _FORKS,
        "        self._put(kept)\n        return np.concatenate(parts)",
        "        return np.concatenate(parts)",
        "tests/test_fading_words.py",
        "the strings go on as if nothing had branched off",
    ),
    Fault(
        _LIMITS,
        "h = np.where(lost == 0, state, h / -np.expm1(lost))",
        "h = np.where(lost == 0, state, h)",
        "tests/test_limits_of_words.py",
        "the limit is the fixed point of a period",
    ),
    Fault(
        _LIMITS,
        "holds = (decay > -_HELD) & absorbed",
        "holds = np.zeros_like(absorbed)",
        "tests/test_limits_of_words.py",
        "what float32 holds stays what u made it",
    ),
    Fault(
        _LIMITS,
        "np.where(places < 0, places % period, places)",
        "np.maximum(places, 0)",
        "tests/test_limits_of_words.py",
        "before w, the convolution sees w",
    ),
    Fault(
        _LIMITS,
        "            if witness is None:\n                right, n = n,",
        "            if witness is None and best is None:\n"
        "                best = witness = Witness((), frozenset(), frozenset())\n"
        "            if witness is None:\n                right, n = n,",
        "tests/test_limits_of_words.py",
        "a wrong limit alone refutes nothing",
    ),
    Fault(
        _CONCLUSION,
        "if REFUTED not in outcomes and PROVED in outcomes:",
        "if PROVED in outcomes:",
        "tests/test_limits_of_words.py",
        "what is refuted is refuted, whatever else was proved",
    ),
    Fault(
        _READING,
        "(given.sum(dim=-1, keepdim=True) == likely)",
        "(likely >= 1)",
        "tests/test_answers.py",
        "where a token that is no output is as likely, nothing is given",
    ),
    Fault(
        _READING,
        "return ~given.any(axis=-1) | (given & ~wanted).any(axis=-1)",
        "return (given & ~wanted).any(axis=-1)",
        "tests/test_answers.py",
        "whoever gives nothing is wrong",
    ),
    Fault(
        _READING,
        "if self.kind == TOP and mode == PREDICTIVE:",
        "if self.kind == TOP:",
        "tests/test_answers.py",
        "a recogniser that gives nothing rejects",
    ),
    Fault(
        _GREEDY,
        "        given[right] = legal[right]\n",
        "        given[:] = legal\n",
        "tests/test_answers.py",
        "a most likely token that is not legal is wrong",
    ),
    Fault(
        "verify/learned/invariant.py",
        "stepped.vocabulary, mode, reading=stepped.reading, **options)",
        "stepped.vocabulary, mode, **options)",
        "tests/test_answers.py",
        "an invariant is of the rule that was asked for",
    ),
    Fault(
        _EXTRACTION,
        "row.tobytes() + names.tobytes() for row",
        "row.tobytes() + given[:1, :0].tobytes() for row",
        "tests/test_extraction.py",
        "what is given depends on more than the caches",
    ),
    Fault(
        _EXTRACTION,
        "verdict = search_checkpoint(dfa, fresh, mode, limit=max(limit, 2 * len(table)), progress=progress)",
        'verdict = Verdict("proved", "extraction", mode, model.arithmetic)',
        "tests/test_extraction.py",
        "what was extracted is believed only when it is proved",
    ),
    Fault(
        _EDGES,
        "self._writes = weights.tensors",
        "self._writes = 0 * weights.tensors",
        "tests/test_edges.py",
        "edges are weights that are not zero",
    ),
    Fault(
        _EDGES,
        "            if channel not in (_CONSTANT, cell)\n",
        "            if channel not in (_CONSTANT, cell) and step < 0\n",
        "tests/test_edges.py",
        "who moves the step size of a memory feeds it",
    ),
]
