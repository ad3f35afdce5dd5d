"""The notebooks run from top to bottom, they show what is stored in them, and need little more than the public face."""

import ast
import base64
import struct

import pytest
from conftest import REPOSITORY

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))

MODULES, OWN = 14, 7
"""Modules that all notebooks together import at most, and those of this project among them."""

PICTURE_BYTES = 60_000


def printed(notebook):
    """The text that each cell prints."""
    return [
        "".join(output["text"] for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path):
    stored = nbformat.read(path, as_version=4)
    executed = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        executed, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(REPOSITORY)}}
    ).execute()
    assert printed(executed) == printed(stored)


def imported(path):
    """The modules that a notebook imports."""
    found = set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        code = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    return found


def test_the_notebooks_need_little_more_than_the_public_face():
    assert len(NOTEBOOKS) == 10 and all("verify" in imported(path) for path in NOTEBOOKS)
    modules = set().union(*map(imported, NOTEBOOKS))
    assert len(modules) <= MODULES, sorted(modules)
    own = {name for name in modules if name.split(".")[0] in ("automata", "constructions", "verify")}
    assert len(own) <= OWN, sorted(own)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_picture_of_a_notebook_is_what_its_tagged_cell_draws(path):
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", ()))
    (drawn,) = (output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
    picture = (REPOSITORY / "docs" / "pictures" / f"{path.stem}.png").read_bytes()
    assert picture == base64.b64decode(drawn) and len(picture) <= PICTURE_BYTES
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(b"\x89PNG") and min(width, height) > 50


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_is_stored_with_an_error_or_a_warning(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error" and output.get("name") != "stderr"
