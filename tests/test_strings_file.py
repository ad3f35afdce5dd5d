"""Strings from a file: tokens, characters, END, and the place of whatever cannot be read."""

import pytest

from automata.errors import InputError
from automata.machines.bounded_dyck import DyckMachine
from verify.evidence.strings_file import Line, parse_word, read_strings

DYCK = DyckMachine(4, 3)


def bits(token):
    if token not in ("0", "1"):
        raise InputError(f"{token!r} is not a bit")
    return token


@pytest.fixture
def file(tmp_path):
    def write(content: bytes):
        path = tmp_path / "strings.txt"
        path.write_bytes(content)
        return path

    return write


def test_lines_tokens_and_the_end(file):
    path = file(b"(a (b b) a) END\n\n  (a \t a)\nEND\n(c")
    assert read_strings(path, DYCK.parse_symbol) == [
        Line(1, ("(a", "(b", "b)", "a)"), True),
        Line(3, ("(a", "a)"), False),
        Line(4, (), True),
        Line(5, ("(c",), False),
    ]


def test_plain_brackets(file):
    lines = read_strings(file(b"( [ ] ) END\n([])\n<{}> END\n"), DYCK.parse_symbol, characters=True)
    assert [line.word for line in lines] == [
        ("(a", "(b", "b)", "a)"),
        ("(a", "(b", "b)", "a)"),
        ("(d", "(c", "c)", "d)"),
    ]


@pytest.mark.parametrize("content", [b"01 1\r\n1 END\r\n", b"\xef\xbb\xbf01 1\n1 END\n", "01\u30001\n1 END".encode()])
def test_other_line_ends_marks_and_blanks(file, content):
    assert read_strings(file(content), bits, characters=True) == [
        Line(1, ("0", "1", "1"), False),
        Line(2, ("1",), True),
    ]


@pytest.mark.parametrize(
    "content, characters, place",
    [
        (b"0 1\n0 1 x 1\n", False, "line 2, column 5: 'x'"),
        (b"0 01\n", False, "line 1, column 3: '01'"),
        (b"0 01x1\n", True, "line 1, column 5: 'x'"),
        (b"\n\n\t\tx\n", False, "line 3, column 3: 'x'"),
        (b"0 END 1\n", False, "line 1, column 3: 'END'"),
        (b"1 1 11 2 END\n", True, "line 1, column 8: '2'"),
        ("0 0 é\n".encode(), True, "line 1, column 5: 'é'"),
        ("0\n1\n🙂\n".encode(), True, "line 3, column 1: '🙂'"),
    ],
)
def test_an_unknown_token_is_named_with_its_place(file, content, characters, place):
    path = file(content)
    with pytest.raises(InputError) as caught:
        read_strings(path, bits, characters)
    assert str(caught.value).startswith(f"{path}, {place} is not a bit")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "has no strings"),
        (b" \n\t\n", "has no strings"),
        (b"0\xff", "UTF-8"),
        (b"0\x001", "0"),
        (b"\x89PNG\r\n\x1a\n\0", "not a text file"),
    ],
)
def test_files_without_text_are_refused(file, content, message):
    path = file(content)
    with pytest.raises(InputError) as caught:
        read_strings(path, bits)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


def test_what_is_not_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_strings(tmp_path / "absent", bits)
    with pytest.raises(InputError, match="Is a directory"):
        read_strings(tmp_path, bits)
    with pytest.raises(InputError, match="cannot be read"):
        read_strings(tmp_path / ("x" * 300), bits)


def test_a_symbol_called_end_is_a_symbol(file):
    def words(token):
        if token not in ("BEGIN", "END"):
            raise InputError("unknown")
        return token

    assert read_strings(file(b"BEGIN END\nEND END\n"), words) == [
        Line(1, ("BEGIN", "END"), False),
        Line(2, ("END", "END"), False),
    ]


def test_brackets_as_numbers(file):
    """Openers 0 ... K-1, closers K ... 2K-1; a number out of range is named."""
    machine = DyckMachine(3, 5)
    (line,) = read_strings(file(b"0 3 2 1 4 5 END\n"), machine.parse_symbol)
    assert line == Line(1, ("(a", "a)", "(c", "(b", "b)", "c)"), True)
    for token in ("6", "-1", "00", "1.0", "٣", "9" * 5000):
        with pytest.raises(
            InputError, match="is not a bracket of Dyck.3, 5.: expected .a … .c, a. … c., a number below 6"
        ) as caught:
            machine.parse_symbol(token)
        assert len(str(caught.value)) < 250


def test_brackets_as_numbers_in_real_files(shared_data):
    path = shared_data("..") / "cases" / "dyck_ints.txt"
    if not path.exists():
        pytest.skip("integer Dyck strings not present")
    machine = DyckMachine(3, 100)
    for line in read_strings(path, machine.parse_symbol):
        state = machine.initial
        for symbol in line.word:
            state = machine.step(state, symbol)
        assert state is not None and len(line.word) == 40


def test_a_string_in_an_argument():
    assert parse_word("( [ ] )", DYCK.parse_symbol, characters=True) == parse_word(
        "([])", DYCK.parse_symbol, characters=True
    )
    assert parse_word("", bits) == ()
    with pytest.raises(InputError, match="the string, column 3: '2'"):
        parse_word("0 2", bits)
