"""automata-lib installs a package named ``automata`` too: both work in one environment, in whatever order they come and
go.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

THEIRS = {"__init__.py", "py.typed", "base", "fa", "pda", "regex", "tm"}
"""What automata-lib 9.2.0 has in its ``automata``; the first is empty, as is the second."""

OURS = "from verify.__main__ import main; raise SystemExit(main(['starfree', '--regex', '(ab)*', '--quiet']))"
LIBRARY = (
    "from automata.fa.dfa import DFA; from automata.regex.regex import isequal; import automata.pda.npda, "
    "automata.tm.dtm"
)


def test_no_module_of_ours_has_the_name_of_one_of_theirs(repository):
    ours = {path.name for path in (repository / "automata").iterdir()} - {"__pycache__"}
    assert ours & THEIRS == {"__init__.py", "py.typed"}
    assert not {Path(name).stem for name in ours} & {"base", "fa", "pda", "regex", "tm"}


def test_nothing_is_read_from_the_module_that_both_have(repository):
    """``automata/__init__.py`` may be theirs, or missing: only its submodules are imported."""
    modules = {path.stem for path in (repository / "automata").iterdir()}
    for folder in ("automata", "constructions", "verify"):
        for path in (repository / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module == "automata":
                    assert {alias.name for alias in node.names} <= modules, path
                elif isinstance(node, ast.Import):
                    assert all(alias.name != "automata" for alias in node.names), path


@pytest.mark.parametrize("regular", [True, False], ids=["theirs", "none"])
def test_another_init_or_none_serves_as_well(tmp_path, repository, regular):
    """Both libraries in one folder, with the other's empty ``__init__.py``, and without one."""
    folder = tmp_path / "automata"
    folder.mkdir()
    for path in (repository / "automata").iterdir():
        if path.name != "__init__.py":
            (folder / path.name).symlink_to(path)
    if regular:
        (folder / "__init__.py").touch()
    for name in ("constructions", "verify"):
        (tmp_path / name).symlink_to(repository / name)
    where = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    program = f"{where}import automata; assert list(automata.__path__) == [{str(folder)!r}]; {OURS}"
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0 and "proved" in run.stdout, run.stderr


def test_theirs_is_found_in_another_folder(tmp_path, repository):
    """From a working tree ours comes first; what they have elsewhere on the path is found all the same."""
    (tmp_path / "automata" / "fa").mkdir(parents=True)
    for name in ("__init__.py", "fa/__init__.py"):
        (tmp_path / "automata" / name).touch()
    (tmp_path / "automata" / "fa" / "dfa.py").write_text("DFA = 'theirs'")
    program = "import automata.fa.dfa, automata.dfa; print(automata.fa.dfa.DFA, automata.dfa.DFA.__name__)"
    environment = {"PYTHONPATH": f"{repository}:{tmp_path}"}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert run.stdout.split() == ["theirs", "DFA"], run.stderr


@pytest.mark.slow
def test_wheels_come_and_go_in_every_order(tmp_path, wheel, empty_environment):
    """For real: our wheel and theirs, either first, either uninstalled."""
    python = empty_environment
    pip = [python, "-m", "pip", "-q", "--disable-pip-version-check"]
    fetched = subprocess.run([*pip, "download", "automata-lib==9.2.0", "--no-deps", "-d", tmp_path])
    if fetched.returncode:
        pytest.skip("automata-lib is not to be had: no network")
    (theirs,) = tmp_path.glob("automata_lib-*.whl")
    subprocess.run([*pip, "install", "networkx", "frozendict", "typing-extensions", "cached-method"], check=True)

    def does(*arguments):
        subprocess.run([*pip, *arguments], check=True)

    def works(program):
        run = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, cwd=tmp_path)
        assert run.returncode == 0, run.stderr

    install = ("install", "--no-deps", "--no-index")
    for first, second in ((wheel, theirs), (theirs, wheel)):
        for leaves, stays in (("automata-lib", OURS), ("ssm-compiler", LIBRARY)):
            does(*install, first)
            does(*install, second)
            works(OURS)
            works(LIBRARY)
            does("uninstall", "-y", leaves)
            works(stays)
            does("uninstall", "-y", "automata-lib", "ssm-compiler")
