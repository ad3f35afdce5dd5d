"""What all pictures share: colours, an empty figure, a figure written to a file."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automata.errors import InputError, one_line
from automata.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, BACKGROUND, ACCENT, SIGNAL = "#222222", "#ffffff", "#cfe3f5", "#f3e6c4"

_FORMATS = (".svg", ".png", ".pdf")

_COLOURS = 64
"""Of a PNG: some colours, and the shades between them along edges."""


def blank(width: float, height: float) -> Figure:
    """A figure of this many inches with one empty set of axes.

    Raises:
        InputError: without matplotlib.
    """
    figure = new_figure(width, height)
    figure.add_axes((0, 0, 1, 1)).set_axis_off()
    return figure


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """A figure of this many inches, 40 at most, with nothing on it.

    Raises:
        InputError: without matplotlib.
    """
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    # It remarks that it looks for fonts, or keeps what it found in another folder.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    matplotlib.rcParams["svg.hashsalt"] = "ssm-compiler"
    return Figure(figsize=(min(width, 40), min(height, 40)), **options)


def require_matplotlib() -> None:
    """Raises an InputError that says what to install, where matplotlib is not there."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise InputError("pictures need matplotlib: pip install 'ssm-compiler[draw]'") from None


def plain_text(label: str) -> str:
    """A label as matplotlib takes it: a dollar sign is not the start of a formula, and what is not printable is
    escaped.
    """
    return "\n".join(map(one_line, label.split("\n"))).replace("$", r"\$")


def check_extension(path: str) -> None:
    """Raises unless the file's extension is one that is drawn."""
    if Path(path).suffix.lower() not in _FORMATS:
        raise InputError(
            f"{path}: the extension is {Path(path).suffix or 'missing'!r}, expected one of {', '.join(_FORMATS)}"
        )


def figure_svg(figure: Figure) -> str:
    """A figure as SVG, for a notebook; the same figure gives the same text."""
    picture = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph [0-9]+ .*missing from")
        figure.savefig(picture, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return picture.getvalue()[picture.getvalue().index("<svg") :]


def save_figure(figure: Figure, path: str) -> None:
    """Writes a figure, whole or not at all; the same figure gives the same file."""
    kind = Path(path).suffix.lower().removeprefix(".")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # A symbol for which the font has no picture is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph [0-9]+ .*missing from")
        figure.savefig(picture, format=kind, dpi=150, metadata=metadata, bbox_inches="tight")
    write_bytes(path, _few_colours(picture) if kind == "png" else picture.getvalue())


def _few_colours(picture: io.BytesIO) -> bytes:
    """A PNG of so many colours as a drawing has: a fifth of the bytes."""
    from PIL import Image

    small = io.BytesIO()
    Image.open(picture).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()
