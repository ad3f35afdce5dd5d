"""Planted faults in the proof by a relation on affine forms, and in the writers of certificates."""

from .fault import Fault

_PROVE, _FORMS = "verify/methods/relation/prove.py", "verify/methods/relation/forms.py"
_HORIZON, _ENTRIES = "verify/methods/relation/horizon.py", "verify/methods/relation/entries.py"
_DOCUMENT, _WRITER = "verify/certificate/document.py", "verify/certificate/writer.py"
_COMMAND = "verify/commands/certificates.py"

_TESTS, _CERTIFICATES = "tests/test_relation.py", "tests/test_certificate.py"
_CLAIMS = "tests/test_float_claims.py"
_CORRUPTED = f"{_TESTS}::test_no_corrupted_model_is_proved_that_a_search_refutes"
_SOLVER = f"{_TESTS}::test_the_solver_says_the_same"

FAULTS = [
    Fault(
        _PROVE,
        "        self._lead(self.first(), control, tuple(values))\n",
        "",
        f"{_TESTS}::test_the_start_is_looked_at",
        "BOS leads into the entry of the start",
    ),
    Fault(
        _PROVE,
        "            elif self.recognise:\n                self._die(case)\n",
        "",
        _CORRUPTED,
        "a violation leads into the entry of the dead",
    ),
    Fault(
        _PROVE,
        "            if stepped.entry is None or stepped.entry.control is None:\n                self._die(stepped)\n",
        "            if stepped.entry is None or stepped.entry.control is None:\n                pass\n",
        f"{_TESTS}::test_what_happens_after_a_violation_is_looked_at",
        "the dead stay dead",
    ),
    Fault(
        _PROVE,
        "self._coordinate(stepped, where, counters[term.counter] if isinstance(term, CounterValue) else term)",
        "pass",
        _CORRUPTED,
        "coordinates after a step are those of the entry",
    ),
    Fault(
        _PROVE,
        "            self._output(stepped, number, self._ways(control, output), counters)\n",
        "            pass\n",
        _CORRUPTED,
        "outputs are those of the machine",
    ),
    Fault(
        _PROVE,
        "            self._output(stepped, number, [], ())\n",
        "            pass\n",
        _CORRUPTED,
        "nothing is given after a violation",
    ),
    Fault(
        _PROVE,
        "if given and (least is None or least <= 0)",
        "if given and (most is not None and most <= 0)",
        f"{_TESTS}::test_an_output_is_looked_at_in_the_whole_range",
        "an output is given in the whole box",
    ),
    Fault(
        _FORMS,
        "        if least is None or least < low:\n            raise OpenSign(above(value, low, self.box))\n",
        "",
        f"{_TESTS}::test_an_output_is_looked_at_in_the_whole_range",
        "a relu whose sign is open is cut",
    ),
    Fault(
        _FORMS,
        "room // c + 1 if c > 0 else -(room // -c)",
        "room // c if c > 0 else -(room // -c)",
        f"{_TESTS}::test_a_cut_decides_a_form_of_one_parameter",
        "a cut is at the breakpoint",
    ),
    Fault(
        _FORMS,
        "        check_covered(ssm)\n",
        "",
        f"{_TESTS}::test_fractions_and_wrapping_integers_are_not_spoken_of",
        "weights are integers that do not wrap",
    ),
    Fault(
        _HORIZON,
        "for stepped in (proof.first(), *proof.steps())",
        "for stepped in proof.steps()",
        [
            f"{_CLAIMS}::test_a_step_on_bos_that_rounds_is_part_of_the_claim",
            f"{_TESTS}::test_what_rounds_on_bos_is_no_proof",
        ],
        "BOS counts in the horizon",
    ),
    Fault(
        _HORIZON,
        "    if proof.ssm.mode != PREDICTIVE:\n",
        "    if False:\n",
        [
            f"{_CLAIMS}::test_a_letter_may_multiply_a_counter_after_a_violation",
            f"{_TESTS}::test_a_counter_that_runs_away_after_a_violation_shortens_the_horizon",
        ],
        "how fast counters grow after a violation",
    ),
    Fault(
        _HORIZON,
        "max(-lowest, highest) <= 2**bits",
        "max(-lowest, highest) <= 2 ** (bits + 1)",
        _SOLVER,
        "sums up to 2^p are exact",
    ),
    Fault(
        _DOCUMENT,
        "        if machine != named:\n",
        "        if named is None:\n",
        f"{_CERTIFICATES}::test_a_machine_that_only_has_a_name_of_the_catalogue_has_none",
        "a machine is the one that its name says",
    ),
    Fault(
        _DOCUMENT,
        '        if layer.gate_function != "affine":\n',
        "        if False:\n",
        f"{_CERTIFICATES}::test_a_model_with_gate_functions_has_none",
        "gates are affine",
    ),
    Fault(
        _WRITER,
        "    if verdict.outcome != PROVED:\n",
        "    if False:\n",
        f"{_CERTIFICATES}::test_what_is_not_decided_has_none",
        "only what is proved has a certificate",
    ),
    Fault(
        _COMMAND,
        "EXIT_STATUS[PROVED if done.returncode == _VERIFIED else UNDECIDED]",
        "done.returncode",
        f"{_CERTIFICATES}::test_a_refused_language_has_a_certificate_too",
        "a certificate that fails refutes nothing",
    ),
]
