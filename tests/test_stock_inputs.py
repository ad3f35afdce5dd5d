"""Folders and installations of stock targets that are not as they should be: right, or one line."""

import json
import os
import subprocess
import sys

import pytest

from automata.catalogue import language
from constructions.build import build
from constructions.compile.compiler import compile
from verify.__main__ import main

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from safetensors.torch import load_file, save_file  # noqa: E402 - torch first

SOME = ("mamba2", "zamba2", "gru")


def saved(target, folder):
    built = build(compile(language("tomita-1").machine, target=target), target)
    built.target.save(built.weights, folder)
    return folder


def config(folder, **changes):
    found = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**found, **changes}))
    return found


def tensors(folder, edit):
    found = load_file(folder / "model.safetensors")
    save_file(edit(found), folder / "model.safetensors", metadata={"format": "pt"})


def head_of(found):
    return next(name for name in found if name.endswith("head.weight"))


def check(folder, capsys):
    """The exit status, and what was said: everything where it is right, one line where it is not."""
    status = main(["check", str(folder), "tomita-1", "--strings", "3", "--bins", "20", "--quiet"])
    out, err = capsys.readouterr()
    if status == 2:
        assert err.count("\n") == 1 and len(err.replace(str(folder), "")) <= 400
    else:
        assert err == "" and ("the search over caches closed" in out) == (status == 0)
    return status, out + err


@pytest.mark.parametrize("target", SOME)
def test_fields_that_nobody_knows_change_nothing(target, tmp_path, capsys):
    folder = saved(target, tmp_path / "model")
    config(folder, a_new_field=3, another={"a": [1]})
    assert check(folder, capsys)[0] == 0


@pytest.mark.parametrize("target", SOME)
def test_shards_are_read(target, tmp_path, capsys):
    folder = saved(target, tmp_path / "model")
    found, places = load_file(folder / "model.safetensors"), {}
    (folder / "model.safetensors").unlink()
    for number, part in enumerate((sorted(found)[::2], sorted(found)[1::2])):
        save_file({name: found[name] for name in part}, folder / f"model-{number}.safetensors")
        places |= dict.fromkeys(part, f"model-{number}.safetensors")
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert check(folder, capsys)[0] == 0
    (folder / "model-1.safetensors").unlink()
    status, said = check(folder, capsys)
    assert status == 2 and "model-1.safetensors" in said


@pytest.mark.parametrize("target", ["rwkv", "gru"])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "base_model."])
def test_other_prefixes_are_refused_as_the_library_does_not_read_them(prefix, target, tmp_path, capsys):
    folder = saved(target, tmp_path / "model")
    tensors(folder, lambda found: {prefix + name: tensor for name, tensor in found.items()})
    status, said = check(folder, capsys)
    assert status == 2 and "model.safetensors" in said


@pytest.mark.parametrize("target", ["mamba2", "bamba"])
def test_a_vocabulary_may_be_padded(target, tmp_path, capsys):
    def padded(found):
        names = [name for name in found if "embed" in name or name.endswith("head.weight")]
        more = {name: torch.cat([found[name], torch.ones(59, found[name].shape[1])]) for name in names}
        return {**found, **more}

    folder = saved(target, tmp_path / "model")
    tensors(folder, padded)
    assert check(folder, capsys)[0] == 2  # the configuration has another size
    config(folder, vocab_size=config(folder)["vocab_size"] + 59)
    assert check(folder, capsys)[0] == 0


@pytest.mark.parametrize("target", ["mamba2", "bamba"])
def test_a_tied_head_need_not_be_stored(target, tmp_path, capsys):
    """It is then the embedding, which is no head of this language: as the library reads it, and refuted."""
    folder = saved(target, tmp_path / "model")
    tensors(folder, lambda found: {name: t for name, t in found.items() if name != head_of(found)})
    status, said = check(folder, capsys)
    assert status == 2 and "lacks tensor" in said
    config(folder, tie_word_embeddings=True)
    model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and torch.equal(model.lm_head.weight, model.get_input_embeddings().weight)
    capsys.readouterr()
    assert check(folder, capsys)[0] == 1


@pytest.mark.parametrize("target", ["mamba2", "zamba", "kimi_linear", "xlstm"])
def test_a_checkpoint_of_another_family_is_refused(target, tmp_path, capsys):
    folder = saved(target, tmp_path / "model")
    for other in ("gpt2", "mamba2" if target != "mamba2" else "bamba", "gru"):
        config(folder, model_type=other)
        status, said = check(folder, capsys)
        assert status == 2 and ("config.json" in said or "tensor" in said or "the architecture is 'gpt2'" in said)


def test_what_the_library_says_of_a_value_is_said(tmp_path, capsys):
    folder = saved("bamba", tmp_path / "model")
    config(folder, model_type="mamba2")
    assert "hidden" in check(folder, capsys)[1].partition("validate_architecture")[2]


def test_an_architecture_that_an_older_library_does_not_have(tmp_path, monkeypatch, capsys):
    folder = saved("mamba2", tmp_path / "model")
    monkeypatch.delitem(transformers.CONFIG_MAPPING._mapping, "mamba2")
    status, said = check(folder, capsys)
    wanted = f"transformers {transformers.__version__} has no mamba2: pip install --upgrade 'ssm-compiler[mamba]'"
    assert status == 2 and wanted in said
    for words in (["prove", "tomita-1"], ["export", "tomita-1", "--to", str(tmp_path / "other")]):
        assert main([*words, "--target", "mamba2", "--quiet"]) == 2
        assert wanted in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "broken, said",
    [
        ("sys.modules['transformers'] = None", "transformers"),
        (
            "import transformers; sys.modules['transformers'] = types.ModuleType('transformers')",
            "too old",
        ),
    ],
)
def test_a_library_that_is_missing_or_too_old(broken, said, tmp_path):
    program = f"import sys, types\n{broken}\nfrom verify.__main__ import main\n"
    program += "sys.exit(main(['prove', 'tomita-1', '--target', 'bamba', '--quiet']))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert run.returncode == 2 and run.stderr.count("\n") == 1
    assert said in run.stderr and "pip install" in run.stderr and "ssm-compiler[mamba]" in run.stderr
