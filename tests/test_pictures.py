"""Pictures are true: every edge can be seen, every label lies inside, nothing is left out unsaid or drawn over."""

import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from bestiary import BESTIARY
from matplotlib.backends.backend_agg import FigureCanvasAgg

from automata import limits
from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError, LimitError
from constructions.cascade import Copy
from constructions.compile.krohn_rhodes import holonomy_cascade
from verify import build, compile, draw, regex, trace
from verify.__main__ import main
from verify.show.memory import Memory
from verify.show.pictures.automaton import arrows, automaton_figure, draw_automaton, drawn_states, to_graphviz
from verify.show.pictures.structures import cascade_figure

DRAWN = [case for case in BESTIARY if case.dfa.states <= 16]


def parts(figure, dfa):
    """Extents in pixels of all edges and labels, by the states that they join."""
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a symbol for which the font has no picture
        canvas.draw()
    axes, renderer = figure.axes[0], canvas.get_renderer()
    found = {}
    for artist in (*axes.patches, *axes.texts):
        kind, _, ends = (artist.get_gid() or "").partition(" ")
        if kind in ("edge", "label"):
            found[(kind, *map(int, ends.split()))] = artist, artist.get_window_extent(renderer)
    return found, figure.bbox


@pytest.mark.parametrize("case", DRAWN, ids=lambda case: case.name)
def test_every_edge_is_visible_and_every_label_inside(case):
    drawn = set(drawn_states(case.dfa))
    figure = automaton_figure(case.dfa)
    found, whole = parts(figure, case.dfa)
    edges = [edge for edge in arrows(case.dfa) if {edge.source, edge.target} <= drawn]
    assert len(found) == 2 * len(edges)
    for edge in edges:
        arrow, extent = found["edge", edge.source, edge.target]
        # A loop rises above its state; any other edge spans a good part of the way between two states.
        assert max(extent.width, extent.height) > 20 and arrow.get_visible() and arrow.get_alpha() in (None, 1)
        label, inside = found["label", edge.source, edge.target]
        assert label.get_text().replace("\\$", "$") == edge.label
        for box in (extent, inside):
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1


def test_every_transition_is_in_the_picture_or_said_to_be_left_out():
    for case in DRAWN:
        symbols = sum(len(edge.symbols) for edge in arrows(case.dfa))
        assert symbols == case.dfa.states * len(case.dfa.alphabet)
        left_out = set(range(case.dfa.states)) - set(drawn_states(case.dfa))
        assert not any(case.dfa.live[state] for state in left_out)
        said = any("not shown" in text.get_text() for text in automaton_figure(case.dfa).axes[0].texts)
        assert said == bool(left_out)


def test_parity_has_its_loops():
    parity = language("parity").dfa()
    found, _ = parts(automaton_figure(parity), parity)
    assert {("edge", 0, 0), ("edge", 1, 1), ("edge", 0, 1), ("edge", 1, 0)} <= set(found)


def test_a_run_is_marked():
    parity = language("parity").dfa()
    assert [(edge.source, edge.target) for edge in arrows(parity, "01") if edge.marked] == [(0, 0), (0, 1)]


def test_graphviz_is_given_every_edge_and_names_are_quoted():
    dfa = DFA(['"', "\\", "$"], [[0, 1, 1], [1, 1, 0]], [1])
    text = to_graphviz(dfa).decode()
    assert re.findall(r'"(\d)" -> "(\d)"', text) == [("0", "0"), ("0", "1"), ("1", "1"), ("1", "0")]
    assert 'label="\\""' in text and 'label="\\\\ $"' in text and "doublecircle" in text


@pytest.mark.parametrize("extension", ["svg", "png", "pdf"])
def test_files_are_drawn_with_and_without_graphviz(extension, tmp_path, monkeypatch):
    dfa, path = language("tomita-3").dfa(), tmp_path / f"picture.{extension}"
    by = draw_automaton(dfa, str(path))
    assert by == ("graphviz" if shutil.which("dot") else "matplotlib") and path.stat().st_size > 1000
    monkeypatch.setenv("PATH", "")
    assert draw_automaton(dfa, str(path)) == "matplotlib" and path.stat().st_size > 1000


def test_an_automaton_that_is_too_large_is_refused():
    states = limits.LIMITS["drawn"] + 1
    many = DFA("a", [[min(q + 1, states - 1)] for q in range(states)], [states - 1])
    with pytest.raises(LimitError, match="too large to be drawn, expected at most 150: raise the limit"):
        automaton_figure(many)
    with limits.raised({"drawn": states}):
        assert automaton_figure(many).axes


# -- where edges and labels go --------------------------------------------------------------------------

NAMED = ["parity", "tomita-1", "tomita-4", "tomita-7", "d-4", "dyck-2-2"]
LAST_BUT_THREE = "(a|b)*a(a|b)(a|b)(a|b)"


def automata_to_look_at():
    return {**{name: language(name).dfa() for name in NAMED}, "16 states": regex(LAST_BUT_THREE).dfa()}


def points_of(arrow):
    """Points along a drawn arrow, in pixels."""
    path = arrow.get_path().cleaned(transform=arrow.get_transform(), curves=False)
    strokes = zip(path.vertices, path.vertices[1:], path.codes[1:])
    return np.concatenate([np.linspace(one, other, 8) for one, other, code in strokes if code == path.LINETO])


@pytest.mark.parametrize("name", [*NAMED, "16 states"])
def test_no_edge_runs_through_a_state_that_it_does_not_join_and_no_label_is_covered(name):
    dfa = automata_to_look_at()[name]
    figure = automaton_figure(dfa)
    found, _ = parts(figure, dfa)
    axes = figure.axes[0]
    states = {artist.get_gid(): artist for artist in axes.patches if (artist.get_gid() or "").startswith("state ")}
    assert set(states) == {f"state {state}" for state in drawn_states(dfa)}
    for (kind, source, target), (artist, _) in found.items():
        if kind != "edge":
            continue
        points = points_of(artist)
        for state, circle in states.items():
            if state not in (f"state {source}", f"state {target}"):
                middle = axes.transData.transform(circle.center)
                radius = axes.transData.transform((circle.center[0] + circle.radius, 0))[0] - middle[0]
                assert np.hypot(*(points - middle).T).min() > radius, (source, target, state)
    labels = [extent for (kind, *_), (_, extent) in found.items() if kind == "label"]
    for number, one in enumerate(labels):
        assert not any(one.overlaps(other) for other in labels[:number])


def test_every_state_has_its_name_and_loops_stand_apart_from_edges():
    dfa = automata_to_look_at()["16 states"]
    texts = [text.get_text() for text in automaton_figure(dfa).axes[0].texts]
    assert {f"q{state}" for state in range(16)} <= set(texts)


@pytest.mark.parametrize("name", ["d-4", "tomita-4", "dyck-2-5", "parity", "anbn"])
def test_every_reading_of_a_cascade_is_an_arrow_from_box_to_box(name):
    word = language(name)
    cascade = holonomy_cascade(word.dfa()) if name in ("d-4", "tomita-4", "parity") else compile(word).cascade
    figure = cascade_figure(cascade)
    axes = figure.axes[0]
    gids = [artist.get_gid() for artist in axes.patches]
    assert {f"box {name}" for name in (*cascade.names, "symbol", "outputs")} <= set(gids)
    wanted = set()
    for item, rules in [(i.name, i.rules) for i in cascade.names.values()] + [("outputs", cascade.emissions)]:
        for rule in rules:
            for literal in rule.when:
                before = getattr(literal, "before", False)
                wanted.add((getattr(literal, "name", "symbol"), item, before))
            if isinstance(getattr(rule, "then", None), Copy):
                wanted.add((rule.then.source, item, rule.then.before))
    arrows_drawn = {
        text.arrow_patch.get_gid(): text.arrow_patch for text in axes.texts if getattr(text, "arrow_patch", None)
    }
    assert set(arrows_drawn) == {f"read {a} -> {b}" + " before" * before for a, b, before in wanted}
    for gid, arrow in arrows_drawn.items():
        assert (arrow.get_linestyle() == "--") == gid.endswith(" before")
    said = any("before the step" in text.get_text() for text in axes.texts)
    assert said == any(before for _, _, before in wanted)
    FigureCanvasAgg(figure).draw()
    for gid, arrow in arrows_drawn.items():
        points = points_of(arrow)
        for artist in axes.patches:
            box = artist.get_window_extent()
            if not set(re.findall("read (.*) -> (.*?)(?: before)?$", gid)[0]) & {artist.get_gid().removeprefix("box ")}:
                inside = (points > (box.x0, box.y0)) & (points < (box.x1, box.y1))
                assert not inside.all(axis=1).any(), (gid, artist.get_gid())
    low, high = axes.get_xlim()
    for artist in axes.patches:
        if (artist.get_gid() or "").startswith("box "):
            box = artist.get_path().get_extents(artist.get_patch_transform())
            assert low <= box.x0 < box.x1 <= high


# -- runs and memory ------------------------------------------------------------------------------------


def texts_by_gid(figure):
    return {text.get_gid(): text.get_text() for axis in figure.axes for text in axis.texts if text.get_gid()}


def test_a_run_shows_what_the_table_says():
    shown = trace(build(compile(language("dyck-2-3"))), "( [ ] )")
    figure = draw(shown)
    texts = texts_by_gid(figure)
    for step, cells in enumerate(shown.cells):
        for row, cell in enumerate(cells):
            assert texts[f"value gate {step} {row}"] == cell.gate and texts[f"value state {step} {row}"] == cell.value
    fill = {patch.get_gid(): patch.get_facecolor() for patch in figure.axes[2].patches}
    for step, given in enumerate(shown.outputs):
        for row, output in enumerate(shown.order):
            assert (fill[f"output {step} {row}"][:3] != (1.0, 1.0, 1.0)) == (output in given)
    assert [tick.get_text() for tick in figure.axes[2].get_xticklabels()] == list(shown.symbols)


def test_a_run_that_leaves_the_language_is_crossed_out_from_there():
    figure = draw(trace(build(compile(language("dyck-2-3"))), "( ] ("))
    texts = texts_by_gid(figure)
    assert "left the language at step 2" in figure.axes[2].get_xlabel()
    assert all((texts.get(f"value output {step} 0") == "×") == (step >= 2) for step in range(4))


def test_a_legend_is_written_inside_the_picture():
    construction = compile(language("tomita-4"))
    shown = trace(build(construction), "010")
    for figure in (draw(construction), draw(shown), draw(trace(build(compile(language("dyck-3-2"))), "("))):
        FigureCanvasAgg(figure).draw()
        legends = [text for axis in figure.axes for text in axis.texts if text.get_gid() == "legend"]
        legends += [figure._supxlabel] if figure._supxlabel else []
        said = "\n".join(text.get_text() for text in legends)
        assert "tile 1 = 0: states {q1, q2}, e.g. after 0" in said or "stale" in said
        for text in legends:
            box, whole = text.get_window_extent(), figure.bbox
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
    (instruction,) = (
        text.get_text()
        for text in draw(compile(language("flip-flop"))).axes[0].texts
        if text.get_gid() == "label instruction"
    )
    assert instruction == "instruction\nregister: w, r, i"


def test_memory_is_drawn_to_scale():
    construction = compile(language("dyck-8-10"))
    figure = draw(construction, "memory")
    widths = {patch.get_gid(): patch.get_width() for patch in figure.axes[0].patches}
    found = Memory.of(construction)
    assert widths.pop("bound") == found.bound and sum(widths.values()) == pytest.approx(found.used)
    assert widths["part slot 3"] == 3 and len(widths) == 11
    delayed = Memory.of(compile(regex(LAST_BUT_THREE), "recognise"))
    assert delayed.previous == 3 and delayed.used == 7
    with pytest.raises(InputError, match="counter without bounds"):
        draw(compile(language("anbn")), "memory")


def test_a_run_that_is_too_long_is_refused():
    shown = trace(build(compile(language("flip-flop"))), "w1" * 80)
    with pytest.raises(LimitError, match="a run of 161 steps and 2 registers is too large to be drawn"):
        draw(shown)


# -- notebooks ------------------------------------------------------------------------------------------


def test_automata_languages_and_constructions_draw_themselves():
    word = language("tomita-4")
    for thing in (word, word.dfa(), compile(word)):
        assert thing._repr_svg_().startswith("<svg") and thing._repr_svg_() == thing._repr_svg_()
    assert language("anbn")._repr_svg_() is None
    shown = trace(build(compile(word)), "0100")._repr_html_()
    assert shown.startswith("<svg") and "#c2410c" in shown and "<table>" in shown and "tile 1 = 0" in shown
    assert "#c2410c" not in word._repr_svg_()


def test_automata_alone_have_no_picture_and_import_nothing_that_draws():
    program = (
        "import sys\nfrom automata.catalogue import language\n"
        "assert language('tomita-4').dfa()._repr_svg_() is None\n"
        "import verify\nassert not {'matplotlib', 'verify.face'} & set(sys.modules)\n"
        "assert language('tomita-4').dfa()._repr_svg_().startswith('<svg')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_has_no_picture_is_refused_by_name():
    for thing, what, message in (
        (3, None, "no picture of a int"),
        (language("tomita-4"), "memory", "compile the language first"),
        (language("tomita-4"), "run", "only a run"),
        (language("tomita-4"), "cube", "expected one of dfa, cascade"),
        (language("anbn"), "dfa", "is not regular"),
        (trace(build(compile(language("tomita-4"))), "0"), "dfa", "a run has no picture"),
    ):
        with pytest.raises(InputError, match=message):
            draw(thing, what)


@pytest.mark.parametrize(
    "command",
    [
        "dyck --k 2 --depth 3 --strings 2",
        "dyck --k 2 --depth 3 --strings 2 --draw-what memory",
        "dyck --k 2 --depth 2 --strings 2 --draw-what dfa",
        "flipflop --strings 2 --draw-what memory",
        "counter anbn --strings 2 --max-length 20",
        "prove tomita-4 --strings 2 --draw-what cascade",
        "starfree tomita-4 --strings 2 --draw-what memory",
        "describe tomita-3 --draw-what cascade",
        "trace flipflop w1r0",
        "trace starfree tomita-4 0001",
        "parity --models 1",
        "suite --only d-1,parity",
        "export d-1 --to {folder}/stock --strings 2 --draw-what memory",
    ],
)
def test_every_command_that_has_a_picture_draws_it(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("verify.commands.tasks.LONG_LENGTH", 200)
    if command.startswith("export"):
        pytest.importorskip("transformers", reason="transformers is not installed")
    path = tmp_path / "picture.png"
    assert main([*command.format(folder=tmp_path).split(), "--draw", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 3000


@pytest.mark.parametrize("command", ["dyck --k 2 --depth 3", "prove dyck-2-3", "flipflop"])
def test_an_automaton_that_is_never_made_names_a_limit_of_the_command(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("verify.show.pictures.drawing._STATES", 5)
    monkeypatch.setitem(limits.LIMITS, "drawn", 4)
    arguments = [*command.split(), "--strings", "2", "--draw", str(tmp_path / "a.svg"), "--draw-what", "dfa"]
    assert main(arguments) == 2
    assert "of more than 5 states is too large to be drawn, expected at most 4: raise the limit (--raise drawn=N)" in (
        capsys.readouterr().err
    )
    assert main([*arguments, "--raise", "drawn=100"]) == 0


def test_a_line_of_a_coordinate_is_at_its_value():
    """In fixed point the engine counts in halves; the picture does not."""
    model = build(compile(language("tomita-4")))
    assert str(model.weights.arithmetic) == "fixed:1"
    (axes,) = draw(model, run="00100").axes
    state, values = model.weights.initial, []
    for symbol in ("", *"00100"):
        state = model.weights.step(state, symbol) if symbol else state
        values.append([float(value) for layer in state.h for value in layer])
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [list(line) for line in zip(*values)]


def test_a_refutation_is_drawn_over_its_string(tmp_path, capsys):
    model, path = tmp_path / "model", tmp_path / "picture.svg"
    assert main(["prove", "--regex", "(0|1)*1", "--save", str(model), "--strings", "2", "--quiet"]) == 0
    command = ["refute", "--weights", str(model), "parity", "--draw", str(path)]
    assert main(command) == 1 and path.read_text().lstrip().startswith("<?xml")
    assert "every coordinate over 1^" in capsys.readouterr().out
    path.unlink()
    assert main([*command, "--no-run"]) == 1 and not path.exists()
    assert "nothing: no string was run" in capsys.readouterr().out


def test_the_cascade_that_is_drawn_is_the_one_that_is_compiled(tmp_path, capsys):
    path = tmp_path / "c.svg"
    assert main(["prove", "tomita-4", "--strings", "2", "--draw", str(path), "--draw-what", "cascade"]) == 0
    cascade = compile(language("tomita-4")).cascade
    drawn = set(re.findall(r'id="box ([^"]*)"', path.read_text()))
    assert drawn == {*cascade.names, "symbol", "outputs"}
