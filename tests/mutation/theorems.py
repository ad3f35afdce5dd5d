"""Planted faults in the theorems of verify/coq/theorems: without a hypothesis, or with a wrong weight, no proof."""

import shutil

from .fault import Fault

_THEOREMS = "verify/coq/theorems"
_CLOSED = "tests/test_coq_theorems.py::test_every_theorem_is_closed"
_LISTED = "tests/test_coq_theorems.py::test_nothing_is_admitted_and_every_file_is_in_the_makefile_and_the_list"

_SEEN_BY_COQ = [
    Fault(
        f"{_THEOREMS}/NonnegativeGates.v",
        "Definition monotone (f : Z -> Z) := forall v w, v <= w -> f v <= f w.",
        "Definition monotone (f : Z -> Z) := forall v w, v <= w -> f v = f v.",
        _CLOSED,
        "gates are nonnegative and rounding keeps order",
    ),
    Fault(
        f"{_THEOREMS}/NonnegativeGates.v",
        "forall v, within low high v -> within low high (f v).",
        "forall v, within low high v -> within v v v.",
        _CLOSED,
        "states stay between two bounds",
    ),
    Fault(
        f"{_THEOREMS}/AuditedModels.v",
        "(2 ^ SSM.exponent (fst m) | snd t)).",
        "(1 | snd t)).",
        _CLOSED,
        "no fraction of what may grow is rounded",
    ),
    Fault(
        f"{_THEOREMS}/AuditedModels.v",
        "(if g then a = 0 \\/ a = one else 0 <= a /\\ within low high v)",
        "(if g then 0 <= a else 0 <= a /\\ within low high v)",
        _CLOSED,
        "what may grow has gates 0 and 1 only",
    ),
    Fault(
        f"{_THEOREMS}/AuditedModels.v",
        "      Forall (within low high) x /\\",
        "      Forall (fun v => v = v) x /\\",
        _CLOSED,
        "finitely many features enter each layer",
    ),
    Fault(
        f"{_THEOREMS}/BoundedDyck.v",
        "[(j, 1); (S j, -2); (S (S j), 1)].",
        "[(j, 1); (S j, -1); (S (S j), 1)].",
        _CLOSED,
        "the depth is compared with one number",
    ),
    Fault(
        f"{_THEOREMS}/Shuffles.v",
        ":= (0, [((2 * i)%nat, 1); ((2 * i + 1)%nat, -1)]).",
        ":= (0, [((2 * i)%nat, 1); ((2 * i)%nat, -1)]).",
        _CLOSED,
        "a closing bracket takes one from its counter",
    ),
]

FAULTS = [
    Fault(
        f"{_THEOREMS}/Parity.v",
        "Print Assumptions parity_counts.\n",
        "",
        _LISTED,
        "the assumptions of every theorem are printed",
    ),
    Fault(
        f"{_THEOREMS}/LeastMemory.v",
        "Proof. unfold dyck_answer. apply last_last. Qed.",
        "Admitted.",
        _LISTED,
        "nothing is admitted",
    ),
    # Without Coq nothing could see these.
    *(_SEEN_BY_COQ if shutil.which("coqc") else ()),
]
