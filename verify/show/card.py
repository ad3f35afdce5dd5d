"""The model card of an exported checkpoint: what it is, how it was checked, how to use it."""

from __future__ import annotations

from automata.machine import RECOGNISE
from constructions.build import Build
from constructions.compile.compiler import counters_of
from constructions.mamba.weights import FIRST_SYMBOL
from constructions.recurrent.cells import CELLS, CellWeights
from constructions.stock.weights import StockWeights
from verify.verdict import Verdict

_CARD = """---
library_name: {library}
license: mit
pipeline_tag: text-generation
tags: [{family}, formal-languages, compiled]
---

# {title}

This is {what}.  Its weights were compiled from the language, not trained: {sizes}, in {dtype}.

{question}

## How it was checked

{verdicts}

Repeat with `{command}`.

## Use

{use}
`coordinates.json` says what every coordinate of the residual stream and every inner channel means, `language.json`
which language the model is about: `python -m verify check .` proves it again.
"""

_IN_TRANSFORMERS = """```python
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".", dtype=torch.{dtype})
logits = model(**tokenizer("{example}", return_tensors="pt")).logits[0, -1]
print([token for token, number in tokenizer.get_vocab().items() if logits[number] > 0])
```

The tokenizer puts `<bos>` first, which the model needs.  Padding goes on the left, with its attention mask.
"""

_IN_TORCH = """```python
import torch
from safetensors.torch import load_file

tensors = load_file("model.safetensors")
layer = torch.nn.{module}({tokens}, {units}, batch_first=True{more})
layer.load_state_dict({{name[6:]: t for name, t in tensors.items() if name.startswith("layer.")}})
token = tensors["embedding.weight"][[1, {first}]]  # <bos>, then {example}: see tokenizer.json
hidden = layer(token[None])[0][0, -1]
logits = tensors["head.weight"] @ hidden + tensors["head.bias"]
```

"""

_PREDICTS = (
    "After every prefix of a word, the tokens with a positive logit are "
    "exactly the legal next symbols; `<eos>` is one of "
    "them where the word may end. Logits are +64 or -64, so that sampling never leaves the language."
)
_RECOGNISES = (
    "After every string, the logit of `<eos>` is +64 where the string is in the language, and -64 where it is not."
)


def card(title: str, built: Build, verdicts: list[Verdict], command: str) -> str:
    """README.md of a checkpoint's folder; empty for targets whose folder has no place for it."""
    if built.target.numbers != "dtype" or built.construction is None:
        return ""
    construction = built.construction
    return _CARD.format(
        title=title,
        what=built.target.title,
        sizes=", ".join(f"{number} {name}" for name, number in built.target.size(built.weights).items()),
        family=built.target.name.replace("_", "-"),
        dtype=built.describe()["dtype"],
        library="torch" if isinstance(built.weights, CellWeights) else "transformers",
        use=_use(built),
        question=_RECOGNISES if construction.mode == RECOGNISE else _PREDICTS,
        verdicts="\n".join(f"* {line}" for line in [*map(_sentence, verdicts), *_needs(built)]),
        command=command,
    )


def _use(built: Build) -> str:
    """How the folder is read again, without this project."""
    assert built.construction is not None
    example = built.construction.cascade.alphabet[0]
    weights = built.weights
    if not isinstance(weights, CellWeights):
        return _IN_TRANSFORMERS.format(dtype=built.describe()["dtype"], example=example)
    return _IN_TORCH.format(
        module=CELLS[weights.cell],
        tokens=len(weights.tensors["embedding.weight"]),
        units=len(weights.units),
        more=', nonlinearity="relu"' if weights.cell == "relu" else ", num_layers=2" if weights.layers > 1 else "",
        first=FIRST_SYMBOL,
        example=example,
    )


def _needs(built: Build) -> list[str]:
    """What a device has to have that not every one has."""
    assert built.construction is not None
    counts = isinstance(built.weights, StockWeights) and counters_of(built.construction.cascade)
    return [built.weights.architecture.counts_where] if counts and built.weights.architecture.counts_where else []


def _sentence(verdict: Verdict) -> str:
    explored = verdict.looked_at
    horizon = "" if verdict.horizon is None else f" (strings of up to {verdict.horizon} symbols)"
    return f"**{verdict.outcome}** by {verdict.method} ({verdict.mode}): {verdict.reason}{horizon}. {explored}."
