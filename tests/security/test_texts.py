"""Text that people bring shows as it is: in HTML, in Markdown, on a terminal and in pictures."""

from __future__ import annotations

import io
import json
import pickle
import sys
import warnings
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from rich.progress import Progress, TextColumn
from rich.table import Table

from rlattn.console.filters import LineFilter
from rlattn.console.streams import in_one_line
from rlattn.console.terminal import Terminal
from rlattn.envs.rendering.shades import shades
from rlattn.errors import ContractError, InputError
from rlattn.experiments.compare.tables import markdown
from rlattn.experiments.compare.translations import TranslationJudge
from rlattn.markdown import escape_markdown, fenced
from rlattn.plots import (
    OperatingPoint,
    attention_map,
    attention_page,
    quality_against_reads,
    rationales_page,
    reads_over_time,
)
from rlattn.visible import visible
from tests.hosts.tiny import tiny_host
from tests.plots.alignments import alignment
from tests.plots.readings import byte_host, readings

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "the end of a script": "</script><!--<script>",
    "an attribute": "\" onmouseover='alert(1)' x=\"",
    "an entity": "&lt;b&gt; &#x3c;",
    "markup of rich": "[bold red]x[/bold red] [link=http://a.b]c[/link] [/]",
    "a cleared screen": "\x1b[2J\x1b[H",
    "a window's title": "\x1b]0;owned\x07",
    "a link on a terminal": "\x1b]8;;http://a.b\x1b\\c\x1b]8;;\x1b\\",
    "a sequence of one byte": "\x9b2J\x9d0;owned\x9c",
    "a line that is written over": "good\rbad\b\b\x7f",
    "a line turned around": "\u202egnp.exe\u2066\u2069",
    "lines": "a\nb\r\nc\u2028d\x85e",
    "a row of a table": "a | b || \\| ` `` ```",
    "a heading": "# a",
    "a list": "- a",
    "a link": "[a](http://a.b) ![i](x) <http://a.b>",
    "a shell": "$(touch canary) `touch canary`",
    "maths": "$x^2$ $\\frac{$ 5 $",
    "half a character": "a\ud800",
    "nothing that shows": "\0\x01",
    "emoji": ":boom: 😀",
}
EVERY = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
ACTING = {chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))} - {"\n"}
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(printed: str) -> bool:
    return not (ACTING | TURNING | {"\u2028", "\u2029"}) & set(printed)


class Read(HTMLParser):
    """The elements of a page with their attributes, its scripts' data, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.data: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data
        if data.startswith('{"name"'):
            self.data.append(data)


@EVERY
class TestTerminal:
    def test_an_error_shows_it(self, text: str) -> None:
        for error in (InputError(f"found {text}"), ContractError(f"found {text}", lane=1)):
            lines = text.replace("\r\n", "\n")
            assert str(error) == "found " + visible(lines, keep="\n")
            assert harmless(str(error))
            str(error).encode()

    def test_a_table_shows_it(self, text: str) -> None:
        table = Table(text, title=text)
        table.add_row(text)
        printed = io.StringIO()
        console = Terminal(file=printed, width=200, force_terminal=False)
        console.print(table)
        console.print(text, highlight=False, soft_wrap=True)
        assert harmless(printed.getvalue())
        assert visible(text, keep="\n").splitlines()[0].strip() in printed.getvalue()

    def test_a_bar_shows_it(self, text: str) -> None:
        printed = io.StringIO()
        console = Terminal(file=printed, width=200, force_terminal=True, color_system=None)
        name = TextColumn("{task.description}", markup=False)
        with Progress(name, console=console, auto_refresh=False) as bar:
            bar.add_task(text)
            bar.refresh()
        own = io.StringIO()
        console = Terminal(file=own, width=200, force_terminal=True, color_system=None)
        with Progress(name, console=console, auto_refresh=False) as bar:
            bar.add_task("x")
            bar.refresh()
        # Rich's own codes, and no more of them, but for those that go up the lines of a text.
        assert set(printed.getvalue()) & (ACTING | TURNING) <= set(own.getvalue())
        assert "\x1b]" not in printed.getvalue()

    def test_shaded_text_shows_it(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rlattn.envs.rendering.shades.pieces", lambda host, ids: [text])
        seen = alignment(["a"], ["b"])
        seen.source[0] = text
        shown = shades(tiny_host(), [5], text, seen)
        bare = shown.replace("\x1b[0m", "")
        for number in range(2, 10):
            bare = bare.replace(f"\x1b[{number};9m", "")
        assert bare.split("\n")[1:] == [visible(text)]

    def test_what_a_filter_writes_to_a_terminal_shows_it(
        self, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "in.txt").write_text("one\n")

        class Screen(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr(sys, "stdout", screen := Screen())
        with ExitStack() as files:
            lines = LineFilter(tmp_path / "in.txt", None, 4, "texts", files)
            for chunk in lines:
                lines.write(chunk, [text], [1.0], 0)
        assert screen.getvalue() == visible(text, keep="\t") + "\n"

    def test_a_column_is_in_one_line(self, text: str) -> None:
        assert harmless(visible(in_one_line(text)))
        assert len(in_one_line(text).splitlines()) <= 1


@EVERY
class TestHtml:
    def test_the_page_of_attention_shows_it(self, text: str) -> None:
        plain = alignment(["a", "b"], ["c"])
        seen = alignment([text, "b"], [text])
        page = attention_page({text: [seen]}, title=text)
        page.encode()
        read, usual = Read(page), Read(attention_page({"x": [plain]}, title="x"))
        assert read.elements == usual.elements
        (data,) = (json.loads(each) for each in read.data)
        assert data["source"][0] == visible(text) or text.startswith("▁")
        assert data["readers"][0]["name"] == visible(text)

    def test_the_page_of_rationales_shows_it(self, text: str) -> None:
        host = byte_host(text.encode("utf-8", "replace").decode())
        texts = [text.encode("utf-8", "replace").decode(), "usual"]
        labels = [text, "x"]
        page = rationales_page(host, readings(host, texts, labels, (text, "x")), labels, limit=2)
        page.encode()
        assert harmless(page.replace("\t", "").replace("\r", ""))
        usual = byte_host("usual")
        other = rationales_page(
            usual, readings(usual, ["usual", "usual"], ["y", "x"], ("y", "x")), ["y", "x"]
        )
        names = {tag for tag, _ in Read(other).elements}
        assert {tag for tag, _ in Read(page).elements} <= names | {"i"}
        assert not any(
            name.startswith("on") or name in ("href", "src")
            for _, given in Read(page).elements
            for name in given
        )


@EVERY
class TestMarkdown:
    def html(self, page: str) -> str:
        return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(page)

    def test_the_page_of_a_comparison_shows_it(self, text: str) -> None:
        page = markdown([], [], [], [], [text], TranslationJudge(), text)
        page.encode()
        assert harmless(page)
        shown = Read(self.html(page))
        usual = Read(self.html(markdown([], [], [], [], ["usual"], TranslationJudge(), "usual")))
        assert shown.elements == usual.elements

    def test_a_cell_of_a_table_shows_it(self, text: str) -> None:
        page = f"| a | b |\n| --- | --- |\n| {escape_markdown(text)} | x |\n"
        tags = [tag for tag, _ in Read(self.html(page)).elements]
        assert tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]

    def test_a_block_of_code_ends_where_it_ends(self, text: str) -> None:
        shown = Read(self.html(fenced(text, "sh") + "\n\nafter"))
        assert [tag for tag, _ in shown.elements] == ["pre", "code", "p"]
        assert harmless(fenced(text, "sh").replace("\t", ""))


@EVERY
def test_a_picture_shows_it(text: str) -> None:
    seen = alignment([text, "b"], [text, "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of signs that no font has
        figures = [
            attention_map({text: [seen]}),
            reads_over_time({text: [seen]}),
            quality_against_reads(
                [OperatingPoint(text, 0.5, 10.0)],
                native=OperatingPoint(text, 1.0, 20.0),
                quality=text,
            ),
        ]
        for figure in figures:
            FigureCanvasAgg(figure).draw()  # maths would be drawn, or fail, here
            assert not any(
                part.get_parse_math() for part in figure.findobj(Text) if part.get_text()
            )


def test_what_can_be_shown_is_left_alone() -> None:
    text = "Größe “naïve” 今日は 😀 ‏שלום‎ a\u200db 3\u202f000 [x] <b> $5 & `c`"
    assert visible(text) == text
    assert str(InputError(text)) == text
    assert visible("a\tb\n", keep="\t\n") == "a\tb\n"


def test_an_error_is_the_same_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(InputError("a\x1b[2J")))
    assert (str(error), error.args) == ("a␛[2J", ("a\x1b[2J",))
