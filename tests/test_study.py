"""The study: rows are trained and checked in processes of their own, kept, and told in a table and a picture."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("transformers")

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.suite import PAPER_LANGUAGES  # noqa: E402
from verify.training import study  # noqa: E402
from verify.training.study import LESSONS, Lesson, as_power, lessons_named, page, read_outcome, read_study, table  # noqa: E402

VERDICTS = {
    "random_test": {"outcome": "tested", "method": "random strings", "explored": {"strings": 3}, "reason": "none"},
    "fading_words": {
        "outcome": "refuted",
        "method": "fading words",
        "explored": {"strings": 3},
        "reason": "wrong",
        "witness": {"word": ["w", "1", *["i", "0"] * 9, "r"]},
    },
    "search": {"outcome": "undecided", "method": "cache search", "explored": {"joint states": 5}, "reason": "gave up"},
    "invariant": {
        "outcome": "proved",
        "method": "invariant",
        "explored": {"boxes": 42, "edges": 9},
        "reason": "closed",
    },
}


@pytest.fixture(autouse=True)
def few_strings(monkeypatch):
    monkeypatch.setattr("verify.training.course.IN_A_BIN", 5)
    monkeypatch.setattr("verify.training.course.LONG", ())


def outcomes(tmp_path, sections, lesson=LESSONS[0]):
    """What a row is, when the check said this."""
    folder = tmp_path / lesson.name
    if not folder.exists():
        command = [
            "train",
            lesson.language,
            "--to",
            str(folder),
            "--d-model",
            "4",
            "--steps",
            "1",
            "--no-check",
            "--quiet",
        ]
        assert main(command) == 0
    report = {"seconds": 1.5, **{name: VERDICTS[name] for name in sections}}
    (tmp_path / f"{lesson.name}.json").write_text(json.dumps(report))
    return read_outcome(tmp_path, lesson)


def test_the_study_has_every_star_free_language_of_the_paper_both_ways():
    wanted = {name for name in PAPER_LANGUAGES if language(name).known and not name.startswith("dyck")}
    for sharpen in (False, True):
        assert {lesson.language for lesson in LESSONS if lesson.sharpen == sharpen} >= wanted
    assert len({lesson.name for lesson in LESSONS}) == len(LESSONS)
    assert all(lesson.control == (language(lesson.language).star_free is False) for lesson in LESSONS)


def test_rows_are_named_by_themselves_or_by_their_language():
    assert [lesson.name for lesson in lessons_named(["d-2"])] == ["d-2", "d-2-sharp", "d-2-2-sharp"]
    assert lessons_named(["d-2-sharp"]) == [Lesson("d-2-sharp", "d-2", True)]
    with pytest.raises(InputError, match="no row 'd2-sharp'.*d-2-sharp"):
        lessons_named(["d2-sharp"])


def test_a_refutation_counts_before_a_proof_and_a_proof_before_giving_up(tmp_path):
    refuted = outcomes(tmp_path, ["random_test", "fading_words", "search"])
    assert (refuted.outcome, refuted.method, refuted.states, len(refuted.string)) == (
        "refuted",
        "fading words",
        None,
        21,
    )
    proved = outcomes(tmp_path, ["random_test", "search", "invariant"])
    assert (proved.outcome, proved.method, proved.states, proved.string) == ("proved", "invariant", 42, None)
    assert outcomes(tmp_path, ["invariant", "fading_words"]).outcome == "refuted"
    undecided = outcomes(tmp_path, ["random_test", "search"])
    assert (undecided.outcome, undecided.states, undecided.reason) == ("undecided", None, "gave up")
    assert outcomes(tmp_path, ["random_test"]).outcome == "undecided"
    rows = table([refuted, proved, undecided])
    assert len({len(row) for row in rows}) == 1 and rows[1][8] == "w 1 (i 0)^9 r (21)" and rows[2][10] == "42"
    text = page([refuted, proved, undecided])
    assert text.count("\n| ") == 4 and "Undecided, and why" in text and "gave up" in text
    assert "why" not in page([refuted, proved])


def test_a_row_that_is_not_done_is_none(tmp_path):
    assert read_outcome(tmp_path, LESSONS[0]) is None


def test_the_picture_has_a_tile_for_each_row(tmp_path):
    pytest.importorskip("matplotlib")
    from verify.show.pictures.study import TILES, study_figure

    plain = outcomes(tmp_path, ["fading_words"])
    figure = study_figure([plain, replace(plain, sharpen=True, outcome="proved", states=7, string=None)])
    (axes,) = figure.axes
    from matplotlib.colors import to_hex

    assert [to_hex(patch.get_facecolor()) for patch in axes.patches] == [TILES["refuted"], TILES["proved"]]
    said = {text.get_text() for text in axes.texts}
    assert {"refuted after 21 symbols", "proved, 7 states"} <= said


def test_a_study_is_trained_checked_written_and_gone_on_with(tmp_path, monkeypatch, capsys):
    """With a row that fails: it is said, and the other is done."""
    small = Lesson("parity", "parity", d_model=4, control=True)
    monkeypatch.setattr(study, "PLAIN_STEPS", 20)
    monkeypatch.setattr(study, "LESSONS", (Lesson("wrong", "no-language"), small))
    folder = tmp_path / "study"
    assert main(["study", "--out", str(folder), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "train no-language" in error and error.count("\n") == 1
    (found,) = read_study(folder / "study.json")
    assert (found.name, found.outcome) == ("parity", "refuted") and found.string is not None
    files = (folder / "parity" / "model.safetensors", folder / "parity.json")
    times = [path.stat().st_mtime_ns for path in files]
    picture = tmp_path / "study.png"
    assert main(["study", "--out", str(folder), "--only", "parity", "--plot", str(picture)]) == 0
    assert "refuted" in capsys.readouterr().out and picture.read_bytes().startswith(b"\x89PNG")
    assert [path.stat().st_mtime_ns for path in files] == times


def test_a_word_is_written_as_a_power_where_that_is_shorter():
    assert as_power(["d", *"c" * 257, "b", "b"]) == "d c^257 b b"
    assert as_power([*"aab", *"ab" * 57, "a"]) == "a (a b)^58 a"
    assert as_power(["(b", *["(a", "a)"] * 9]) == "(b [(a a)]^9"


def test_the_page_shows_the_table_that_is_kept_beside_it(repository):
    outcomes = read_study(repository / "docs" / "study.json")
    assert page(outcomes) in (repository / "docs" / "study.md").read_text(encoding="utf-8")
    assert {outcome.name for outcome in outcomes} == {lesson.name for lesson in LESSONS}
    assert all(outcome.outcome == "refuted" for outcome in outcomes if outcome.control)
