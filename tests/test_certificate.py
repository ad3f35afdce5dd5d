"""What is proved or refuted is written as a file that the checker verifies, alone and without this project."""

import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import LANGUAGES, language
from automata.errors import InputError
from automata.formats import read_dfa
from automata.machine import MODES, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES, counter_machine
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.storage import save
from tests.certificates import (
    FAILED,
    NO_CERTIFICATE,
    VERIFIED,
    assert_verified,
    certified,
    checked,
    copy_of,
    of_weights,
    oldest_and_newest,
)
from verify.__main__ import main
from verify.certificate.document import MOST_BYTES, NoCertificate, certificate_text, write_certificate
from verify.certificate.writer import at_most_star_free, certificate, not_star_free, refutation
from verify.claim import Claim
from verify.impossible.cycles import find_cycle
from verify.impossible.refuter import refute_on
from verify.proving import prove_claim

NOT_STAR_FREE = ("tomita-3", "tomita-5", "tomita-6", "parity", "aa-star", "aaaa-star", "abab-star")
STAR_FREE = [name for name, known in LANGUAGES.items() if known.star_free]
SMALL = 10_000
"""Bytes that the certificate of a family has at most, compressed."""


def refuted_parity(seed: int, arithmetic: str = "fixed:3"):
    """A random nonnegative model, refuted."""
    dfa = language("parity").dfa()
    ssm = random_ssm(seed, depth=2, width=4, arithmetic=Arithmetic.parse(arithmetic))
    found = refute_on(Engine(ssm), find_cycle(dfa, RECOGNISE))
    return refutation(ssm, dfa, found.verdict, found.cycle, found.answer)


# -- each kind of evidence ------------------------------------------------------------------------------


def test_a_search():
    assert_verified(certified("flip-flop", PREDICTIVE), "closed", SMALL)


def test_a_search_of_a_recogniser_that_drifts():
    """The depth of D_3 goes on counting after a violation."""
    found = certified("d-3", RECOGNISE)
    assert found["evidence"]["closed"]["dead"] is not None
    assert_verified(found, "closed", SMALL)


@pytest.mark.parametrize("name, mode", [("dyck-2-3", PREDICTIVE), ("dyck-2-3", RECOGNISE), ("anbncn", RECOGNISE)])
def test_a_relation(name, mode):
    assert_verified(certified(name, mode), "relation", SMALL)


def test_levels():
    assert_verified(certified("tomita-4", PREDICTIVE, method="levels", route="holonomy"), "levels", SMALL)


def test_a_horizon():
    found = certified("dyck-1", RECOGNISE, "float16")
    assert found["horizon"] == 2047
    assert_verified(found, "relation", SMALL)
    longer = copy_of(found)
    longer["horizon"] = 2048
    assert checked(longer)[0] == FAILED


def test_a_string():
    found = refuted_parity(3)
    assert found["claim"] == "is wrong about"
    assert_verified(found, "word", SMALL)


def test_a_string_of_a_model_that_is_wrong():
    weights = build(compile(language("d-2").machine)).weights
    wrong = replace(weights, readout=replace(weights.readout, bias=-weights.readout.bias - 1))
    assert_verified(of_weights(wrong, language("d-2").machine), "word", SMALL)


def test_a_cycle():
    assert_verified(not_star_free(language("abab-star").dfa()), "cycle", SMALL)


def test_a_bound():
    assert_verified(at_most_star_free(build(compile(language("tomita-2").machine, RECOGNISE)).weights), "bound", SMALL)


def test_a_wrong_weight_is_not_verified():
    """One bias of the readout, in each kind of evidence that speaks about all strings."""
    found = certified("flip-flop", PREDICTIVE)
    changed = copy_of(found)
    changed["model"]["readout"]["bias"][0] += 1 << 20
    assert checked(found)[0] == VERIFIED and checked(changed)[0] == FAILED


# -- all that is named ----------------------------------------------------------------------------------


def assert_verified_everywhere(found, kind, most=None, work=None):
    """By the oldest and by the newest Python of this machine."""
    assert_verified(found, kind, most, oldest_and_newest(), work)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["dyck-2-3", "dyck-2-5", "dyck-8-5", "dyck-8-10"])
def test_bounded_dyck(name, mode):
    assert_verified_everywhere(certified(name, mode), "relation", SMALL)


@pytest.mark.slow
def test_a_large_dyck():
    assert_verified_everywhere(certified("dyck-1024-64", PREDICTIVE), "relation", work=10**12)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STAR_FREE)
def test_every_star_free_language(name, mode):
    found = certified(name, mode)
    assert_verified_everywhere(found, list(found["evidence"])[0], SMALL)
    by_levels = certified(language(name).dfa(), mode, method="levels", route="holonomy")
    assert_verified_everywhere(by_levels, "levels", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_every_counter_language(name, mode):
    assert_verified_everywhere(certified(name, mode), "relation", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", ["float16", "float32"])
@pytest.mark.parametrize("name, mode", [("anbn", PREDICTIVE), ("anbncn", RECOGNISE), ("boolean-3", RECOGNISE)])
def test_horizons(name, mode, arithmetic):
    found = certified(name, mode, arithmetic)
    assert found["horizon"] is not None
    assert_verified_everywhere(found, "relation", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_STAR_FREE)
def test_every_language_that_is_not_star_free(name):
    assert_verified_everywhere(not_star_free(language(name).dfa()), "cycle", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_parity_is_refuted(seed):
    found = refuted_parity(seed, ("fixed:3", "exact", "float32", "fixed:0")[seed % 4])
    assert_verified_everywhere(found, "word", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(10))
def test_automata_of_the_collection(shared_data, place):
    """Nine that are spread over the collection, and the largest."""
    files = sorted(
        path for path in shared_data("mlregtest").glob("*.att") if path.stem.split(".")[2] not in ("Zp", "Reg")
    )
    path = files[place * len(files) // 9] if place < 9 else shared_data("mlregtest") / "04.04.SP.6.1.8.att"
    found = certified(read_dfa(path).minimise(), PREDICTIVE, method="levels", route="holonomy")
    assert_verified_everywhere(found, "levels", work=10**11)


# -- what has none --------------------------------------------------------------------------------------


def test_what_is_not_decided_has_none():
    weights = build(compile(language("d-12").machine)).weights
    claim = Claim(language("d-12").machine, PREDICTIVE, Engine(weights), weights, limit=1)
    verdict = prove_claim(claim, "search")
    with pytest.raises(NoCertificate, match="the verdict is undecided"):
        certificate(claim, verdict)


def test_a_machine_that_only_has_a_name_of_the_catalogue_has_none():
    machine = counter_machine("dyck-1")
    weights = build(compile(machine)).weights
    claim = Claim(replace(machine, accepting=()), PREDICTIVE, Engine(weights), weights)
    proved = prove_claim(Claim(machine, PREDICTIVE, Engine(weights), weights))
    with pytest.raises(NoCertificate, match="not this 'dyck-1'"):
        certificate(claim, proved)


def test_a_model_with_gate_functions_has_none():
    ssm = random_ssm(0, depth=1, width=2, arithmetic=Arithmetic.parse("float32"), gates="sigmoid")
    found = refute_on(Engine(ssm), find_cycle(language("parity").dfa(), RECOGNISE))
    with pytest.raises(NoCertificate, match="layer 1 has a sigmoid gate"):
        refutation(ssm, language("parity").dfa(), found.verdict, found.cycle, found.answer)


def test_what_counts_modulo_has_no_bound():
    from constructions.paper.parity_models import wrapping_parity

    with pytest.raises(NoCertificate, match="may count modulo"):
        at_most_star_free(wrapping_parity(Arithmetic("wrap", 1)))


# -- files ----------------------------------------------------------------------------------------------


def test_a_file_is_compressed_by_its_name_and_the_same_each_time(tmp_path):
    found = certified("tomita-1", RECOGNISE)
    for name in ("a.json", "b.json.gz", "c.json.gz"):
        assert write_certificate(found, tmp_path / name) == (tmp_path / name).stat().st_size
    assert gzip.decompress((tmp_path / "b.json.gz").read_bytes()) == (tmp_path / "a.json").read_bytes()
    assert (tmp_path / "b.json.gz").read_bytes() == (tmp_path / "c.json.gz").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text()) == found


def test_an_interrupted_write_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    path = tmp_path / "c.json"
    path.write_text("older")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_certificate(certified("tomita-1", RECOGNISE), path)
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["c.json"]


_ENDED_WHILE_WRITING = """
import os, signal, sys, time

def ended(_):
    os.kill(os.getpid(), signal.{name})
    time.sleep(30)

os.fsync = ended
from verify.__main__ import console
sys.argv[1:] = ["starfree", "--regex", "(aa)*", "--quiet", "--certificate", sys.argv[1]]
sys.exit(console())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_command_that_is_ended_while_it_writes_leaves_no_file(name, tmp_path):
    """With the certificate written beside its place, before it is moved there."""
    path = tmp_path / "c.json"
    command = [sys.executable, "-c", _ENDED_WHILE_WRITING.format(name=name), str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode not in (0, 1, 2, 3) and not path.exists()
    if name != "SIGKILL":  # after which nobody is left to tidy up
        assert not os.listdir(tmp_path)


def test_what_a_checker_would_not_read_is_not_written(tmp_path):
    with pytest.raises(NoCertificate, match=str(MOST_BYTES)):
        write_certificate({"x": "x" * MOST_BYTES}, tmp_path / "c.json")
    assert not os.listdir(tmp_path) and len(certificate_text({"x": 1})) == 8


@pytest.mark.parametrize("more, status", [(0, VERIFIED), (1, NO_CERTIFICATE)])
def test_a_checker_reads_what_is_written_at_the_most(more, status):
    text = json.dumps(not_star_free(language("parity").dfa()))
    assert checked(text + " " * (MOST_BYTES + more - len(text)))[0] == status


# -- on the command line --------------------------------------------------------------------------------


def test_the_report_names_the_file_and_the_command_that_checks_it(tmp_path, capsys):
    path = tmp_path / "flip-flop.json.gz"
    assert main(["flipflop", "--strings", "3", "--certificate", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"python -m verify check {path}" in printed and str(path.stat().st_size) in printed
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.startswith("VERIFIED: the model of sha256 ")


def test_a_refused_language_has_a_certificate_too(tmp_path, capsys):
    path = tmp_path / "aa.json"
    assert main(["starfree", "--regex", "(aa)*", "--quiet", "--certificate", str(path)]) == 1
    assert main(["check", str(path)]) == 0
    assert "regular expression '(aa)*'" in capsys.readouterr().out
    path.write_text(path.read_text().replace('"period":2', '"period":3'))
    assert main(["check", str(path)]) == 3
    assert "FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["prove", "d-2", "--target", "mamba"], ["flipflop", "--target", "mamba"]])
def test_a_mamba_has_none_and_no_work_is_done(tmp_path, capsys, words):
    path = tmp_path / "c.json"
    assert main([*words, "--certificate", str(path)]) == 2
    printed = capsys.readouterr()
    assert "certificates cover the paper's SSM only, not a stock Mamba" in printed.err
    assert printed.out == "" and not path.exists()


@pytest.mark.parametrize("words", [["check"], ["refute", "--weights"]])
def test_gate_functions_have_none_and_no_work_is_done(tmp_path, capsys, words):
    gated = random_ssm(0, depth=1, width=2, arithmetic=Arithmetic.parse("float32"), gates="sigmoid")
    save(gated, tmp_path / "model")
    path = tmp_path / "c.json"
    assert main([*words, str(tmp_path / "model"), "parity", "--certificate", str(path)]) == 2
    printed = capsys.readouterr()
    assert "c.json: certificates cover affine gates: layer 1 has a sigmoid gate" in printed.err
    assert printed.out == "" and not path.exists()


@pytest.mark.parametrize(
    "word, claim", [("tomita-2", "'computes'"), ("aa-star", "'not star-free'"), ("dyck-1", "'computes'")]
)
def test_what_is_decided_has_a_certificate(tmp_path, capsys, word, claim):
    path = tmp_path / "c.json"
    assert main(["decide", word, "--on", "ssm", "--certificate", str(path)]) == 0
    assert f"{json.loads(path.read_text())['claim']!r}" == claim and checked(path.read_bytes())[0] == VERIFIED


@pytest.mark.parametrize(
    "words, message",
    [
        (["decide", "--all", "--on", "ssm"], "a certificate is about one language"),
        (["decide", "d-2", "--on", "gru"], "add ssm to --on"),
    ],
)
def test_a_table_has_none(tmp_path, capsys, words, message):
    assert main([*words, "--certificate", str(tmp_path / "c.json")]) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.out == "" and not os.listdir(tmp_path)


def test_where_no_string_is_run_the_bound_is_certified(tmp_path, capsys):
    """The language is not star-free, and whatever the weights recognise is."""
    save(random_ssm(7, depth=2, width=3, arithmetic=Arithmetic.parse("fixed:1")), tmp_path / "model")
    path, command = tmp_path / "c.json", ["refute", "--weights", str(tmp_path / "model"), "parity", "--certificate"]
    assert main([*command, str(path), "--no-run"]) == 1
    assert json.loads(path.read_text())["claim"] == "at most star-free" and checked(path.read_bytes())[0] == VERIFIED
    assert main([*command, str(path)]) == 1
    assert json.loads(path.read_text())["claim"] == "is wrong about" and checked(path.read_bytes())[0] == VERIFIED


def test_check_of_a_file_that_is_no_certificate(tmp_path, capsys):
    path = tmp_path / "c.json"
    path.write_text("{}")
    assert main(["check", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert main(["check", str(path), "tomita-1"]) == 2
    assert "names its language itself" in capsys.readouterr().err


def test_a_certificate_may_not_overwrite_what_is_read(tmp_path, capsys):
    path = tmp_path / "strings.txt"
    path.write_text("a b\n")
    assert main(["prove", "d-2", "--strings-file", str(path), "--certificate", str(path)]) == 2
    assert "--strings-file" in capsys.readouterr().err and path.read_text() == "a b\n"


def test_a_certificate_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="no such|cannot be written"):
        write_certificate({}, tmp_path / "none" / "c.json")


def test_terms_of_a_template_are_whole_numbers():
    found = certified("d-3", RECOGNISE)["evidence"]["closed"]["dead"]
    numbers = [n for layer in found["layers"] for term in layer for n in np.atleast_1d(term).tolist()]
    assert all(n is None or n == "any" or isinstance(n, int) for n in numbers)


def test_the_python_face_writes_one(tmp_path):
    import verify

    word = language("tomita-2")
    found = verify.certify(word, build(compile(word.machine)), tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == found and checked(found)[0] == VERIFIED
