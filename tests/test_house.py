"""Does the source keep its own rules: which way imports go, what is imported when, and that a name means one thing?"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("automata", "constructions", "verify")
"""In the order in which they may be imported: each knows those before it."""

HEAVY = {"torch", "transformers", "tokenizers", "mamba_ssm", "matplotlib", "z3", "dask", "distributed", "pyarrow"}
NEED_TORCH = (
    "constructions.attention.",
    "constructions.mamba.",
    "constructions.stock.",
    "constructions.recurrent.",
    "verify.training.",
    "verify.checkpoints.bounds_of_",
    "verify.checkpoints.divided_by_zero",
    "verify.checkpoints.followed_state",
    "verify.checkpoints.listed_steps",
)
"""Modules here may import what is heavy at once, as they run models or take derivatives of them; all others import
them, too, only where they are used."""

COMMANDS, COMMAND = "verify.commands", {"HELP", "EXAMPLES", "configure", "run", "task", "add_language"}
"""What every module of a command has."""

MOST_DOUBLED = 15
"""The public face has the words of what it offers: compile, load, refute, trace."""


def modules() -> dict[str, Path]:
    found = (path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): ROOT / path for path in found}


MODULES = modules()


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(node: ast.AST, lazy: bool) -> set[str]:
    """What is imported when the code runs: on import only, or (``lazy``) inside of functions too."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.module and not child.level, "imports are absolute"
            found.update(f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            found |= imports(ast.Module(child.orelse, []), lazy)
        elif lazy or not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found |= imports(child, lazy)
    return found


def module_of(name: str) -> str:
    """The module that ``from a.b import c``, written a.b.c, imports."""
    return name if name in MODULES else name.rpartition(".")[0]


def public_names(module: str) -> set[str]:
    """Names without a leading underscore that are defined at the top level."""
    names: set[str] = set()
    for node in tree(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names.update(name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
    return {name for name in names if not name.startswith("_")}


def test_imports_go_one_way():
    wrong = [
        (module, name)
        for module in MODULES
        for name in imports(tree(module), lazy=True)
        for package in PACKAGES[PACKAGES.index(module.partition(".")[0]) + 1 :]
        if name.partition(".")[0] == package
    ]
    assert wrong == []


def test_no_modules_import_each_other_not_even_later():
    edges = [
        (module, module_of(name))
        for module in MODULES
        for name in imports(tree(module), lazy=True)
        if module_of(name) in MODULES
    ]
    assert len(edges) > len(MODULES)
    assert [circle for circle in nx.strongly_connected_components(nx.DiGraph(edges)) if len(circle) > 1] == []


def test_what_is_heavy_is_imported_where_it_is_used():
    found = {m for m in MODULES if {name.partition(".")[0] for name in imports(tree(m), lazy=False)} & HEAVY}
    assert found and all(module.startswith(NEED_TORCH) for module in found)
    wrong = [
        (module, name)
        for module in set(MODULES) - found
        for name in imports(tree(module), lazy=False)
        if module_of(name) in found
    ]
    assert wrong == []


def test_a_public_name_is_defined_once():
    where = defaultdict(list)
    for module in MODULES:
        is_command = module.startswith(COMMANDS)
        if module == "verify.checker":  # alone on purpose: it shares nothing, so its names are nobody else's
            continue
        for name in public_names(module) - (COMMAND if is_command else set()):
            where[name].append(module)
    doubled = {name: places for name, places in where.items() if len(places) > 1}
    assert len(doubled) <= MOST_DOUBLED, doubled
    assert not {"Box", "Numbers", "STATE_LIMIT"} & doubled.keys()


def test_module_names():
    names = Counter(module.rpartition(".")[2] for module in MODULES)
    assert names["parity"] == 1
    # automata-lib installs a package of the same name with these modules.
    assert not {"regex", "fa", "pda", "tm", "base"} & {
        m.rpartition(".")[2] for m in MODULES if m.startswith("automata.")
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_the_types_are_offered_to_others(package):
    assert (ROOT / package / "py.typed").is_file()
