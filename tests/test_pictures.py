"""Pictures of automata are true: every edge can be seen, every label lies inside, nothing is left out unsaid."""

import re
import shutil
import warnings

import pytest
from bestiary import BESTIARY

from automata import limits
from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import LimitError
from verify.show.pictures.automaton import arrows, automaton_figure, draw_automaton, drawn_states, to_graphviz

DRAWN = [case for case in BESTIARY if case.dfa.states <= 16]


def parts(figure, dfa):
    """Extents in pixels of all edges and labels, by the states that they join."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

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
