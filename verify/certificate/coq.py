"""A model and its language as a Coq file: the weights as literals, the theorem that the model computes the language,
its proof.

What is proved is about the numbers printed, for all words; the theory is in ``verify/coq`` (its README says what has to
be trusted).  The proof is by computation: Coq runs a checker that is proved right there.  A wrong number, or a wrong
guess of the relation, is a file that Coq refuses.
"""

from __future__ import annotations

import re
import textwrap
from typing import Iterable

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.machine import PREDICTIVE, RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import RUNS, CounterMachine, parse_name
from automata.machines.flip_flop import FlipFlopMachine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM
from verify.certificate.coq_guess import Form, Template, dead_template, live_templates, stack_templates

_SEARCHED = 100_000
"""Pairs of states that Coq's search holds, the constant ``most_pairs`` of FiniteRelation.v."""

_FUEL = "(fuel := 1000%nat)"
"""How deep Coq searches, and how often it may cut a box."""


def coq_text(name: str, model: SSM, machine: Machine, mode: str = PREDICTIVE) -> str:
    """A Coq file with the model's weights and the theorem ``NAME_computes``, proved.

    Args:
        name: a Coq identifier: small letters, digits and ``_``, a letter first (:func:`coq_name` makes one).
        model: the weights.
        machine: the language: a minimal automaton, or a machine of the catalogue.
        mode: the question that the model answers.

    Raises:
        InputError: naming what the theory has no words for: floats, wrapping integers, fractions in exact arithmetic,
            another alphabet or another question, more states than Coq can search.

    >>> from automata.catalogue import language
    >>> from constructions.build import build
    >>> from constructions.compile.compiler import compile
    >>> machine = language("tomita-1").dfa()
    >>> text = coq_text("tomita_1", build(compile(machine)).weights, machine)
    >>> print(text[text.index("Theorem") :].strip())
    Theorem tomita_1_computes : computes tomita_1 tomita_1_language 2.
    Proof.
      apply check_computes with (L := (dfa_lookup _ _ _)) (fuel := 1000%nat).
      vm_cast_no_check (eq_refl true).
    Qed.
    Print Assumptions tomita_1_computes.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise InputError(f"the name {quoted(name)} is no Coq identifier of small letters, digits and _")
    if mode != model.mode:
        raise InputError(f"the model answers the question {model.mode}, not {mode}")
    if tuple(machine.alphabet) != tuple(model.alphabet):
        raise InputError("the model and the language differ in their symbols, or in the order of these")
    symbols = "; ".join(_string(symbol) for symbol in model.alphabet)
    language = _language(machine)
    claimed = f"{name}_language" if mode == PREDICTIVE else f"(recogniser {name}_language)"
    weights = _model(model)
    evidence, steps = _proof(name, model, machine, mode)
    return "\n".join(
        (
            (
                "From Verify Require Import SSM Languages FiniteRelation Forms "
                "Templates DriftingRelation CounterMachines Dyck."
            ),
            "Require Import ZArith List String.\nImport ListNotations.\nOpen Scope Z_scope.\n",
            (
                "(* By number; the last row of the embedding is BOS, and the last "
                "output of a predictor the end of the word. *)"
            ),
            f"Definition {name}_symbols : list string := [{symbols}]%string.\n",
            _filled(f"Definition {name}_language : machine := {language}.") + "\n",
            f"Definition {name} : model := {weights}.\n",
            *evidence,
            f"Theorem {name}_computes : computes {name} {claimed} {len(model.alphabet)}.",
            "Proof.\n" + "".join(f"  {step}\n" for step in steps) + "Qed.",
            f"Print Assumptions {name}_computes.\n",
        )
    )


def coq_name(text: str) -> str:
    """A Coq identifier made of a name of a language.

    >>> coq_name("aa*bb*cc*dd*ee*"), coq_name("{0,1,2}*02*"), coq_name("dyck-8-10")
    ('aa_bb_cc_dd_ee', 'l_0_1_2_02', 'dyck_8_10')
    """
    name = re.sub("[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() else f"l_{name}".rstrip("_")


# -- the language -------------------------------------------------------------------------------------


def _language(machine: Machine) -> str:
    """The term of Languages.v that defines it."""
    if isinstance(machine, FlipFlopMachine):
        return "flip_flop"
    if isinstance(machine, DyckMachine):
        return f"dyck {machine.k} {machine.depth}"
    if isinstance(machine, CounterMachine):
        family, number = parse_name(machine.name, most=len(machine.alphabet))
        if family in RUNS:
            return f"equal_runs {len(RUNS[family])}"
        return f"{'boolean' if family == 'boolean' else 'shuffle'} {number}"
    if isinstance(machine, DFA):
        rows = _list(_list(map(str, row)) for row in machine.table.tolist())
        accepting = _list(str(q in machine.accepting).lower() for q in range(machine.states))
        return f"dfa {rows}%nat {accepting} {machine.initial}"
    raise InputError(f"{machine!r} is no machine that the Coq theory defines")


def _string(symbol: str) -> str:
    return '"' + symbol.replace('"', '""') + '"'


# -- the proof ----------------------------------------------------------------------------------------


def _proof(name: str, model: SSM, machine: Machine, mode: str) -> tuple[list[str], list[str]]:
    """Definitions of evidence, and the steps of the proof."""
    by_computation = "vm_cast_no_check (eq_refl true)."
    if isinstance(machine, CounterMachine):
        live = {machine.controls.index(name): template for name, template in live_templates(model, machine).items()}
        dead = dead_template(model, machine) if mode == RECOGNISE else None
        evidence = _filled(f"Definition {name}_relation : list entry := {_relation(live.items(), dead)}.") + "\n"
        theorem = "predictor_computes" if mode == PREDICTIVE else "recogniser_computes"
        return [evidence], [f"apply {theorem} with (entries := {name}_relation) {_FUEL}.", by_computation]
    if isinstance(machine, DyckMachine):
        lookup, states = f"(dyck_lookup {machine.k} {machine.depth})", machine.classes()
        if (stack := stack_templates(model, machine)) is not None:
            relation = _relation(enumerate(stack[0]), stack[1])
            evidence = _filled(f"Definition {name}_relation : list entry := {relation}.") + "\n"
            in_bits, counting = (
                ("dyck_in_bits_computes", "predictor_computes")
                if mode == PREDICTIVE
                else ("dyck_in_bits_recognises", "recogniser_computes")
            )
            cells = f"(k := {machine.k}%nat) (h := {machine.depth}%nat) (B := {(machine.k - 1).bit_length()}%nat)"
            return [evidence], [
                f"apply {in_bits} with {cells}; [apply Nat.leb_le; reflexivity|].",
                f"apply {counting} with (entries := {name}_relation) {_FUEL}.",
                by_computation,
            ]
    elif isinstance(machine, DFA):
        lookup, states = "(dfa_lookup _ _ _)", machine.states
    else:
        lookup, states = "flip_lookup", 9
    if states > _SEARCHED:
        raise InputError(
            f"there is no Coq proof for a machine of {states} states in this "
            f"mode: it would be searched, up to {_SEARCHED}"
        )
    if mode == PREDICTIVE:
        return [], [f"apply check_computes with (L := {lookup}) {_FUEL}.", by_computation]
    try:
        dead = dead_template(model, machine)
    except InputError:  # of numbers that cannot be run here; Coq's have no bounds
        dead = None
    if dead is None or not dead.unbounded:
        return [], [f"apply check_computes with (L := recogniser_lookup {lookup}) {_FUEL}.", by_computation]
    evidence = _filled(f"Definition {name}_dead : template := {_template(dead)}.") + "\n"
    drifting = f"apply drifting_check_computes with (L := {lookup}) (dead := {name}_dead) {_FUEL}."
    return [evidence], [drifting, by_computation]


def _relation(live: Iterable[tuple[int, Template]], dead: Template | None) -> str:
    """An entry for each control, and one for the dead words of a recogniser."""
    entries = [f"Entry (Some {control}%nat) ({_template(template)})" for control, template in live]
    return _list(entries if dead is None else [*entries, f"Entry None ({_template(dead)})"])


def _template(template: Template) -> str:
    ranges = _list(f"({_end(low)}, {_end(high)})" for low, high in template.ranges)
    forms = _list(_list(map(_form, layer)) for layer in template.forms)
    sources = _list(f"({layer}, {coordinate})" for layer, coordinate in template.sources)
    return f"Template {ranges} {forms} {sources}%nat"


def _end(value: int | None) -> str:
    return "None" if value is None else f"Some {_number(value)}"


def _form(form: Form) -> str:
    return f"({_number(form.constant)}, {_list(['0'] * form.parameter + ['1'] if form.parameter is not None else [])})"


# -- the model ----------------------------------------------------------------------------------------


def _model(model: SSM) -> str:
    """The term of SSM.v with exactly these numbers.

    Raises:
        InputError: for an arithmetic that SSM.v does not define.
    """
    if model.arithmetic.kind not in ("exact", "fixed"):
        raise InputError(
            f"the Coq theory has the arithmetics fixed:P and exact with whole weights, not {model.arithmetic}"
        )
    exponents = {"the embedding": model.embedding_exponent}
    exponents.update((name, affine.exponent) for name, affine in model.affines())
    exponents.update((f"layers.{i}.initial", layer.initial_exponent) for i, layer in enumerate(model.layers))
    if model.arithmetic.kind == "exact":
        for name, exponent in exponents.items():
            if exponent:
                raise InputError(
                    f"{name} has fractions (over 2^{exponent}), and the Coq "
                    "theory has exact arithmetic for whole "
                    "weights only"
                )
    embedding = _rows(map(_numbers, model.embedding.tolist()))
    layers = ";\n  ".join(map(_layer, model.layers))
    head = f"Model {model.arithmetic.unit_bits} {model.embedding_exponent}"
    return f"{head}\n  {embedding}\n  [{layers}]\n  {_affine(model.readout)}"


def _layer(layer: Layer) -> str:
    mixes = ";\n   ".join(map(_mix, layer.phi))
    initial = f"{layer.initial_exponent} {_numbers(layer.initial.tolist())}"
    return f"Layer {_affine(layer.gate)}\n  {_affine(layer.increment)}\n  {initial}\n  [{mixes}]"


def _mix(mix: Mix) -> str:
    activation = mix.activation.capitalize()
    if mix.activation == "clip":
        activation += f" {_number(mix.low)} {_number(mix.high)}"
    return f"({_affine(mix.affine)}, {activation})"


def _affine(affine: Affine) -> str:
    matrix, rows = affine.matrix, []
    for row, bias in enumerate(affine.bias.tolist()):
        places = range(matrix.indptr[row], matrix.indptr[row + 1])
        weights = _list(f"({matrix.indices[place]}%nat, {_number(int(matrix.data[place]))})" for place in places)
        rows.append(f"({_number(bias)}, {weights})")
    return f"(Affine {affine.exponent}\n    {_rows(rows)})"


# -- terms --------------------------------------------------------------------------------------------


def _number(value: int) -> str:
    return f"({value})" if value < 0 else str(value)


def _numbers(values: Iterable[int]) -> str:
    return _list(map(_number, values))


def _list(terms: Iterable[str]) -> str:
    return f"[{'; '.join(terms)}]"


def _rows(terms: Iterable[str]) -> str:
    """A list with a line for each term."""
    return "[" + ";\n     ".join(terms) + "]"


def _filled(text: str) -> str:
    """A definition broken into lines between its terms."""
    return "\n".join(textwrap.wrap(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
