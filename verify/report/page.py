"""The page as a folder of files: HTML that is complete without JavaScript, and steppers that need it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Mapping, Sequence

import verify
from automata.errors import InputError
from automata.files import check_replaceable, read_text, replaced_folder
from verify.report.exported import Exported, slug
from verify.report.pictures import Picture
from verify.show.suite_table import Cells, as_html, outcome_word, why
from verify.suite import Row
from verify.verdict import PROVED, REFUTED

SOURCES = Path(__file__).parent / "page"
"""The template, the style and the scripts, which are copied as they are."""

MANIFEST, PAGE_FORMAT = "page.json", 1
"""The file that says which files of a folder are the page's own."""

A_PAGE = "a page of this command"

CAPTION = "The paper's SSM, asked for the legal next symbols after every prefix of a word"


@dataclass(frozen=True)
class PageEntry:
    """A language on the page.

    Attributes:
        row: of the table.
        model: what its stepper runs.
        note: what is proved of that model where it is not the paper's SSM.
        example: the symbols that stand in the stepper at first.
        pictures: none without matplotlib.
    """

    row: Row
    model: Exported
    note: str
    example: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Page:
    """Everything that a page shows.

    Attributes:
        command: what makes it again.
        entries: the languages.
        targets: the columns of the table besides the paper's SSM.
        architectures: what was asked, and the table of `decide`, where it is there.
        notebooks: files to be copied, with their titles.
    """

    command: str
    entries: tuple[PageEntry, ...]
    table: tuple[Cells, ...]
    architectures: tuple[str, list[Cells]] | None = None
    notebooks: tuple[tuple[Path, str], ...] = ()


def own_files(folder: str | Path) -> list[str]:
    """The files that an older page in this folder says are its own; none where there is no such page."""
    try:
        found = json.loads(read_text(Path(folder) / MANIFEST))
    except (InputError, ValueError, RecursionError):
        return []
    files = found.get("files") if isinstance(found, dict) and found.get("page") == PAGE_FORMAT else None
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        return []
    return [MANIFEST, *files]


def check_place(folder: str | Path) -> None:
    """Raises an InputError where something else than an older page is in the way."""
    check_replaceable(folder, own_files(folder), A_PAGE)


def write_page(files: dict[str, bytes], folder: str | Path) -> None:
    """Writes the files of a page; the folder appears complete or not at all.

    Raises:
        InputError: when the folder cannot be written, or holds something else.
    """
    with replaced_folder(folder, own_files(folder), A_PAGE) as fresh:
        for name, data in files.items():
            (fresh / name).write_bytes(data)


def files_of(page: Page) -> dict[str, bytes]:
    """The files of a page by name."""
    texts = {name: (SOURCES / name).read_text(encoding="utf-8") for name in ("style.css", "engine.js", "stepper.js")}
    texts["index.html"] = _document(page)
    models = {one.model.name: {**one.model.data(), "example": _written(one)} for one in page.entries}
    texts["models.js"] = f'"use strict";\nconst MODELS = {_script(models)};\n'
    texts |= {picture.file: picture.svg for one in page.entries for picture in one.pictures}
    files = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    files |= {path.name: path.read_bytes() for path, _ in page.notebooks}
    manifest = {"page": PAGE_FORMAT, "files": sorted(files)}
    return {**files, MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()}


def _script(models: Mapping[str, object]) -> str:
    """An object of JSON that may stand in a script, a model a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(data, separators=(',', ':'))}" for name, data in models.items())
    return ("{\n" + ",\n".join(lines) + "\n}").replace("</", "<\\/")


def _written(one: PageEntry) -> str:
    """The example as it is typed."""
    return ("" if all(len(symbol) == 1 for symbol in one.model.language.alphabet) else " ").join(one.example)


def table_document(command: str, table: Sequence[Cells]) -> str:
    """The table of languages as a page of one file."""
    style = (SOURCES / "style.css").read_text(encoding="utf-8")
    shown = _scrolled("The table of languages", as_html(table, CAPTION))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The paper's languages</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>The paper's languages</h1>
<p>Computed by <code>{escape(command)}</code>.</p>
{shown}
</main>
</body>
</html>
"""


# -- HTML ---------------------------------------------------------------------------------------------


def _document(page: Page) -> str:
    parts = [("table", "The table", _table(page))]
    if page.architectures is not None:
        parts.append(("architectures", "Architectures", _architectures(page)))
    parts.append(("languages", "Languages, step by step", _languages(page)))
    if page.notebooks:
        parts.append(("notebooks", "Notebooks", _notebooks(page)))
    links = "\n".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in parts)
    sections = "\n".join(
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{body}\n</section>'
        for name, title, body in parts
    )
    footer = (
        f"Made by ssm-compiler {verify.__version__}. Weights after Sarrof, Veitsman, Hahn: The Expressive Capacity of "
        'State Space Models: A Formal Language Perspective, NeurIPS 2024 (<a href="https://arxiv.org/abs/2405.17394">'
        "arXiv 2405.17394</a>); published accuracies from the spreadsheets released with it."
    )
    template = Template((SOURCES / "index.html").read_text(encoding="utf-8"))
    return template.substitute(command=escape(page.command), links=links, sections=sections, footer=footer)


def _scrolled(label: str, table: str, kind: str = "scroll") -> str:
    return f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape(label)}">\n{table}\n</div>'


def _table(page: Page) -> str:
    rows = [one.row for one in page.entries]
    proved = sum(outcome_word(row) == PROVED for row in rows)
    forbidden = sum(outcome_word(row) == "impossible" for row in rows)
    failed = sum(row.outcome == REFUTED for row in rows)
    says = (
        f"<p>Of {len(rows)} languages {proved} are proved and {forbidden} shown to be impossible"
        + (f"; <strong>{failed} fail</strong>" if failed else "")
        + ". <b>Trained</b> is the published accuracy in percent of a trained Mamba, by bins of ever longer strings, "
        "the first of the lengths of training; <b>built</b> is that of the weights that were built, on every string, "
        "by proof. <b>Bits</b> is the memory that the weights use, <b>least</b> what any model needs. Labels are those "
        "of the released data that agree with the definition.</p>"
    )
    return says + _scrolled("The table of languages", as_html(page.table, CAPTION, lambda name: f"#{_anchor(name)}"))


def _architectures(page: Page) -> str:
    assert page.architectures is not None
    asked, table = page.architectures
    known = {one.model.name for one in page.entries}
    linked = as_html(table, asked, lambda name: f"#{_anchor(name)}" if name in known else "#languages")
    return (
        "<p>Which architectures can have a language: <b>yes</b> is weights with a proof, <b>NO</b> a theorem with two "
        "strings that show it, <b>?</b> is open.</p>" + _scrolled("The table of architectures", linked, "scroll narrow")
    )


def _languages(page: Page) -> str:
    return (
        "<p>Open a language, type a string, and its weights are run in this page, integer by integer: the state of the "
        "automaton, the gates, the registers and the legal next symbols after each symbol. The definition beside them "
        "is stepped on its own, for comparison. In the string, the arrows up and down move through the run.</p>"
        '<noscript><p class="never">The steppers need JavaScript; all else on this page is here without it.</p>'
        "</noscript>\n" + "\n".join(map(_language, page.entries))
    )


def _language(one: PageEntry) -> str:
    name, row = one.model.name, one.row
    word = outcome_word(row)
    badge = {PROVED: "good", "impossible": "never"}.get(word, "wrong" if row.outcome == REFUTED else "")
    figures = "".join(
        f'<figure><a href="{escape(picture.file)}"><img src="{escape(picture.file)}" alt="{escape(picture.says)}" '
        'loading="lazy"></a>'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in one.pictures
    )
    said = why(row)
    legend = "".join(f"<li>{escape(line)}</li>" for line in one.model.data()["legend"])
    return f"""<details class="language" id="{_anchor(name)}">
<summary><h3>{escape(name)}</h3><span class="what">{escape(row.language.title)}</span>
<span class="badge {badge}">{escape(word)}</span></summary>
<div>
<p>{escape(said[0].upper() + said[1:])}. {escape(one.note)}</p>
{f'<div class="pictures">{figures}</div>' if figures else ""}
{f'<details class="legend"><summary>What the registers mean</summary><ul>{legend}</ul></details>' if legend else ""}
<h4>Step by step</h4>
<div class="stepper" id="stepper-{slug(name)}" data-name="{escape(name)}"><p>The stepper needs JavaScript.</p></div>
</div>
</details>"""


def _notebooks(page: Page) -> str:
    items = "".join(
        f'<li><a href="{escape(path.name)}" download>{escape(title)}</a></li>' for path, title in page.notebooks
    )
    return f"<p>Copies of the notebooks; in the project <code>make notebooks</code> opens them.</p><ul>{items}</ul>"


def _anchor(name: str) -> str:
    return f"language-{slug(name)}"
