"""``check DIR --save-proof FILE`` and ``--proof FILE``: a proof by boxes as a file, and its check."""

import json

import jsonschema
import pytest
from conftest import REPOSITORY
from learned_models import trained

from verify.__main__ import main

pytest.importorskip("torch")
pytest.importorskip("transformers")

SCHEMA = json.loads((REPOSITORY / "verify" / "schema" / "report.schema.json").read_text(encoding="utf-8"))
MODEL = str(trained("d-2-sharp"))
SMALL = ("--strings", "20", "--bins", "20")


def check(capsys, *arguments):
    """The exit status, and what was written to both streams."""
    status = main(["check", *arguments])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_a_proof_is_written_and_checked_again(capsys, tmp_path):
    path = str(tmp_path / "proof.json")
    status, out, _ = check(capsys, MODEL, *SMALL, "--save-proof", path, "--json", str(tmp_path / "r.json"))
    assert status == 0 and "by an invariant of 12 boxes (17 edges" in " ".join(out.split())
    report = json.loads((tmp_path / "r.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert "proved" in report["outcomes"] and report["written"]["proof"] == path
    status, out, _ = check(capsys, MODEL, *SMALL, "--proof", path)
    assert status == 0 and f"theboxesarethoseof{path}" in "".join(out.split())


def test_a_proof_of_another_model_proves_nothing(capsys, tmp_path):
    path = str(tmp_path / "proof.json")
    check(capsys, MODEL, *SMALL, "--save-proof", path)
    content = json.loads((tmp_path / "proof.json").read_text())
    content["digest"] = "0" * 64
    (tmp_path / "proof.json").write_text(json.dumps(content))
    _, out, _ = check(capsys, MODEL, *SMALL, "--proof", path)
    assert "proves nothing here: the weights are not those of the proof" in " ".join(out.split())


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--proof", "absent.json"), "absent.json"),
        (("--proof", "{tmp}/a.json", "--save-proof", "{tmp}/b.json"), "nothing for --save-proof"),
        (("--save-proof", f"{MODEL}/proof.json"), "lies in"),
    ],
)
def test_what_cannot_be_is_one_line(capsys, tmp_path, arguments, said):
    (tmp_path / "a.json").write_text("{}")
    status, _, err = check(capsys, MODEL, *SMALL, *(a.replace("{tmp}", str(tmp_path)) for a in arguments))
    assert status == 2 and said in err and err.count("\n") == 1 and len(err) <= 400
    assert not (tmp_path / "b.json").exists()
