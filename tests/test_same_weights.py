"""One road: whatever the command, a language and a target give the same arrays, and what is dear is computed once."""

import hashlib
from collections import Counter
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

import verify.commands.pipeline as pipeline
import verify.commands.tasks as tasks
from automata.algebra.holonomy import Skeleton
from automata.catalogue import LANGUAGES, language
from automata.dfa import DFA
from automata.machines.bounded_dyck import DyckMachine
from constructions.build import Build, build
from constructions.compile.compiler import compile
from constructions.mamba import certificate
from constructions.ssm import storage
from constructions.ssm.weights import SSM
from verify.__main__ import main
from verify.verdict import PROVED, Verdict

STAR_FREE = [known.name for known in LANGUAGES.values() if known.star_free]
COUNTERS = [known.name for known in LANGUAGES.values() if known.star_free is None]
OTHERS = [known.name for known in LANGUAGES.values() if known.star_free is False]


def digest(weights):
    """Of all arrays, with their names."""
    arrays = storage._arrays(weights) if isinstance(weights, SSM) else weights.tensors
    parts = [(name, array.shape, np.ascontiguousarray(array).tobytes()) for name, array in sorted(arrays.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The digests of what commands build or load, none of which is run."""
    found = []

    def record(*arguments, **options):
        model = build(*arguments, **options)
        found.append(digest(model.weights))
        return model

    def unproved(claim, unit, longest, args, report, command):
        found.append(digest(claim.weights))
        verdict = Verdict(PROVED, "none", claim.mode, "none")
        report.verdict("proof", verdict)
        return verdict

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "build", record)
    monkeypatch.setattr(pipeline, "prove_and_test", unproved)
    monkeypatch.setattr(Build, "running", lambda self: nullcontext(object()))
    monkeypatch.setattr(tasks, "_checks", lambda *arguments: ())
    return found


@pytest.fixture
def calls(monkeypatch):
    """How often the image sets of each automaton, quotients among them, were computed, and each Mamba certified."""
    counted = Counter()
    skeleton, run = Skeleton.__init__, certificate.Proof.run

    def computed(self, dfa, *arguments, **options):
        counted["skeleton", dfa] += 1
        skeleton(self, dfa, *arguments, **options)

    def certified(self):
        counted["certificate", digest(self.weights)] += 1
        return run(self)

    monkeypatch.setattr(Skeleton, "__init__", computed)
    monkeypatch.setattr(certificate.Proof, "run", certified)
    return counted


def ways(name):
    """All commands that build a model of this language."""
    found = [["prove", name]]
    machine = language(name).machine
    if name in COUNTERS:
        found.append(["counter", name])
    else:
        found += [["starfree", name]]
    if name == "flip-flop":
        found.append(["flipflop"])
    if isinstance(machine, DyckMachine):
        found.append(["dyck", "--k", str(machine.k), "--depth", str(machine.depth)])
    return found


def machine_of(name):
    """What a language is compiled from."""
    found = language(name)
    return found.machine if name in COUNTERS or not isinstance(found.machine, DFA) else found.dfa().minimise()


@pytest.mark.parametrize("target", ["ssm", "mamba"])
@pytest.mark.parametrize("name", [*STAR_FREE, *COUNTERS, "dyck-2-3"])
def test_all_commands_build_the_same_weights(name, target, built, calls, capsys):
    given, own = machine_of(name), None if name in COUNTERS else language(name).dfa().minimise()
    wanted = digest(build(compile(given, target=target), target).weights)
    for number, words in enumerate(ways(name)):
        calls.clear()
        assert main([*words, "--target", target, "--save", f"{number}"]) == 0, words
        assert set(built) == {wanted}, words
        assert calls["certificate", wanted] == (target == "mamba"), words
        assert own is None or calls["skeleton", own] <= 1, words
    if target == "mamba":
        calls.clear()
        assert main(["export", name, "--to", "stock"]) == 0 and set(built) == {wanted}
        stored = {key: array.astype(np.float64) for key, array in load_file("stock/model.safetensors").items()}
        assert digest(SimpleNamespace(tensors=stored)) == wanted
        assert calls["certificate", wanted] == 1 and (own is None or calls["skeleton", own] <= 1)
    else:
        assert main(["check", "0"]) == 0 and set(built) == {wanted} and digest(storage.load("0")) == wanted
    capsys.readouterr()


@pytest.mark.parametrize("name", [*STAR_FREE, *OTHERS, "dyck-2-3"])
def test_what_speaks_about_an_automaton_looks_for_its_image_sets_once(name, calls, capsys):
    own = language(name).dfa().minimise()
    vars(own).pop("_skeleton", None)
    for words in (["describe", name], ["languages", name], ["starfree", name, "--strings", "0", "--limit", "1"]):
        calls.clear()
        assert main(words) in (0, 1, 3)
        assert calls["skeleton", own] <= 1, words
    capsys.readouterr()
