"""Malformed checkpoint folders: one line, or an answer, and nothing else on either stream."""

from __future__ import annotations

import shutil

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from malformed_checkpoints import spoil  # noqa: E402

from verify.__main__ import main  # noqa: E402


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "tomita-1"
    assert main(["export", "tomita-1", "--to", str(folder), "--strings", "3", "--quiet"]) == 0
    return folder


def check(sound, place, seed, capfd) -> int:
    """Spoils a copy and asks about it; the exit status."""
    folder = place / str(seed)
    shutil.copytree(sound, folder)
    what = spoil(folder, seed)
    capfd.readouterr()
    arguments = ["--language", "tomita-1", "--strings", "3", "--bins", "8", "--limit", "40", "--quiet"]
    status = main(["checkpoint", str(folder), *arguments])
    out, err = capfd.readouterr()
    if status == 2:
        assert not out and err.startswith("error: ") and err.count("\n") == 1 and len(err) <= 401, (
            seed,
            what,
            out,
            err,
        )
    else:
        assert status in (0, 1, 3) and not err and out, (seed, what, err)
    shutil.rmtree(folder)
    return status


def test_spoiled_folders_give_one_line_or_an_answer(sound, tmp_path, capfd):
    statuses = [check(sound, tmp_path, seed, capfd) for seed in range(60)]
    assert statuses.count(2) >= 25


@pytest.mark.slow
def test_many_spoiled_folders_give_one_line_or_an_answer(sound, tmp_path, capfd):
    for seed in range(100, 700):
        check(sound, tmp_path, seed, capfd)
