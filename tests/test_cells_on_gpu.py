"""Saved cells of torch, read as their cards say, on the CPU and on a GPU, where cuDNN runs them."""

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import EOS, PREDICTIVE
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.recurrent.cells import CELLS

torch = pytest.importorskip("torch", reason="torch is not installed")
load_file = pytest.importorskip("safetensors.torch").load_file

pytestmark = pytest.mark.usefixtures("one_thread")

WORDS, SYMBOLS = 64, 100

MODELS = [
    (cell, name) for cell in ("relu-rnn", "tanh-rnn", "gru", "lstm") for name in ("parity", "tomita-5", "dyck-2-3")
]
MODELS += [("lstm", "anbn"), ("lstm", "shuffle-2")]

ON_GPU = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
)


def words_of(machine):
    """Tokens (words, symbols): each goes on as some word may, and at times with any symbol."""
    rng, rows = np.random.default_rng(0), np.full((WORDS, SYMBOLS + 1), BOS_TOKEN)
    for row in rows:
        state = machine.initial
        for time in range(1, SYMBOLS + 1):
            legal = sorted(machine.legal(state) - {EOS})
            choices = legal if legal and rng.random() < 0.99 else machine.alphabet
            symbol = choices[rng.integers(len(choices))]
            row[time], state = FIRST_SYMBOL + machine.alphabet.index(symbol), machine.step(state, symbol)
    return rows


def expected(machine, tokens):
    """What may come next (words, times, tokens)."""
    answers = np.zeros((*tokens.shape, FIRST_SYMBOL + len(machine.alphabet)), dtype=bool)
    for row, answer in zip(tokens, answers):
        state = machine.initial
        for time, token in enumerate(row):
            state = machine.step(state, machine.alphabet[token - FIRST_SYMBOL]) if time else state
            for output in machine.legal(state):
                answer[time, EOS_TOKEN if output == EOS else FIRST_SYMBOL + machine.alphabet.index(output)] = True
    return answers


@pytest.mark.parametrize("device", ["cpu", ON_GPU])
@pytest.mark.parametrize("target, name", MODELS)
def test_a_saved_cell_gives_the_answers_of_the_automaton(target, name, device, tmp_path):
    machine = language(name).machine
    built = build(compile(machine, PREDICTIVE, target=target), target).save(tmp_path / "cell")
    tensors = {key: tensor.to(device) for key, tensor in load_file(tmp_path / "cell" / "model.safetensors").items()}
    tokens, sizes = words_of(machine), (len(tensors["embedding.weight"][0]), tensors["head.weight"].shape[1])
    right = expected(machine, tokens)
    promised = right.any(-1)  # a predictor promises nothing after a string that no word begins with
    assert promised.sum() > SYMBOLS
    kind = CELLS[built.target.cell]
    more = {"nonlinearity": built.target.cell} if kind == "RNN" else {"num_layers": built.weights.layers}
    layer = getattr(torch.nn, kind)(*sizes, batch_first=True, **more).to(device)
    layer.load_state_dict({key[6:]: tensor for key, tensor in tensors.items() if key.startswith("layer.")})
    with torch.no_grad():
        read, state, parts = tensors["embedding.weight"][torch.from_numpy(tokens).to(device)], None, []
        for time in range(tokens.shape[1]):
            part, state = layer(read[:, time : time + 1], state)
            parts.append(part)
        for hidden in (layer(read)[0], torch.cat(parts, 1)):
            given = (hidden @ tensors["head.weight"].T + tensors["head.bias"] > 0).cpu().numpy()
            assert np.array_equal(given[promised], right[promised])
