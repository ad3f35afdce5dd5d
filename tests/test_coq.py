"""Does the exporter print the numbers of the model, does Coq refuse a wrong one, and are Coq's languages those of the
catalogue?
"""

import configparser
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import EOS, PREDICTIVE, RECOGNISE, run
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.storage import save
from constructions.ssm.weights import SSM
from verify.__main__ import main
from verify.certificate import coq_check
from verify.certificate.coq import coq_name, coq_text
from verify.claim import Claim
from verify.proving import prove_claim
from verify.verdict import REFUTED

needs_coq = pytest.mark.skipif(not coq_check.coq_installed(), reason="coqc is not installed")


def model_of(name, mode=PREDICTIVE):
    machine = coq_check.defining_machine(name)
    return build(compile(machine, mode)).weights, machine


def with_everything() -> SSM:
    """Fractions, a clip, a linear mix, BOS of its own, and numbers as large as they can be: nothing that was
    compiled.
    """
    large = 2**62 - 1
    layer = Layer(
        gate=Affine([[0, 1, 0]], [-3], 2),
        increment=Affine([[5, 0, -large]], [large], 62),
        initial=np.array([-7]),
        initial_exponent=3,
        phi=(
            Mix(Affine([[1, 0, 0, -2], [0, 0, 0, 0]], [0, 9], 4), "clip", -11, 13),
            Mix(Affine([[0, 1, -1, 0, 2]], [6], 1), "linear"),
        ),
    )
    return SSM(
        alphabet=("a", 'say"b"(*'),
        outputs=("<accept>",),
        embedding=np.array([[1, 2, 3], [-large, 0, 4], [5, 6, -1]]),
        embedding_exponent=5,
        layers=(layer,),
        readout=Affine([[-1]], [1], 6),
        arithmetic=Arithmetic.parse("fixed:7"),
    )


# -- what is printed ------------------------------------------------------------------------------------


def read(term: str):
    """A Coq term of constructors, lists, pairs and numbers, as nested lists; constructors first, by name."""
    tokens = re.findall(r"[\[\]();,]|-?\w+", term.replace("%nat", ""))

    def items(end: str):
        parts, part = [], []
        while (token := tokens.pop(0)) != end:
            if token in ";,":
                parts.append(part)
                part = []
            elif token in "[(":
                part.append(items("]" if token == "[" else ")"))
            else:
                part.append(int(token) if token.lstrip("-").isdigit() else token)
        parts.append(part)
        # One word alone is itself; several are a constructor with what it is applied to.
        inner = [part[0] if len(part) == 1 else part for part in parts if part]
        return inner[0] if end in ").' " and len(inner) == 1 else inner

    tokens.append("end")
    return items("end")[0]


def printed(text: str, name: str):
    return read(re.search(rf"Definition {name} : model := (.*?)\.\n\n", text, re.DOTALL)[1])


def affine_as_read(affine: Affine):
    rows = []
    for row, bias in zip(affine.matrix.toarray().tolist(), affine.bias.tolist()):
        rows.append([bias, [[column, weight] for column, weight in enumerate(row) if weight]])
    return ["Affine", affine.exponent, rows]


def as_read(model: SSM):
    layers = []
    for layer in model.layers:
        mixes = []
        for mix in layer.phi:
            activation = ["Clip", mix.low, mix.high] if mix.activation == "clip" else mix.activation.capitalize()
            mixes.append([affine_as_read(mix.affine), activation])
        start = [layer.initial_exponent, layer.initial.tolist()]
        layers.append(["Layer", affine_as_read(layer.gate), affine_as_read(layer.increment), *start, mixes])
    head = ["Model", model.arithmetic.bits if model.arithmetic.kind == "fixed" else 0, model.embedding_exponent]
    return [*head, model.embedding.tolist(), layers, affine_as_read(model.readout)]


@pytest.mark.parametrize("name, mode", [("flip-flop", RECOGNISE), ("dyck-2-3", PREDICTIVE), ("shuffle-2", RECOGNISE)])
def test_every_number_of_a_compiled_model_is_printed(name, mode):
    model, machine = model_of(name, mode)
    assert printed(coq_text("m", model, machine, mode), "m") == as_read(model)


def test_every_number_of_any_model_is_printed():
    model = with_everything()
    text = coq_text("m", model, DFA(model.alphabet, [[0, 0]], [0]), RECOGNISE)
    assert printed(text, "m") == as_read(model)
    assert 'Definition m_symbols : list string := ["a"; "say""b""(*"]%string.' in text


@pytest.mark.parametrize(
    "name, mode", [(name, mode) for name, mode in coq_check.COQ_MODELS if not name.startswith("shuffle")]
)
def test_every_model_of_make_coq_has_its_theorem(name, mode):
    model, machine = model_of(name, mode)
    identifier = coq_name(name)
    text = coq_text(identifier, model, machine, mode)
    claimed = f"{identifier}_language" if mode == PREDICTIVE else f"(recogniser {identifier}_language)"
    assert f"Theorem {identifier}_computes : computes {identifier} {claimed} {len(model.alphabet)}.\n" in text
    assert text.endswith(f"Qed.\nPrint Assumptions {identifier}_computes.\n")


def test_names_of_models_differ():
    names = {coq_name(name) for name, _ in coq_check.COQ_MODELS}
    assert len(names) == len({name for name, _ in coq_check.COQ_MODELS})


# -- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, mode, culprit",
    [
        ({"arithmetic": Arithmetic.parse("float32")}, RECOGNISE, "not float32"),
        ({"arithmetic": Arithmetic.parse("wrap:8")}, RECOGNISE, "not wrap:8"),
        ({"arithmetic": Arithmetic.parse("exact")}, RECOGNISE, "the embedding has fractions"),
        ({"arithmetic": Arithmetic.parse("exact"), "embedding_exponent": 0}, RECOGNISE, "layers.0.gate has fractions"),
        ({}, PREDICTIVE, "answers the question recognise"),
        ({"alphabet": ("b", "a")}, RECOGNISE, "differ in their symbols"),
    ],
)
def test_what_the_theory_has_no_words_for_is_refused(change, mode, culprit):
    model = replace(with_everything(), alphabet=("a", "b"))
    with pytest.raises(InputError, match=culprit):
        coq_text("m", replace(model, **change), DFA("ab", [[0, 0]], [0]), mode)


@pytest.mark.parametrize("name", ["", "M", "1m", "m.", "m Qed", "m\n"])
def test_a_name_that_is_no_identifier_is_refused(name):
    model, machine = model_of("tomita-1")
    with pytest.raises(InputError, match="no Coq identifier"):
        coq_text(name, model, machine)


def test_a_search_that_is_too_large_is_refused():
    model, machine = model_of("dyck-8-10")
    first, outputs = model.layers[0], len(model.outputs)
    nothing = Affine(np.zeros((outputs, first.features), dtype=np.int64), np.zeros(outputs, dtype=np.int64))
    other = replace(model, layers=(first,), readout=nothing)
    with pytest.raises(InputError, match="no Coq proof for a machine of 1227133513 states"):
        coq_text("m", other, machine)


@pytest.mark.parametrize(
    "status, output, theorems, accepted",
    [
        (0, coq_check.NO_AXIOMS, 1, True),
        (1, coq_check.NO_AXIOMS, 1, False),
        (0, "", 1, False),
        (0, f"{coq_check.NO_AXIOMS}\nAxioms:\nm_computes : computes m", 2, False),
        (0, f"{coq_check.NO_AXIOMS}\n{coq_check.NO_AXIOMS}", 1, False),
        (0, "Axioms:\nx : False", 0, False),
    ],
)
def test_a_theorem_with_assumptions_is_no_proof(status, output, theorems, accepted):
    assert (coq_check.coq_refusal(status, output, "Error:\nno.", theorems) is None) == accepted


def test_where_coq_is_missing_one_line_says_how_to_get_it(tmp_path):
    run_ = subprocess.run(
        [sys.executable, "-m", "verify.certificate.coq_check", str(tmp_path / "build")],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (run_.returncode, run_.stdout, run_.stderr) == (2, "", coq_check.COQ_MISSING + "\n")
    assert "apt-get install" in coq_check.COQ_MISSING and not (tmp_path / "build").exists()


# -- the command ----------------------------------------------------------------------------------------


def test_the_command_writes_the_file_and_says_that_nobody_has_checked_it(capsys, tmp_path):
    path = tmp_path / "anbn.v"
    assert main(["certify", "anbn", "--coq", str(path)]) == 0
    model, machine = model_of("anbn")
    assert path.read_text() == coq_text("anbn", model, machine)
    out = capsys.readouterr().out
    assert "not checked here" in out and "proved" not in out


def test_the_command_takes_a_saved_model(tmp_path):
    model, machine = model_of("tomita-4", RECOGNISE)
    folder, path = tmp_path / "model", tmp_path / "m.v"
    build(compile(machine, RECOGNISE)).save(folder)
    arguments = ["certify", "tomita-4", "--weights", str(folder), "--coq", str(path)]
    assert main([*arguments, "--mode", "recognise"]) == 0
    assert printed(path.read_text(), "m") == as_read(model)
    assert main(arguments) == 2  # it answers the other question


@pytest.mark.parametrize(
    "arguments, culprit",
    [
        (["anbn", "--coq", "{}/anbn.txt"], "ends in .v"),
        (["anbn", "--coq", "/proc/none/m.v"], "/proc/none/m.v"),
        (["anbn", "--coq", "{}/m.v", "--arithmetic", "float32"], "not float32"),
        (["anbn", "--coq", "{}/m.v", "--json", "{}/m.v"], "lies in the same place"),
        (["parity", "--coq", "{}/m.v"], "permutes its values"),
    ],
)
def test_the_command_refuses_in_one_line_and_writes_nothing(capsys, tmp_path, arguments, culprit):
    assert main(["certify", *(argument.format(tmp_path) for argument in arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and culprit in err
    assert list(tmp_path.iterdir()) == []


@needs_coq
@pytest.mark.slow
def test_the_command_has_coq_check_it(capsys, tmp_path):
    model, machine = model_of("d-1")
    wrong = replace(model, readout=Affine(-model.readout.matrix, model.readout.bias, model.readout.exponent))
    for weights, status, word in ((model, 0, "proved"), (wrong, 3, "undecided")):
        folder, path = tmp_path / word, tmp_path / f"{word}.v"
        save(weights, folder)
        arguments = ["certify", "d-1", "--weights", str(folder), "--coq", str(path), "--check", "--quiet"]
        assert main(arguments) == status
        assert capsys.readouterr().out.startswith(f"proof: {word}")


# -- the theory -----------------------------------------------------------------------------------------


def test_nothing_in_the_theory_is_taken_for_granted():
    sources = sorted(coq_check.THEORY.rglob("*.v"))
    assert len(sources) >= 8
    for source in sources:
        text = re.sub(r"\(\*.*?\*\)", "", source.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|bypass_check)\b", text), source.name


def test_the_theory_is_shipped(repository):
    config = configparser.ConfigParser()
    config.read(repository / "setup.cfg")
    patterns = config["options.package_data"]["verify"].split()
    shipped = {path for pattern in patterns for path in (repository / "verify").glob(pattern)}
    assert set(coq_check.THEORY.rglob("*.v")) <= shipped


# -- with Coq -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def theory(tmp_path_factory) -> Path:
    """A folder with the theory, checked."""
    folder = tmp_path_factory.mktemp("coq")
    for source in coq_check.copy_theory(folder):
        if source.parent == Path("."):
            assert coq_check.check_coq_file(folder, source).refusal is None
    return folder


def accepted(folder: Path, text: str) -> coq_check.CoqResult:
    (folder / "m.v").write_text(text)
    return coq_check.check_coq_file(folder, Path("m.v"))


def corrupted(model: SSM, random: np.random.Generator) -> SSM:
    """One number of the readout, a mix, a gate or an increment is another one."""
    affines = [affine for _, affine in model.affines() if affine.matrix.nnz]
    chosen = affines[random.integers(len(affines))]
    matrix = chosen.matrix.copy()
    place = random.integers(matrix.nnz)
    matrix.data[place] = (-matrix.data[place], matrix.data[place] + 1, 0)[random.integers(3)]
    changed = Affine(matrix, chosen.bias, chosen.exponent)

    def swap(affine: Affine) -> Affine:
        return changed if affine is chosen else affine

    layers = tuple(
        replace(
            layer,
            gate=swap(layer.gate),
            increment=swap(layer.increment),
            phi=tuple(replace(mix, affine=swap(mix.affine)) for mix in layer.phi),
        )
        for layer in model.layers
    )
    return replace(model, layers=layers, readout=swap(model.readout))


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(
    "name, mode",
    [
        ("flip-flop", PREDICTIVE),
        ("flip-flop", RECOGNISE),
        ("dyck-2-3", PREDICTIVE),
        ("dyck-2-3", RECOGNISE),
        ("d-3", RECOGNISE),
        ("anbn", PREDICTIVE),
        ("anbncn", RECOGNISE),
        ("shuffle-2", PREDICTIVE),
    ],
)
def test_coq_accepts_the_model_and_refuses_one_with_a_wrong_number(theory, name, mode):
    model, machine = model_of(name, mode)
    result = accepted(theory, coq_text("m", model, machine, mode))
    assert (result.refusal, result.theorems) == (None, ("m_computes",))
    random, refuted = np.random.default_rng(0), 0
    for _ in range(12):
        wrong = corrupted(model, random)
        if prove_claim(Claim(machine, mode, Engine(wrong), wrong, limit=20_000), "auto").outcome != REFUTED:
            continue  # some neurons never wake, and some weights may be larger
        # The evidence is that of the right model: what is refused is the number.
        text = coq_text("m", model, machine, mode)
        anything = DFA(wrong.alphabet, [[0] * len(wrong.alphabet)], [0])
        definition = re.search(r"Definition m : model := .*?\.\n\n", coq_text("m", wrong, anything, mode), re.DOTALL)[0]
        text = re.sub(r"Definition m : model := .*?\.\n\n", lambda _: definition, text, flags=re.DOTALL)
        assert printed(text, "m") == as_read(wrong)
        assert accepted(theory, text).refusal is not None
        refuted += 1
        if refuted == 2:
            break
    assert refuted == 2


@needs_coq
@pytest.mark.slow
def test_the_languages_of_the_theory_are_those_of_the_catalogue(theory):
    random, asked, expected = np.random.default_rng(0), [], []
    for name in dict.fromkeys(name for name, _ in coq_check.COQ_MODELS):
        model, machine = model_of(name)
        term = re.search(r"_language : machine := (.*?)\.\n\n", coq_text("m", model, machine), re.DOTALL)[1]
        for _ in range(12):
            word, state = [], machine.initial
            for _ in range(random.integers(12)):
                legal = [symbol for symbol in machine.alphabet if symbol in machine.legal(state)]
                if not legal:
                    break
                word.append(legal[random.integers(len(legal))])
                state = machine.step(state, word[-1])
            if random.integers(3) == 0:
                word.append(machine.alphabet[random.integers(len(machine.alphabet))])
            state = run(machine, word)
            legal = machine.legal(state)
            indices = "; ".join(str(machine.alphabet.index(symbol)) for symbol in word)
            asked.append(f"  answered ({term}) [{indices}]%nat")
            outputs = [symbol in legal for symbol in (*machine.alphabet, EOS)] if legal else None
            expected.append((outputs, machine.accepts(state)))
    text = (
        "From Verify Require Import SSM Languages.\nRequire Import ZArith List.\nImport ListNotations.\n"
        "Definition answered (M : machine) (w : list nat) : option (list bool) * option (list bool) :=\n"
        "  (option_map (fun q => answer q) (reaches M w), option_map (fun q => answer q) (reaches (recogniser M) w)).\n"
        + "".join(f"Eval vm_compute in{term}.\n" for term in asked)
    )
    (theory / "languages.v").write_text(text)
    coqc = ["coqc", "-q", "-Q", ".", "Verify", "languages.v"]
    output = subprocess.run(coqc, cwd=theory, capture_output=True, text=True, check=True).stdout
    values = [re.sub(r"\s+", " ", value) for value in re.findall(r"= (.*?)\n\s+: option", output, re.DOTALL)]

    def shown(outputs):
        return "None" if outputs is None else f"Some [{'; '.join(str(value).lower() for value in outputs)}]"

    assert values == [f"({shown(outputs)}, {shown([accepts])})" for outputs, accepts in expected]
