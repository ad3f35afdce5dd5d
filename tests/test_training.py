"""Training: the scan has the stock derivative, strings are legal, and one that was interrupted ends like any other."""

import json
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import EOS, run  # noqa: E402
from automata.saved_language import saved_text  # noqa: E402
from constructions.mamba.surroundings import transformers_ready  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.training import course as courses  # noqa: E402
from verify.training.course import Course, train  # noqa: E402
from verify.training.folder import RECORD_FILE, STATE_FILE, read_record, read_state  # noqa: E402
from verify.training.loop import Training, percent_right  # noqa: E402
from verify.training.models import compiled_model, fresh_model, perturb, stored_model  # noqa: E402
from verify.training.protocol import COMPILED, HELD, NOISE, REPAIR, Protocol  # noqa: E402
from verify.training.scan import Scan, fast_scan  # noqa: E402
from verify.training.strings import GivenStrings, OwnStrings, Walker, overlap, read_words  # noqa: E402

SMALL = Protocol(layers=1, d_model=4, steps=40, length=12, batch=8)


@pytest.fixture(autouse=True)
def quiet_transformers():
    with transformers_ready():
        yield


def a_course(name="d-2", protocol=SMALL, **more):
    known = language(name)
    return Course(known.machine, name, saved_text(known, "predictive"), protocol, **more)


# -- the scan -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(8, 1, 1, 4), (8, 2, 3, 2), (16, 3, 16, 4)])
def test_the_scan_has_the_outputs_and_the_derivative_of_the_stock_model(sizes):
    width, layers, state, conv = sizes
    model = fresh_model(4, Protocol(layers=layers, d_model=width, state=state, conv=conv)).train()
    tokens = torch.randint(0, 7, (5, 23), generator=torch.Generator().manual_seed(1))

    def found():
        model.zero_grad()
        logits = model(tokens, use_cache=False).logits
        torch.nn.functional.softplus(logits).mean().backward()
        return [logits.detach(), *(weight.grad.clone() for weight in model.parameters())]

    stock = found()
    with fast_scan():
        fast = found()
    for one, other in zip(stock, fast):
        assert torch.linalg.norm(one - other) <= 1e-6 * torch.linalg.norm(one)
    assert any(not torch.equal(one, other) for one, other in zip(stock, fast)), "the scan was not used"


def test_the_derivative_of_the_scan_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 2, 3), (4, 2, 3), (3, 2), (4, 2, 2), (4, 2, 2))
    x, dt, A, B, C = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    arguments = [tensor.requires_grad_() for tensor in (x, dt.abs(), -A.abs(), B, C)]
    arguments = [tensor.detach().requires_grad_() for tensor in arguments]
    assert torch.autograd.gradcheck(Scan.apply, arguments)


def test_the_stock_scan_is_back_afterwards():
    from transformers.models.mamba import modeling_mamba

    stock = modeling_mamba.mamba_selective_scan
    with pytest.raises(ZeroDivisionError), fast_scan():
        assert modeling_mamba.mamba_selective_scan is not stock
        raise ZeroDivisionError
    assert modeling_mamba.mamba_selective_scan is stock


# -- strings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d-2", "tomita-3", "flip-flop", "dyck-2-3", "anbn", "shuffle-2"])
def test_targets_are_what_the_machine_says_after_each_prefix(name):
    machine = language(name).machine
    drawn = Walker(machine).draw(200, 0, 15, np.random.default_rng(0), 0.5, (0.5, 3.0))
    assert drawn.lengths.max() > 10 and len(set(drawn.keys())) > 20
    for symbols, legal, length in zip(drawn.symbols, drawn.legal, drawn.lengths):
        word = [machine.alphabet[i] for i in symbols[:length]]
        assert set(symbols[length:].tolist()) <= {-1} and not legal[length + 1 :].any()
        for time in range(length + 1):
            wanted = machine.legal(run(machine, word[:time]))
            assert [*(s in wanted for s in machine.alphabet), EOS in wanted] == legal[time].tolist()
            assert time == length or word[time] in wanted


def test_strings_that_validate_are_words_where_a_walk_passes_one():
    strings = Walker(language("anbn").machine).bin(30, 1, 20, np.random.default_rng(0))
    assert len(strings) == 30 and strings.legal[np.arange(30), strings.lengths, -1].all()


def test_a_given_string_is_cut_where_it_dies():
    strings = Walker(language("tomita-1").machine).along(["1101", "11"])
    assert strings.lengths.tolist() == [2, 2] and strings.legal.shape == (2, 3, 3)


def test_a_step_has_its_own_strings_whenever_it_is_asked():
    walker = Walker(language("d-2").machine)
    one, other = OwnStrings(walker, 12, 3), OwnStrings(Walker(walker.machine), 12, 3)
    # Chunks are of 2048 strings: the last of these steps is in the second of them.
    later = [other.batch(step, 32).keys() for step in (70, 5, 0)]
    assert [one.batch(step, 32).keys() for step in (0, 5, 70)] == later[::-1]
    assert set(sum(later, [])) <= one.distinct(71, 32)
    assert one.distinct(2, 32) == set(one.batch(0, 32).keys() + one.batch(1, 32).keys())
    assert OwnStrings(walker, 12, 4).batch(0, 32).keys() != later[2]


def test_given_strings_come_once_in_each_epoch():
    words = ["10" * n for n in range(1, 8)]
    source = GivenStrings(Walker(language("tomita-2").machine).along(words), "", 0)
    drawn = [key for step in range(7) for key in source.batch(step, 2).keys()]
    assert sorted(drawn[:7]) == sorted(drawn[7:]) == sorted(source.strings.keys()) and drawn[:7] != drawn[7:]
    assert source.distinct(1, 2) == set(drawn[:2]) and source.distinct(4, 2) == set(drawn)


def test_the_overlap_is_counted_by_strings():
    walker = Walker(language("tomita-1").machine)
    strings = walker.along(["1", "11", "11", "111"])
    assert overlap(strings, set(walker.along(["11", "1111"]).keys())) == 50
    assert overlap(strings.rows(np.arange(0)), set()) is None
    assert overlap(strings, set(walker.draw(1, 3, 3, np.random.default_rng(0), 0.0, (1.0,)).keys())) == 25


@pytest.mark.parametrize("name, folder", [("tomita-1", "Tomita-1"), ("tomita-2", "Tomita-2"), ("anbn", "anbn")])
def test_every_released_string_of_a_thin_language_is_a_training_string(shared_data, name, folder):
    released = shared_data("released") / folder
    source, validation = courses._strings(a_course(name, released=released), Walker(language(name).machine))
    assert validation[0][1].endswith("val_src_bin0.txt")
    assert overlap(validation[0][2], source.distinct(1500, 32)) == 100


def test_hardly_any_released_string_of_another_language_is(shared_data):
    released = shared_data("released") / "Tomita-4"
    source, validation = courses._strings(a_course("tomita-4", released=released), Walker(language("tomita-4").machine))
    assert 0 < overlap(validation[0][2], source.distinct(200, 32)) < 20


def test_a_file_of_strings_names_what_is_wrong_with_it(tmp_path):
    (tmp_path / "strings").write_text("ab\n\nabc\n")
    with pytest.raises(InputError, match="strings, line 3, column 3: 'c' is not a symbol"):
        read_words(tmp_path / "strings", "ab")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InputError, match="empty: has no strings"):
        read_words(tmp_path / "empty", "ab")


# -- the loop -----------------------------------------------------------------------------------------


def test_gates_are_pushed_when_the_protocol_says():
    sharp = Protocol(sharpen=True)
    assert [sharp.gate_noise(done) for done in (0, 0.15, 0.35, 0.55, 1)] == pytest.approx(
        [0, 0, NOISE / 2, NOISE, NOISE]
    )
    assert sharp.gate_penalty(0.6) == 0 < sharp.gate_penalty(0.65) < sharp.gate_penalty(0.8) == sharp.gate_penalty(1)
    assert sharp.step_size_rate(0.2) == 5 * sharp.learning_rate(0.2) and sharp.step_size_rate(0.1) < sharp.rate
    plain = Protocol()
    assert not any(plain.gate_noise(done) or plain.gate_penalty(done) for done in (0.2, 0.9))
    # What is held lies where float32 has no step size at all.
    assert torch.nn.functional.softplus(torch.tensor(HELD)) == 0 and HELD > -NOISE


def test_noise_is_put_on_small_step_sizes_alone(monkeypatch):
    kept = []

    def watched(change):
        kept.append(change)
        return fast_scan(change)

    monkeypatch.setattr("verify.training.loop.fast_scan", watched)
    protocol = replace(SMALL, sharpen=True)
    training = Training(fresh_model(2, protocol), OwnStrings(Walker(language("d-2").machine), 12, 0), protocol)
    training.step = 30
    training.advance()
    before = torch.tensor([[[-50.0, -3.5, -2.5, 4.0]] * 50])
    moved = (kept[0](before) - before)[0]
    assert (moved[:, :2] > 0).all() and NOISE / 2 < moved.max() <= NOISE and (moved[:, 2:] == 0).all()


def test_a_small_model_learns():
    walker = Walker(language("tomita-1").machine)
    protocol = replace(SMALL, steps=100)
    training = Training(fresh_model(2, protocol), OwnStrings(walker, 12, 0), protocol)
    strings = walker.bin(20, 1, 12, np.random.default_rng(1))
    assert percent_right(training.model, strings) < 100
    while training.step < protocol.steps:
        training.advance()
    assert percent_right(training.model, strings) == 100 and training.loss < 0.1
    assert percent_right(training.model, strings.rows(np.arange(0))) is None


def test_a_training_that_diverges_says_so():
    training = Training(fresh_model(2, SMALL), OwnStrings(Walker(language("d-2").machine), 12, 0), SMALL)
    with torch.no_grad():
        training.model.lm_head.weight.fill_(float("inf"))
    with pytest.raises(InputError, match="the loss is .* at step 1: try a smaller --rate"):
        training.advance()


def test_relative_steps_leave_zeros_alone():
    protocol = replace(SMALL, start=COMPILED, noise=0.05, rate=1e-3, steps=3)
    machine = language("flip-flop").machine
    model = compiled_model(machine)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    perturb(model, 0.05, 0)
    training = Training(model, OwnStrings(Walker(machine), 12, 0), protocol)
    while training.step < 3:
        training.advance()
    moved = 0
    for name, weight in model.state_dict().items():
        assert ((weight == 0) == (before[name] == 0)).all()
        moved += int((weight != before[name]).sum())
    assert moved > 100


# -- the folder ---------------------------------------------------------------------------------------


def interrupted_after(step):
    """Progress that interrupts the process when so many steps are done."""

    class Interrupting:
        done = 0

        def advance(self, amount):
            self.done += amount
            if self.done == step:
                signal.raise_signal(signal.SIGINT)

    return Interrupting()


@pytest.mark.parametrize(
    "protocol", [replace(SMALL, sharpen=True), replace(SMALL, start=COMPILED, noise=0.1, steps=20)]
)
def test_an_interrupted_training_ends_bit_for_bit_like_one_that_was_not(tmp_path, monkeypatch, protocol):
    monkeypatch.setattr(courses, "IN_A_BIN", 10)
    monkeypatch.setattr(courses, "LONG", ())
    course = a_course("flip-flop", protocol)
    whole = train(course, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(course, tmp_path / "parts", interrupted_after(17))
    stopped = read_record(tmp_path / "parts")
    assert (stopped.step, stopped.result, stopped.over) == (17, {}, False)
    assert transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "parts") is not None
    # Whatever else is drawn in between does not count.
    torch.manual_seed(5)
    ended = train(course, tmp_path / "parts")
    files = {path.name for path in (tmp_path / "parts").iterdir()}
    assert files == {path.name for path in (tmp_path / "whole").iterdir()} and STATE_FILE not in files
    for name in files - {RECORD_FILE}:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert replace(ended, seconds=whole.seconds) == whole and ended.seconds > stopped.seconds
    assert train(course, tmp_path / "parts", interrupted_after(0)) == ended


def test_a_training_that_was_killed_goes_on_from_what_was_saved_last(tmp_path, monkeypatch):
    monkeypatch.setattr(courses, "IN_A_BIN", 10)
    monkeypatch.setattr(courses, "LONG", ())
    monkeypatch.setattr(courses, "SAVED_EVERY", 0)

    class Copying:
        done = 0

        def advance(self, amount):
            self.done += amount
            if self.done == 30:  # what was saved last is of a step before
                shutil.copytree(tmp_path / "whole", tmp_path / "killed")

    train(a_course(), tmp_path / "whole", Copying())
    assert read_record(tmp_path / "killed").step == 29
    train(a_course(), tmp_path / "killed")
    weights = "model.safetensors"
    assert (tmp_path / "killed" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()


def test_the_state_of_another_model_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(a_course(), tmp_path / "one", interrupted_after(3))
    state = read_state(tmp_path / "one")
    wider = replace(SMALL, d_model=8)
    training = Training(fresh_model(2, wider), OwnStrings(Walker(language("d-2").machine), 12, 0), wider)
    with pytest.raises(InputError, match="another model"):
        training.restore(3, state)
    (tmp_path / "one" / STATE_FILE).write_bytes(b"not a state")
    with pytest.raises(InputError, match="training.safetensors cannot be read"):
        train(a_course(), tmp_path / "one")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and has no training.json"):
        train(a_course(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "edit, said",
    [
        (lambda found: found["protocol"].pop("seed"), "the protocol has other entries"),
        (lambda found: found["protocol"].update(steps="40"), "steps: found '40', expected int"),
        (lambda found: found.update(step=None), "step: expected int"),
        (lambda found: found.update(format=2), "is not the record of a training"),
    ],
)
def test_a_record_of_another_form_is_refused(tmp_path, edit, said):
    with pytest.raises(KeyboardInterrupt):
        train(a_course(), tmp_path / "one", interrupted_after(1))
    path = tmp_path / "one" / RECORD_FILE
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=said):
        train(a_course(), tmp_path / "one")


def test_a_stored_model_keeps_its_answers_when_its_tokens_move(tmp_path, monkeypatch):
    monkeypatch.setattr(courses, "IN_A_BIN", 10)
    monkeypatch.setattr(courses, "LONG", ())
    train(replace(a_course("flip-flop"), protocol=replace(SMALL, steps=2)), tmp_path / "one")
    folder = tmp_path / "one"
    alphabet = language("flip-flop").alphabet
    plain = stored_model(folder, alphabet)
    turned = stored_model(folder, alphabet[::-1])
    tokens = torch.tensor([[1, 3, 5, 4]])
    symbols = list(range(3, 3 + len(alphabet)))
    there = {token: symbols[::-1][i] for i, token in enumerate(symbols)}
    moved = torch.tensor([[there.get(token, token) for token in tokens[0].tolist()]])
    one, other = plain(tokens).logits[..., symbols], turned(moved).logits[..., symbols[::-1]]
    assert torch.equal(one, other)


# -- the commands -------------------------------------------------------------------------------------

QUICK = ["--d-model", "4", "--steps", "30", "--length", "12", "--batch", "8"]


def test_train_says_what_is_published_and_what_was_seen_before_and_then_checks(tmp_path, capsys):
    report = tmp_path / "report.json"
    command = ["train", "parity", "--to", str(tmp_path / "model"), *QUICK, "--json", str(report)]
    assert main(command) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "published, in bin 0: 91.2 %" in out and "of them are training strings" in out
    found = json.loads(report.read_text())
    assert "refuted" in found["outcomes"] and "proved" not in found["outcomes"]
    bins = found["right_after_every_prefix"]
    assert [entry["published"] for entry in bins] == [91.2, 16.7, None, None, None]
    assert [entry["name"] for entry in bins] == ["1 to 12", "13 to 24", "25 to 36", "200", "1000"]
    assert found["training"]["protocol"]["steps"] == 30 and found["written"]["model"] == str(tmp_path / "model")
    language_file = json.loads((tmp_path / "model" / "language.json").read_text())
    assert language_file == {"format": 1, "mode": "predictive", "name": "parity"}
    # The same command again has nothing left to do; another one is not mixed up with it.
    assert main([*command[:4], *QUICK, "--no-check", "--quiet"]) == 0
    assert main([*command[:4], *QUICK, "--no-check", "--seed", "1"]) == 2
    assert "trained otherwise (seed 0)" in capsys.readouterr().err


def test_a_budget_of_seconds_sets_the_number_of_steps_once(tmp_path):
    command = ["train", "d-2", "--to", str(tmp_path / "model"), *QUICK[:2], *QUICK[4:], "--no-check", "--quiet"]
    assert main([*command, "--seconds", "0.5"]) == 0
    record = read_record(tmp_path / "model")
    assert 0 < record.step == record.protocol.steps < 3500
    assert main([*command, "--seconds", "0.5"]) == 0
    assert read_record(tmp_path / "model") == record


def test_repair_begins_with_the_weights_of_the_folder(tmp_path, capsys):
    model, repaired = str(tmp_path / "model"), str(tmp_path / "repaired")
    assert main(["train", "flip-flop", "--to", model, *QUICK, "--no-check", "--quiet"]) == 0
    command = ["repair", model, "--to", repaired, "--steps", "1", "--rate", "0", "--decay", "0", "--no-check"]
    assert main(command) == 0
    # A long path is broken over lines.
    assert ("the weights of " + model).replace(" ", "") in "".join(capsys.readouterr().out.split())
    record = read_record(repaired)
    assert (record.protocol.start, record.protocol.sharpen, record.protocol.d_model) == (REPAIR, True, 4)
    one, other = (transformers.AutoModelForCausalLM.from_pretrained(folder) for folder in (model, repaired))
    for name, weight in one.state_dict().items():
        if name in ("backbone.embeddings.weight", "lm_head.weight"):
            weight = weight[[1, *range(1, len(weight))]]  # no string has the first token, <pad>
        # The rate ends at 1e-5, and step sizes have five times of it.
        assert (weight - other.state_dict()[name]).abs().max() <= 6e-5


def test_repair_gives_up_after_its_rounds_each_with_a_seed_of_its_own(tmp_path, monkeypatch, capsys):
    from verify.commands import repair

    model, repaired = str(tmp_path / "model"), str(tmp_path / "repaired")
    assert main(["train", "parity", "--to", model, *QUICK, "--no-check", "--quiet"]) == 0
    assert main(["repair", model, "--to", repaired, "--steps", "2", "--rounds", "2", "--seed", "7", "--quiet"]) == 1
    assert read_record(repaired).protocol.seed == 8
    monkeypatch.setattr(repair, "check_trained", lambda *_: 1)
    assert main(["repair", model, "--to", repaired, "--steps", "2", "--rounds", "2", "--seed", "7", "--quiet"]) == 1
    assert read_record(repaired).protocol.seed == 8


@pytest.mark.parametrize(
    "options, said",
    [
        (["--noise", "0.1"], "--noise 0.1: is put on compiled weights"),
        (["--start", "compiled", "--layers", "2"], "--layers 2: compiled weights have sizes of their own"),
        (["--epochs", "1", "--steps", "5"], "say the same twice"),
        (["--d-model", "0"], "is 0: expected 1 to 1024"),
        (["--rate", "nan"], "'nan' is not a number from 0 to 1e+06"),
        (["--strings-from", "nowhere"], "nowhere: cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, capsys, options, said):
    assert main(["train", "d-2", "--to", str(tmp_path / "model"), *options]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "model").exists()


def test_compiled_weights_of_a_language_that_has_none_are_refused(tmp_path, capsys):
    assert main(["train", "parity", "--to", str(tmp_path / "model"), "--start", "compiled"]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "model").exists()
