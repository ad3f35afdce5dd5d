"""What boxes of logits decide under each convention, against the reading itself on points inside them."""

import numpy as np
import pytest
from learned_models import machine_of, opened, trained

from automata.machine import PREDICTIVE, RECOGNISE
from constructions.mamba.reading import Reading
from constructions.mamba.stepping import SteppedMamba
from verify.learned.answers import NOTHING, answers_for
from verify.learned.invariant import prove_running, verdict_of
from verify.learned.plain_answers import PlainAnswers
from verify.learned.proof import NoProof
from verify.learned.recheck import recheck_boxes
from verify.learned.semantics import probability_error
from verify.learned.weights import trained_mamba
from verify.numbers.boxes import NotCovered

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TOKENS, OUTPUTS = 6, (2, 4, 5)
CONVENTIONS = [
    *((option, PREDICTIVE) for option in ("logit:0", "logit:0.5", "softmax:0.05", "softmax:0.5", "softmax:0", "top")),
    *((option, RECOGNISE) for option in ("logit:0", "softmax:0.3", "top")),
]


def points_in(low, high, rng, count):
    """Random points and corners, float32, (rows, points, tokens)."""
    at = rng.random((len(low), count, TOKENS))
    at[:, ::3] = at[:, ::3] > 0.5
    found = (low[:, None] + at * (high - low)[:, None]).astype(np.float32)
    return np.clip(found, low[:, None].astype(np.float32), high[:, None].astype(np.float32))


def boxes(rng, rows):
    """Boxes of logits with float32 ends: points and wide ones, near each other and far apart, some of equal logits."""
    middle = rng.standard_normal((rows, TOKENS)) * 10 ** rng.uniform(-2, 2, (rows, 1))
    middle[rng.random((rows, TOKENS)) < 0.2] = 1.0
    middle[rng.random(rows) < 0.05] *= 1e25
    width = 10 ** rng.uniform(-7, 1, (rows, 1)) * (rng.random((rows, TOKENS)) < 0.5)
    return [(middle + side * width).astype(np.float32).astype(np.float64) for side in (-1, 1)]


def differences(read, low, high):
    """Bounds on what is read."""
    none = read[:, 1] == NOTHING
    taken = [np.where(none, 0, end[:, read[:, 1]]) for end in (high, low)]
    return np.nextafter(low[:, read[:, 0]] - taken[0], -np.inf), np.nextafter(high[:, read[:, 0]] - taken[1], np.inf)


@pytest.mark.parametrize("option, mode", CONVENTIONS)
def test_what_is_decided_is_so_at_every_point(option, mode):
    reading, rng = Reading.parse(option), np.random.default_rng(0)
    outputs = OUTPUTS if mode == PREDICTIVE else OUTPUTS[:1]
    asked, plain = answers_for(reading, outputs, TOKENS, mode), PlainAnswers(reading, outputs, TOKENS, mode)
    low, high = boxes(rng, 3000)
    points = points_in(low, high, rng, 24)
    wanted = rng.random((len(low), len(outputs))) < 0.5
    # Most of what is asked is what the middle gives, or little would be decided right.
    middle = reading.given(torch.from_numpy(points[:, 1]), list(outputs))
    wanted = np.where(rng.random((len(low), 1)) < 0.7, middle, wanted)
    least, greatest = asked.margins(*differences(asked.read, low, high), wanted)
    pairs = np.array([(a, NOTHING if b is None else b) for a, b in plain.read])
    with np.errstate(over="ignore"):
        rows = zip(*differences(pairs, low, high), wanted.tolist())
        checked = np.array([plain.margins(a, b, expected) for a, b, expected in rows])
    right, wrong, certain = (least > 0).all(1), (greatest < 0).any(1), (checked > 0).all(1)
    given = reading.given(torch.from_numpy(points), list(outputs))
    # The same, with probabilities that are computed in float32.
    single = torch.from_numpy(points).softmax(-1)[..., list(outputs)] > reading.threshold
    given = [given, single.numpy()] if reading.kind == "softmax" else [given]
    for each in given:
        mistaken = reading.wrong(wanted[:, None], each, mode)
        assert not mistaken[right].any() and not mistaken[certain].any() and mistaken[wrong].all()
    assert (certain | ~right).all()  # the finders ask for a little more
    # And they decide what can be decided: all points, and most of the rest.
    exact = ~((low < high).any(1))
    near = np.abs(checked).min(1) < 1e-3
    assert (right | wrong | near)[exact].mean() > 0.99 and (right | wrong).mean() > 0.3
    assert right.mean() > 0.02 and wrong.mean() > 0.02


def test_a_probability_is_within_its_error():
    """In float32 and float64, against the sum of exact exponentials."""
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(1)
    for size in (1.0, 20.0, 100.0, 1e4):
        logits = (rng.standard_normal((150, TOKENS)) * size).astype(np.float32)
        with mpmath.workdps(60):
            rows = [[mpmath.exp(mpmath.mpf(float(one))) for one in row] for row in logits]
            exact = [[one / mpmath.fsum(row) for one in row] for row in rows]
            for found in (torch.from_numpy(logits).softmax(-1), torch.from_numpy(logits).double().softmax(-1)):
                for row, other in zip(found.tolist(), exact):
                    for one, probability in zip(row, other):
                        assert abs(one - probability) <= probability_error(TOKENS) * probability + mpmath.mpf(2) ** -120


def test_what_shares_the_greatest_logit_with_what_is_not_expected_is_not_decided():
    top = Reading.parse("top")
    asked, plain = answers_for(top, OUTPUTS, TOKENS, PREDICTIVE), PlainAnswers(top, OUTPUTS, TOKENS, PREDICTIVE)
    exact = np.zeros((1, len(asked.read)))
    for wanted in ([True, True, False], [True, True, True], [False, False, False]):
        least, _ = asked.margins(exact, exact, np.array([wanted]))
        assert not (least > 0).any()
        assert not any(margin > 0 for margin in plain.margins(np.zeros(15), np.zeros(15), wanted))


def test_too_many_differences_are_refused():
    for option in ("softmax:0.1", "top"):
        with pytest.raises(NotCovered, match="more than 4096 differences"):
            answers_for(Reading.parse(option), range(100), 41, PREDICTIVE)
        with pytest.raises(NoProof, match="4096"):
            PlainAnswers(Reading.parse(option), range(100), 41, PREDICTIVE)
    assert len(answers_for(Reading.parse("logit:1"), range(100), 41, PREDICTIVE).read) == 100


# -- proofs -------------------------------------------------------------------------------------------


def read_by(model, option):
    return SteppedMamba(model.runner, model.vocabulary, 4, Reading.parse(option))


@pytest.mark.parametrize(
    "name, of, options",
    [
        ("d-2-sharp", "d-2", ("softmax:0.001", "top")),
        ("tomita-4", "tomita-4", ("top",)),
        ("flip-flop-n16-sharp", "flip-flop", ("softmax:0.01", "top")),
    ],
)
def test_a_common_shift_of_all_logits_changes_no_proof_by_probability(name, of, options):
    """What cross-entropy leaves open: any vector may be added to all rows of the head."""
    machine = machine_of(of)
    plain = opened(trained(name), machine)
    found = {option: prove_running(read_by(plain, option), machine, PREDICTIVE) for option in options}
    head = plain.runner.model.lm_head.weight
    with torch.no_grad():
        head += 8 * torch.randn(head.shape[1], generator=torch.Generator().manual_seed(0))
    assert prove_running(read_by(plain, "logit:0"), machine, PREDICTIVE, limit_steps=2_000).status != "proved"
    for option, before in found.items():
        after = prove_running(read_by(plain, option), machine, PREDICTIVE)
        assert (before.status, after.status) == ("proved", "proved"), (option, before.reason, after.reason)
        assert after.checked.boxes == before.checked.boxes and after.proof.answer == option
        assert abs(after.checked.margin / before.checked.margin - 1) < 1e-2  # bounds of differences, not of logits
        rest = trained_mamba(plain.runner.model), machine, plain.vocabulary
        assert recheck_boxes(after.proof, *rest, Reading.parse(option)).boxes == after.checked.boxes
        for other in {*options, "logit:0", "softmax:0.02"} - {option}:
            with pytest.raises(NoProof, match="reads outputs by"):
                recheck_boxes(after.proof, *rest, Reading.parse(other))


def test_what_is_wrong_by_probability_is_refuted_by_a_string_that_is_run():
    machine = machine_of("d-2")
    model = read_by(opened(trained("d-2-sharp"), machine), "softmax:0.9999")
    verdict = verdict_of(prove_running(model, machine, PREDICTIVE), model, machine, PREDICTIVE)
    assert verdict.outcome == "refuted" and verdict.witness is not None
