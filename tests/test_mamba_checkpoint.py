"""Checkpoints: written for stock software, read from anybody; the commands export and checkpoint."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import EOS, PREDICTIVE, RECOGNISE  # noqa: E402
from automata.machines.bounded_dyck import DyckMachine  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.checkpoint import write  # noqa: E402
from constructions.mamba.huggingface import stock_model  # noqa: E402
from constructions.mamba.lowering import lower_to_mamba  # noqa: E402
from verify.__main__ import main  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folders by language, written by the command line."""
    folders = {}
    for name in ("flip-flop", "dyck-2-3"):
        folders[name] = tmp_path_factory.mktemp("checkpoints") / name
        assert main(["export", name, "--to", str(folders[name]), "--strings", "30", "--quiet"]) == 0
    return folders


@pytest.fixture
def damaged(exported, tmp_path):
    """A copy of the flip-flop checkpoint that a test may damage."""
    return shutil.copytree(exported["flip-flop"], tmp_path / "damaged")


def complaint(capsys, *arguments):
    """The one line that bad input gives, and nothing else."""
    assert main([str(a) for a in arguments]) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert not captured.out and len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


# -- stock software -----------------------------------------------------------------------------------

STOCK = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
batch = tokenizer(["w1i0r", "w 0 r"], return_tensors="pt", padding=True)
logits = model(**batch).logits[:, -1]
print([[t for t, i in sorted(tokenizer.get_vocab().items()) if row[i] > 0] for row in logits])
torch.manual_seed(0)
words = model.generate(**batch, do_sample=True, max_new_tokens=40)
print(tokenizer.batch_decode(words))
assert not any(name.split(".")[0] in ("automata", "constructions", "verify") for name in sys.modules)
"""


def test_stock_transformers_loads_and_samples(exported):
    """In a fresh process that never sees this project: left padding, exact answers, samples inside the language."""
    run = subprocess.run(
        [sys.executable, "-c", STOCK, str(exported["flip-flop"])], capture_output=True, text=True, cwd="/"
    )
    assert run.returncode == 0, run.stderr
    answers, samples = map(eval, run.stdout.strip().splitlines())
    assert answers == [["1"], ["0"]]
    machine = language("flip-flop").machine
    for sample in samples:
        state = machine.initial
        for token in sample.replace("<pad>", "").replace("<bos>", "").split():
            assert token in machine.legal(state)
            if token == EOS:
                break
            state = machine.step(state, token)


def test_the_folder_is_complete_and_says_what_it_is(exported):
    folder = exported["dyck-2-3"]
    card = (folder / "README.md").read_text()
    assert "**proved** by cache search" in card and "every length" in card and "transformers" in card
    names = json.loads((folder / "coordinates.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    assert names["alphabet"] == ["(a", "a)", "(b", "b)"] and names["mode"] == PREDICTIVE
    assert "depth" in names["residual"].values() and len(names["channels"]) == config["num_hidden_layers"]
    assert not list(folder.glob("*.bin"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_every_dtype_is_stored_and_loaded_as_it_was_built(tmp_path, dtype):
    assert main(["export", "dyck-1-2", "--to", str(tmp_path), "--dtype", dtype, "--strings", "5", "--quiet"]) == 0
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    built = stock_model(
        lower_to_mamba(compile(language("dyck-1-2").machine, PREDICTIVE, target="mamba").cascade, dtype)
    )
    assert loaded.dtype == built.dtype == getattr(torch, dtype)
    for (name, one), (other_name, other) in zip(loaded.state_dict().items(), built.state_dict().items()):
        assert name == other_name and torch.equal(one, other)


def test_an_unknown_symbol_is_the_padding_token_and_never_a_symbol(exported):
    """Tools that load a model ask its tokenizer about words of their own, and want an answer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(exported["flip-flop"])
    assert tokenizer("w1i0r").input_ids == tokenizer("w 1 i 0 r").input_ids == [1, 3, 7, 5, 6, 4]
    assert tokenizer.unk_token_id == tokenizer.pad_token_id == 0
    assert tokenizer("w x").input_ids == [1, 3, 0] and tokenizer("").input_ids == [1]


# -- verify export ------------------------------------------------------------------------------------


def test_export_of_a_regular_expression(tmp_path, capsys):
    assert (
        main(
            [
                "export",
                "--regex",
                "(ab)*",
                "--to",
                str(tmp_path / "new" / "folder"),
                "--mode",
                RECOGNISE,
                "--strings",
                "20",
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "the search over caches closed: every length" in printed and "written" in printed
    assert main(["checkpoint", str(tmp_path / "new" / "folder"), "--language", "d-1", "--strings", "20"]) == 0
    assert "recognise" in capsys.readouterr().out  # the checkpoint declares its mode


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["parity", "--to", "here"], "permutes its values .* order-preserving"),
        (["--regex", "(aa)*", "--to", "here"], "permutes its values"),
        (["no-such-language", "--to", "here"], "unknown language"),
        (
            ["dyck-1-100", "--to", "here", "--dtype", "bfloat16"],
            "counter 'depth' reaches 100, and bfloat16 is exact up to 63",
        ),
        (
            ["dyck-1", "--to", "here", "--dtype", "bfloat16", "--max-length", "200"],
            "bfloat16 counts exactly up to 128 here, so strings of up to 127 symbols are safe",
        ),
        (["flip-flop", "--to", "here", "--dtype", "int8"], "invalid choice: 'int8'"),
        (["flip-flop"], "--to"),
    ],
)
def test_export_refuses(tmp_path, monkeypatch, capsys, arguments, message):
    import re

    monkeypatch.chdir(tmp_path)
    assert re.search(message, complaint(capsys, "export", *arguments))
    assert not (tmp_path / "here").exists()


def test_what_is_undecided_is_written_and_the_card_says_so(tmp_path, capsys):
    arguments = ["shuffle-2", "--to", str(tmp_path / "new"), "--limit", "100", "--strings", "5", "--quiet"]
    assert main(["export", *arguments]) == 3
    card = (tmp_path / "new" / "README.md").read_text()
    assert "**undecided** by cache search" in card and "this is not a proof" in card and "**proved**" not in card


def test_what_is_refuted_is_not_written(tmp_path, monkeypatch, capsys):
    wrong = compile(DyckMachine(2, 2), PREDICTIVE, target="mamba")
    machine = DyckMachine(2, 3)
    monkeypatch.setattr("verify.commands.pipeline.compile", lambda *_, **__: replace(wrong, machine=machine))
    assert main(["export", "dyck-2-3", "--to", str(tmp_path / "new"), "--strings", "5", "--quiet"]) == 1
    assert not (tmp_path / "new").exists()


def test_export_does_not_overwrite_what_is_no_checkpoint(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert "is not a folder" in complaint(capsys, "export", "flip-flop", "--to", tmp_path / "file")
    for arguments in (["export", "flip-flop", "--to"], ["flipflop", "--target", "mamba", "--save"]):
        assert "exists and is not a checkpoint, nothing was written" in complaint(capsys, *arguments, tmp_path)
    report = tmp_path / "new" / "report.json"
    assert "lies in the same place as --json" in complaint(
        capsys, "export", "flip-flop", "--to", tmp_path / "new", "--json", report
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_checkpoint_is_written_whole_or_not_at_all(exported, damaged, monkeypatch):
    weights = lower_to_mamba(compile(language("dyck-1-2").machine, PREDICTIVE, target="mamba").cascade)
    before = {path.name: path.read_bytes() for path in damaged.iterdir()}

    def full_disk(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_disk)
        with pytest.raises(InputError, match="cannot be written .No space left"):
            write(weights, damaged, "")
    assert before == {path.name: path.read_bytes() for path in damaged.iterdir()}
    write(weights, damaged, "")
    assert json.loads((damaged / "coordinates.json").read_text())["alphabet"] == ["(a", "a)"]
    assert [path.name for path in damaged.parent.iterdir()] == ["damaged"]


# -- verify checkpoint --------------------------------------------------------------------------------


def report_of(folder, tmp_path, *arguments):
    """Status and JSON report."""
    file = tmp_path / "report.json"
    status = main(["checkpoint", str(folder), *arguments, "--json", str(file), "--quiet"])
    return status, json.loads(file.read_text())


def test_a_compiled_checkpoint_is_proved_again(exported, tmp_path):
    status, report = report_of(exported["dyck-2-3"], tmp_path, "--language", "dyck-2-3", "--strings", "40")
    assert status == 0 and report["outcomes"] == ["tested", "proved"]
    assert report["search"]["explored"]["joint states"] == 123
    assert all(bin["exact"] == bin["strings"] for bin in report["exact_accuracy"])
    assert sum(bin["strings"] for bin in report["exact_accuracy"]) == 40
    assert report["gates"][2] == {"least": 0.0, "greatest": 1.0}


def test_against_another_language_the_shortest_wrong_string_is_found(exported, tmp_path):
    status, report = report_of(exported["dyck-2-3"], tmp_path, "--language", "dyck-2-2", "--strings", "40")
    assert status == 1 and report["search"]["witness"] == {
        "word": ["(a", "(a"],
        "expected": ["a)"],
        "given": ["(a", "(b", "a)"],
    }


@pytest.fixture(scope="module")
def untrained(exported, tmp_path_factory):
    """A Mamba as it is before training, with a tokenizer over 0 and 1, saved by transformers."""
    folder = tmp_path_factory.mktemp("untrained")
    assert main(["export", "tomita-1", "--to", str(folder), "--strings", "5", "--quiet"]) == 0
    config = transformers.MambaConfig(
        vocab_size=5, hidden_size=16, num_hidden_layers=2, state_size=4, bos_token_id=1, eos_token_id=2, pad_token_id=0
    )
    torch.manual_seed(0)
    transformers.MambaForCausalLM(config).save_pretrained(folder)
    (folder / "coordinates.json").unlink()
    return folder


def test_a_model_that_was_not_compiled_is_refuted(untrained, tmp_path):
    status, report = report_of(untrained, tmp_path, "--language", "parity", "--mode", RECOGNISE, "--strings", "40")
    assert status == 1
    assert (
        report["random_test"]["outcome"]
        == report["pumped_words"]["outcome"]
        == report["search"]["outcome"]
        == "refuted"
    )
    assert "parity is not star-free" in report["pumped_words"]["reason"]
    # Its gates neither reset nor hold exactly.
    assert all(0 < layer["least"] < layer["greatest"] < 1 for layer in report["gates"])


def test_the_search_gives_up_at_the_limit(exported, tmp_path):
    status, report = report_of(
        exported["flip-flop"], tmp_path, "--language", "flip-flop", "--limit", "5", "--strings", "5"
    )
    assert status == 3 and report["search"]["outcome"] == "undecided"


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def edit_weights(folder, edit):
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def put(tensors, value):
    tensors["backbone.layers.0.mixer.D"][3] = value


class Unpickled:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return print, ("it was unpickled",)


CONFIGS = {
    "config is no JSON": "{",
    "config is a list": "[]",
    "config is too deep": "[" * 100_000,
    "config without architecture": "{}",
    "GPT-2": '{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 8}',
}


def damage(what, folder):
    if what == "no config":
        (folder / "config.json").unlink()
    if what in CONFIGS:
        (folder / "config.json").write_text(CONFIGS[what])
    if what == "size":
        edit_config(folder, hidden_size=16)
    if what == "huge":
        edit_config(folder, num_hidden_layers=10**12)
    if what == "large":
        edit_config(folder, hidden_size=5000)
    if what == "no size":
        edit_config(folder, hidden_size=0)
    if what == "size is no number":
        edit_config(folder, hidden_size="big")
    if what == "NaN":
        edit_weights(folder, lambda tensors: put(tensors, float("nan")))
    if what == "infinite":
        edit_weights(folder, lambda tensors: put(tensors, float("inf")))
    if what == "lacking":
        edit_weights(folder, lambda tensors: tensors.pop("backbone.layers.1.mixer.D"))
    if what == "cut off":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-4])
    if what in ("pickle", "no weights"):
        (folder / "model.safetensors").unlink()
    if what in ("pickle", "index of a pickle"):
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Unpickled()))
    if what == "index of a pickle":
        (folder / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": {"lm_head.weight": "pytorch_model.bin"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    if what in ("token beyond the model", "token twice"):
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        tokenizer["model"]["vocab"]["w"] = 8 if what == "token beyond the model" else tokenizer["model"]["vocab"]["r"]
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    if what == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    if what == "tokenizer is no JSON":
        (folder / "tokenizer.json").write_text("[")


@pytest.mark.parametrize(
    "what, message",
    [
        ("no config", "is neither a saved model nor a checkpoint, it has no model.json and no config.json"),
        ("config is no JSON", "config.json cannot be read: Expecting"),
        ("config is a list", "config.json has no named values"),
        ("config is too deep", "config.json cannot be read: maximum recursion depth"),
        ("config without architecture", "the architecture is None, expected one of mamba"),
        ("GPT-2", "the architecture is 'gpt2', expected one of mamba"),
        ("huge", "num_hidden_layers is 1000000000000, and there are "),
        ("large", "config.json asks for more than "),
        ("no size", "hidden_size is 0, expected at least 1"),
        ("size is no number", "'hidden_size' expected int, got str"),
        ("size", "does not have the shape that config.json asks for"),
        ("NaN", "tensor backbone.layers.0.mixer.D[3] is nan"),
        ("infinite", "tensor backbone.layers.0.mixer.D[3] is inf"),
        ("lacking", "lacks tensor 'backbone.layers.1.mixer.D'"),
        ("cut off", "cannot be loaded"),
        ("pickle", "pytorch_model.bin is pickled, which can run code when it is read: refused"),
        ("index of a pickle", "names 'pytorch_model.bin', which is no safetensors file in the folder"),
        ("token beyond the model", "token 'w' has the number 8, and the model has 8 tokens"),
        ("token twice", "token 'w' has the number 4, and another symbol has it too"),
        ("no weights", "has no model.safetensors"),
        ("no tokenizer", "has no tokenizer.json"),
        ("tokenizer is no JSON", "the tokenizer cannot be loaded"),
    ],
)
def test_bad_checkpoints_give_one_line(damaged, capsys, what, message):
    damage(what, damaged)
    assert message in complaint(capsys, "checkpoint", damaged, "--language", "flip-flop")


@pytest.mark.parametrize("content", [True, False])
def test_what_a_tokenizer_says_too_much_is_not_printed(exported, tmp_path, capfd, content):
    """The library prints a line of its own about it, past Python's output; and what is printed next is there."""
    folder = tmp_path / "folder"
    shutil.copytree(exported["flip-flop"], folder)
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    tokenizer["added_tokens"][0]["unknown"] = 1
    if not content:
        del tokenizer["added_tokens"][0]["content"]
    file.write_text(json.dumps(tokenizer))
    status = main(["checkpoint", str(folder), "--language", "flip-flop", "--strings", "5"])
    printed, complained = capfd.readouterr()
    if content:
        assert status == 0 and "proved" in printed
    else:
        assert status == 2 and "the tokenizer cannot be loaded: missing field `content`" in complained
    assert "unknown" not in printed + complained


def test_other_bad_input_gives_one_line(exported, tmp_path, capsys):
    folder = exported["flip-flop"]
    assert "no-such-folder: is not a folder" in complaint(
        capsys, "checkpoint", tmp_path / "no-such-folder", "--language", "flip-flop"
    )
    assert "has no token '(a'" in complaint(capsys, "checkpoint", folder, "--language", "dyck-2-3")
    assert "unknown language 'x'" in complaint(capsys, "checkpoint", folder, "--language", "x")
    for bins in ("5,3", "", "a", "1000000"):
        assert "--bins" in complaint(capsys, "checkpoint", folder, "--language", "flip-flop", "--bins", bins)


# -- targets ------------------------------------------------------------------------------------------


def test_language_commands_have_the_target(tmp_path, capsys):
    file = tmp_path / "strings.txt"
    file.write_text("( [ ] ) END\n( ( )\n")
    arguments = ["dyck", "--k", "2", "--depth", "3", "--target", "mamba", "--dtype", "bfloat16", "--strings", "20"]
    assert main([*arguments, "--strings-file", str(file), "--save", str(tmp_path / "saved")]) == 0
    printed = capsys.readouterr().out
    assert "the search over caches closed" in printed and "strings file" in printed and "bfloat16" in printed
    assert (tmp_path / "saved" / "model.safetensors").is_file()
    assert "--dtype" in complaint(capsys, *arguments, "--arithmetic", "exact")


def test_counter_languages_have_the_target(tmp_path, capsys, monkeypatch):
    """What a search did not close is not called proved; published strings are run too."""
    monkeypatch.setattr("verify.checkpoints.search.prove_along_lines", lambda *given, **how: "no lines")
    folder = tmp_path / "Dyck1"
    folder.mkdir()
    (folder / "val_src_bin0.txt").write_text("(())()\n()\n")
    (folder / "val_tgt_bin0.txt").write_text("111010\n10\n")
    file = tmp_path / "report.json"
    arguments = ["counter", "dyck-1", "--target", "mamba", "--strings", "5", "--quiet", "--json", str(file)]

    def outcomes(*more):
        status = main([*arguments, *more])
        return status, json.loads(file.read_text())

    status, report = outcomes("--limit", "100", "--released", str(tmp_path))
    assert status == 3 and report["outcomes"] == ["undecided", "tested", "tested"]
    assert (
        "no disagreement on strings of up to 26 symbols" in report["proof"]["reason"]
        and report["proof"]["horizon"] is None
    )
    assert report["released_strings"]["explored"]["labels"] == 8
    status, report = outcomes("--dtype", "bfloat16")
    assert status == 0 and report["outcomes"] == ["proved", "tested"] and report["proof"]["horizon"] == 128
    (folder / "val_tgt_bin0.txt").write_text("111010\n11\n")
    status, report = outcomes("--limit", "100", "--released", str(tmp_path))
    assert status == 3 and "the first of them line 2" in report["released_strings"]["reason"]
    capsys.readouterr()


def test_what_the_target_does_not_have_is_refused_or_said(capsys):
    regex = ["starfree", "--regex", "(a(ab)*b)*", "--mode", "recognise", "--target", "mamba", "--strings", "5"]
    assert "--method levels: it reads the weights of the paper's SSM" in complaint(
        capsys, *regex, "--proof", "levelwise"
    )
    assert main(regex) == 0
    assert "the search over caches closed: every length" in " ".join(capsys.readouterr().out.split())
    assert main(["dyck", "--k", "1", "--depth", "3", "--mode", "recognise", *regex[5:]]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "by the route paper register 'depth' counts without bounds" in said


def test_the_ssm_target_never_imports_torch():
    run = "from verify.__main__ import main; main(['flipflop', '--quiet', '--strings', '5'])"
    program = f"import sys; {run}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
