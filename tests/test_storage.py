"""Saved models come back the same; damaged folders are refused in one line that names the damage."""

import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from automata.errors import InputError
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.storage import load, save

MODELS = [
    lower(flip_flop("recognise"), Arithmetic.parse("fixed:1")),
    lower(flip_flop("recognise"), Arithmetic.parse("float32")),
    lower(bounded_dyck(3, 2), Arithmetic("exact")),
    lower(bounded_dyck(1, 1), Arithmetic("exact")),
]


@pytest.mark.parametrize("ssm", MODELS)
def test_round_trip(ssm, tmp_path):
    save(ssm, tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again.alphabet, again.outputs, again.arithmetic, again.names) == (
        ssm.alphabet,
        ssm.outputs,
        ssm.arithmetic,
        ssm.names,
    )
    assert again.state_names == ssm.state_names
    assert np.array_equal(again.embedding, ssm.embedding)
    for (name, a), (_, b) in zip(again.affines(), ssm.affines()):
        assert np.array_equal(a.matrix.toarray(), b.matrix.toarray()), name
        assert np.array_equal(a.bias, b.bias) and a.exponent == b.exponent
    for a, b in zip(again.layers, ssm.layers):
        assert np.array_equal(a.initial, b.initial) and a.initial_exponent == b.initial_exponent
        assert [m.names for m in a.phi] == [m.names for m in b.phi]


@pytest.fixture
def folder(tmp_path):
    save(MODELS[2], tmp_path / "model")
    return tmp_path / "model"


def change_array(folder, name, array):
    arrays = load_file(folder / "weights.safetensors")
    if array is None:
        del arrays[name]
    else:
        arrays[name] = array
    save_file(arrays, folder / "weights.safetensors")


@pytest.mark.parametrize(
    "name, array, message",
    [
        ("readout.bias", None, "'readout.bias' is missing"),
        ("surplus", np.zeros(1, dtype=np.int64), "unexpected array 'surplus'"),
        ("readout.bias", np.zeros(3, dtype=np.int64), "does not fit a bias of 3"),
        ("embedding", np.zeros((2, 2), dtype=np.int64), "embedding"),
        ("embedding", np.zeros(7, dtype=np.int64), "'embedding' has 1 dimensions"),
        ("readout.values", np.full(9, np.nan), "NaN"),
        ("readout.values", np.full(9, np.inf), "infinite"),
        ("readout.values", np.zeros(9, dtype=np.float32), "float32"),
        ("readout.values", np.zeros(1, dtype=np.int64), "different lengths"),
        ("readout.rows", None, "'readout.rows' is missing"),
        ("readout.shape", np.array([-1, 2]), "shape"),
        ("layers.0.initial", np.zeros(2, dtype=np.int64), "layers.0.initial has shape"),
        ("layers.0.initial", np.array([-(2**63)]), r"array 'layers.0.initial' \[0\] is -9223372036854775808"),
        ("readout.values", np.array([1] * 8 + [2**62 + 1]), r"array 'readout.values' \[8\] is 4611686018427387905"),
    ],
)
def test_damaged_arrays(folder, name, array, message):
    change_array(folder, name, array)
    with pytest.raises(InputError, match=message) as error:
        load(folder)
    assert "\n" not in str(error.value)


def test_an_index_outside_the_matrix(folder):
    arrays = load_file(folder / "weights.safetensors")
    columns = arrays["readout.columns"].copy()
    columns[0] = 10**6
    change_array(folder, "readout.columns", columns)
    with pytest.raises(InputError, match="outside 0"):
        load(folder)


def test_a_weight_that_is_given_twice(folder):
    change_array(folder, "readout.columns", 0 * load_file(folder / "weights.safetensors")["readout.columns"])
    change_array(folder, "readout.rows", 0 * load_file(folder / "weights.safetensors")["readout.rows"])
    with pytest.raises(InputError, match="name a weight twice"):
        load(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
def test_a_pipe_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(InputError, match=f"{name}: (is not a plain|there is no such) file"):
        load(folder)


@pytest.mark.parametrize(
    "path, value, message",
    [
        (("format",), 99, "format"),
        (("alphabet",), ["(a", "(a"], "twice"),
        (("alphabet",), 7, "list of strings"),
        (("outputs",), ["x"], "outputs"),
        (("arithmetic",), "fixed:-1", "fixed:-1"),
        (("layers", 0, "gate_exponent"), -1, "exponent"),
        (("layers", 0, "gate_exponent"), "0", "exponent"),
        (("layers", 0, "gate_function"), "eval", "gate function"),
        (("layers", 0, "phi", 0, "activation"), "tanh", "activation"),
        (("layers",), [], "unexpected|layer"),
        (("readout",), None, "model.json"),
        (("layers", 0, "phi", 0, "low"), float("inf"), "expected an integer"),
        (("layers", 0, "phi", 0, "low"), 5, "clips from 5 up to 0"),
        (("layers", 0, "phi", 0, "low"), -(2**63), "layers.0.phi.0.low is '-9223372036854775808'"),
        (("layers", 0, "phi", 0, "high"), 2**62 + 1, "layers.0.phi.0.high is '4611686018427387905'"),
        (("format",), True, "format 1"),
        (("format",), 1.0, "format 1"),
        (
            ("layers", 0, "phi", 1, "exponent"),
            63,
            "the exponent of layers.0.phi.1 is '63', expected an integer from 0 to 62",
        ),
        (("readout", "exponent"), 1000, "the exponent of readout is '1000'"),
        (("layers", 1, "initial_exponent"), True, "layers.1.initial_exponent is 'True'"),
        (("embedding", "exponent"), 64, "the embedding's exponent is '64'"),
        (("layers", 1, "names"), ["a"], "layers.1 has 1 state coordinate names, expected"),
        (("layers", 0, "names"), ["depth", "depth"], "layers.0 has 2 state coordinate names, expected 1"),
        (("layers", 1, "phi", 0, "names"), ["a"], "layers.1.phi.0 has 1 neuron names, expected"),
        (("embedding", "names"), ["a"], "the embedding has 1 coordinate names, expected"),
        (
            ("layers", 0, "names"),
            ["\ud800"],
            "layers.0 has the state coordinate name '.ud800', which is not Unicode text",
        ),
        (("alphabet",), ["\ud800", "b", "c", "d", "e", "f"], "'.ud800' cannot be a symbol"),
    ],
)
def test_damaged_descriptions(folder, path, value, message):
    description = json.loads((folder / "model.json").read_text())
    place = description
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=message):
        load(folder)


def test_a_number_of_thousands_of_digits(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"low": 0', '"low": ' + "9" * 5000, 1))
    with pytest.raises(InputError, match="is not JSON"):
        load(folder)


def test_state_coordinates_of_one_name(folder):
    description = json.loads((folder / "model.json").read_text())
    names = description["layers"][1]["names"]
    names[1] = names[0]
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=f"layers.1 has the state coordinate name {names[0]!r} twice"):
        load(folder)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('"low": 0', '"low": 0, "low": 1', "entry 'low' is given twice"),
        ('"format": 1', '"format": 1, "format": 1', "entry 'format' is given twice"),
        ('"low": 0', '"low": NaN', "NaN is not a number"),
        ('"low": 0', '"low": -Infinity', "-Infinity is not a number"),
    ],
)
def test_descriptions_that_python_alone_would_read(folder, old, new, message):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=f"model.json: {message}") as error:
        load(folder)
    assert "\n" not in str(error.value)


def test_every_array_of_a_recogniser_refuses_the_least_integer(tmp_path):
    """One number of a saved model is edited; in whichever array, the array is named."""
    save(MODELS[0], tmp_path / "model")
    arrays = load_file(tmp_path / "model" / "weights.safetensors")
    edited = [
        name
        for name, array in arrays.items()
        if array.size and name.rsplit(".")[-1] in ("values", "bias", "initial", "embedding")
    ]
    assert len(edited) > 20
    for name in edited:
        wrong = arrays[name].copy()
        wrong.flat[-1] = -(2**63)
        save_file({**arrays, name: wrong}, tmp_path / "model" / "weights.safetensors")
        with pytest.raises(InputError, match=f"array '{name}' .* is -9223372036854775808"):
            load(tmp_path / "model")


def test_a_model_without_names_is_saved_and_has_some_to_show(tmp_path):
    ssm = random_ssm(1, 2, 3, Arithmetic.parse("fixed:2"))
    bare = replace(ssm, names=(), layers=tuple(replace(layer, names=()) for layer in ssm.layers))
    save(bare, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.layers[0].names == () and again.state_names[3:] == ("layer 2 h1", "layer 2 h2", "layer 2 h3")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a file was executed",))


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
def test_nothing_is_unpickled(folder, name):
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match=name):
        load(folder)


@settings(max_examples=60)
@given(st.data())
def test_flipped_bytes_give_a_model_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flip") / "model"
    save(MODELS[3], folder)
    path = folder / data.draw(st.sampled_from(["weights.safetensors", "model.json"]))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path.write_bytes(content)
    try:
        load(folder)
    except InputError as error:
        assert "\n" not in str(error)


def test_saving_replaces_a_model_and_nothing_else(tmp_path):
    save(MODELS[2], tmp_path / "model")
    save(MODELS[3], tmp_path / "model")
    assert load(tmp_path / "model").alphabet == MODELS[3].alphabet
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="is not a saved model"):
        save(MODELS[2], tmp_path / "notes")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "notes"]
    assert (tmp_path / "notes" / "mine.txt").read_text() == "keep"
