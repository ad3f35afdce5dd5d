"""The planted faults fit the source: each stands where it says, is code, and names tests that exist."""

import ast
from collections import Counter

import pytest
from mutation import areas

PLANTED = [(area, fault) for area, faults in areas().items() for fault in faults]


@pytest.mark.parametrize("area", sorted(areas()))
def test_each_fault_fits_the_source(area, repository):
    for fault in areas()[area]:
        source = (repository / fault.file).read_text(encoding="utf-8")
        planted = fault.planted(source)
        assert planted != source
        if fault.file.endswith(".py"):
            ast.parse(planted)


def test_no_fault_is_planted_twice():
    counts = Counter((fault.file, fault.old, fault.new) for _, fault in PLANTED)
    assert [edit for edit, count in counts.items() if count > 1] == []


def test_each_fault_says_what_it_removes_and_which_tests_see_it(repository):
    for area, fault in PLANTED:
        assert fault.why and fault.tests, (area, fault.file)
        for test in fault.tests:
            path, _, name = test.partition("::")
            assert (repository / path).is_file(), (area, test)
            assert name.partition("[")[0].split("::")[-1] in (repository / path).read_text(encoding="utf-8"), (
                area,
                test,
            )
