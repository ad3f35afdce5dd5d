"""Planted faults in the proof by search and in the verdicts that it gives."""

from .fault import Fault

_SEARCH = "verify/methods/bisimulation.py"
_STATES = "verify/methods/machine_states.py"
_PAIRS = "constructions/joint_states.py"
_CODES = "verify/methods/coded_models.py"
_TABLES = "constructions/ssm/tabulated.py"
_RELEVANCE = "constructions/ssm/relevance.py"
_JOINT = "tests/test_joint_states.py"
_VERDICT = "verify/verdict.py"
_CACHES = "verify/methods/hopeless.py"

FAULTS = [
    Fault(
        _CACHES,
        "    if classes <= claim.limit:\n",
        "    if classes < claim.limit:\n",
        "tests/test_cache_limit.py",
        "a search that the limit allows to close is not cut short",
    ),
    Fault(
        _CACHES,
        "min(claim.limit, most)",
        "claim.limit",
        "tests/test_cache_limit.py",
        "a search that cannot close is cut short",
    ),
    Fault(
        _SEARCH,
        (
            "        if (wrong := self._compare(machines, outputs)) is not None:\n"
            "            return self._refuted((), 0, *wrong)\n"
        ),
        "",
        "tests/test_bisimulation.py",
        "the outputs after the empty word are compared",
    ),
    Fault(
        _SEARCH,
        "wanted[cases // rows] != outputs.table[cases % rows]",
        "~wanted[cases // rows] & outputs.table[cases % rows]",
        "tests/test_bisimulation.py",
        "an output that is expected and not given is a disagreement",
    ),
    Fault(
        _SEARCH,
        "if len(self.pairs) > limit:",
        "if len(self.pairs) > limit + 1:",
        "tests/test_bisimulation.py",
        "the limit is the number of joint states kept",
    ),
    Fault(
        _SEARCH,
        "        holds = self.model.absorbed(self.absorbed, columns, dead)\n",
        "        holds = np.ones(len(dead), dtype=bool)\n",
        "tests/test_bisimulation.py",
        "a pair ends the search only where the model's row is shown to reject for ever",
    ),
    Fault(
        _SEARCH,
        "        dead = np.flatnonzero(over)\n",
        "        dead = np.arange(len(over))\n",
        "tests/test_bisimulation.py",
        "a pair ends the search only where the machine rejects for ever",
    ),
    Fault(
        _STATES,
        "legal = self.machine.legal(state) if self.mode == PREDICTIVE else self.alphabet",
        "legal = self.machine.legal(state) if self.mode == PREDICTIVE else self.alphabet[:1]",
        "tests/test_bisimulation.py",
        "in recognition every symbol is followed",
    ),
    Fault(
        _STATES,
        "return not self.machine.accepts(state) and all(",
        "return all(",
        "tests/test_bisimulation.py",
        "only a state that rejects may end the search",
        equivalent=(
            "outputs are compared before a pair may end the search, and a "
            "row that rejects for ever disagrees there "
            "with a state that accepts"
        ),
    ),
    Fault(
        _STATES,
        "found[closes, self._closers[top]] = below",
        "found[closes[:, None], self._closers] = below[:, None]",
        f"{_JOINT}::test_stacks_are_the_states_of_the_machine",
        "a bracket closes the one on top, of its own type",
    ),
    Fault(
        _STATES,
        "opens = (numbers < self._full)",
        "opens = (numbers <= self._full)",
        f"{_JOINT}::test_stacks_are_the_states_of_the_machine",
        "nothing is opened above the greatest depth",
    ),
    Fault(
        _STATES,
        "if type(machine) is DyckMachine and",
        "if isinstance(machine, DyckMachine) and",
        f"{_JOINT}::test_a_subclass_of_bounded_dyck_may_answer_differently",
        "a machine that overrides an answer is asked",
    ),
    Fault(
        _PAIRS,
        "            left = other.nonzero()[0]\n",
        "            left = waiting[:0]\n",
        f"{_JOINT}::test_pairs_whose_hashes_are_alike_are_told_apart",
        "no hash alone decides that two pairs are the same",
    ),
    Fault(
        _PAIRS,
        "for words, found in zip(self._words, packed):\n                other |=",
        "for words, found in zip(self._words[:1], packed):\n                other |=",
        f"{_JOINT}::test_pairs_whose_hashes_are_alike_are_told_apart",
        "all words of two pairs are compared",
    ),
    Fault(
        _PAIRS,
        "            if used + width > _WORD:\n",
        "            if used >= _WORD:\n",
        f"{_JOINT}::test_pairs_are_kept_as_a_list_without_repetitions_keeps_them",
        "no field loses bits at the end of a word",
    ),
    Fault(
        _PAIRS,
        "            if (self._greatest > self._layout.greatest).any():\n",
        "            if (self._greatest >> np.uint64(1) > self._layout.greatest).any():\n",
        f"{_JOINT}::test_pairs_are_kept_as_a_list_without_repetitions_keeps_them",
        "a field is as wide as its values",
    ),
    Fault(
        _PAIRS,
        "        while not self._written(fields):\n            self._widen()\n",
        "        if not self._written(fields):\n            self._widen()\n",
        f"{_JOINT}::test_pairs_are_kept_as_a_list_without_repetitions_keeps_them",
        "pairs are packed again where fields were widened",
    ),
    Fault(
        "constructions/combinations.py",
        "            place = place * size + field\n",
        "            place = place + field\n",
        "tests/test_combinations.py",
        "all parts of a combination tell it apart",
    ),
    Fault(
        "constructions/combinations.py",
        "            self._others.add([part[order] for part in known])\n",
        "            self._others.add(known)\n",
        "tests/test_combinations.py",
        "combinations keep their numbers where the table is given up",
    ),
    Fault(
        _CODES,
        "(wide << 1) ^ (wide >> 63)",
        "(wide << 1)",
        f"{_JOINT}::test_extreme_integers_are_coded_too",
        "negative numbers have codes of their own",
    ),
    Fault(
        _TABLES,
        "        if self._outgrown:\n",
        "        if False:\n",
        f"{_JOINT}::test_what_does_not_matter_yet_may_matter_later",
        "what matters is found anew when values reach further",
    ),
    Fault(
        _TABLES,
        "        self._result.clear()\n",
        "",
        f"{_JOINT}::test_what_does_not_matter_yet_may_matter_later",
        "what was computed of views is forgotten with them",
    ),
    Fault(
        _RELEVANCE,
        'mix.activation != "relu" or',
        "",
        f"{_JOINT}::test_a_bit_matters_where_it_does",
        "only a relu is 0 wherever its argument is negative",
    ),
    Fault(
        _RELEVANCE,
        "np.where(weights > 0, weights * greatest, weights * least)",
        "np.where(weights > 0, weights * least, weights * least)",
        f"{_JOINT}::test_a_bit_matters_where_it_does",
        "a neuron is dead only if no value in the range wakes it",
    ),
    Fault(
        _RELEVANCE,
        "x @ fixed.T + (bias * bias_unit + most) > 0",
        "x @ fixed.T + (bias * bias_unit + most) > bias_unit",
        f"{_JOINT}::test_a_bit_matters_where_it_does",
        "a neuron is dead only if it is never above 0",
    ),
    Fault(
        _RELEVANCE,
        "not (largest < limit).all() or",
        "",
        f"{_JOINT}::test_a_neuron_that_would_be_0_without_rounding_is_not_taken_to_be",
        "sums that round are not bounded",
    ),
    Fault(
        _RELEVANCE,
        "if not whole or",
        "if",
        f"{_JOINT}::test_a_neuron_that_would_be_0_without_rounding_is_not_taken_to_be",
        "fractions that may round are not bounded",
    ),
    Fault(
        _RELEVANCE,
        "or not _stored_exactly(mix.affine, numbers)",
        "",
        f"{_JOINT}::test_a_neuron_that_would_be_0_without_rounding_is_not_taken_to_be",
        "weights that are rounded are not bounded",
    ),
    Fault(
        "constructions/ssm/recurrence.py",
        "        return self.ids.min(keepdims=True), self.ids.max(keepdims=True)\n",
        "        return np.zeros(1), np.zeros(1)\n",
        f"{_JOINT}::test_what_does_not_matter_yet_may_matter_later",
        "a counter reaches as far as it does",
    ),
    Fault(
        "constructions/ssm/recurrence.py",
        "        return self.levels.min(axis=1), self.levels.max(axis=1)\n",
        "        return self.levels[:, 0], self.levels[:, 0]\n",
        f"{_JOINT}::test_a_bit_matters_where_it_does",
        "a bit may be in either of its states",
    ),
    Fault(
        _VERDICT,
        "return next(status for status in (1, 3, 0) if status in statuses)",
        "return next(status for status in (3, 1, 0) if status in statuses)",
        "tests/test_bisimulation.py",
        "one refuted check among several makes the whole refuted",
    ),
    Fault(
        _VERDICT,
        "if (self.outcome == REFUTED) != (self.witness is not None or self.pair is not None):",
        "if False:",
        "tests/test_bisimulation.py",
        "a refutation shows a string, and nothing else does",
    ),
    Fault(
        "verify/methods/hopeless.py",
        "int(machine.minimise().live.sum())",
        "machine.minimise().states",
        "tests/test_cache_limit.py::test_as_many_classes_of_an_automaton_as_the_limit_can_close",
        "the dead state of an automaton is no joint state of a predictor",
    ),
    Fault(
        "verify/proving.py",
        "worth = bool(cannot_close(claim))",
        "worth = False",
        "tests/test_cache_limit.py::test_what_no_search_closes_is_proved_by_a_method_that_visits_no_states",
        "where no search closes the other methods are tried",
    ),
    Fault(
        "verify/methods/search.py",
        "search(min(claim.limit, COUNTING_LIMIT))",
        "search(claim.limit)",
        "tests/test_linear.py::test_a_search_over_counters_ends_and_says_why",
        "a search over counters never closes",
    ),
    Fault(
        _TABLES,
        "            self._look_again()\n            return self.step(parts, features)\n",
        "            self._look_again()\n",
        f"{_JOINT}::test_what_does_not_matter_yet_may_matter_later",
        "what was seen of a part is seen again where more matters",
    ),
    Fault(
        _TABLES,
        "        if self._both is not None:\n            self._both.clear()\n",
        "",
        f"{_JOINT}::test_what_does_not_matter_yet_may_matter_later",
        "what was seen of a part is forgotten where more matters",
    ),
]
