"""What people hear while they wait: the title and what long work needs before it begins, and progress with a total."""

import pytest
from baseline import chain_language, order_preserving

from automata.algebra.holonomy import Skeleton
from automata.errors import InputError
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from verify.__main__ import main
from verify.commands import tasks
from verify.commands.pipeline import LARGE, RANDOM_STRINGS, strings_for


def begun(monkeypatch, capsys, *options):
    """What is printed before any work."""

    def stop(*given):
        raise InputError("stopped")

    monkeypatch.setattr(tasks, "task_of", stop)
    assert main(["dyck", *options]) == 2
    return capsys.readouterr().out.splitlines()


def test_long_work_says_what_it_needs_before_it_begins(monkeypatch, capsys):
    title, question, _, needs, time, memory = begun(monkeypatch, capsys, "--k", "500000", "--depth", "1")
    assert title.startswith("Dyck(500000, 1)") and question.startswith("predictive") and needs == "needs"
    assert "minutes on one core" in time and "GB" in memory
    assert begun(monkeypatch, capsys, "--k", "500000", "--depth", "1", "--quiet") == []
    assert begun(monkeypatch, capsys, "--k", "2", "--depth", "5") == []


@pytest.mark.parametrize("build", [chain_language, order_preserving], ids=["chain", "order-preserving"])
def test_a_lowering_counts_up_to_its_total(build):
    dfa = build(4)
    for cascade in (holonomy_cascade(dfa, "predictive", Skeleton(dfa)), bounded_dyck(3, 3), bounded_dyck(1500, 1)):
        counted = []
        lower(cascade, Arithmetic("fixed", 1), counted.append)
        assert sum(counted) == cascade.rule_count


def test_large_models_run_fewer_random_strings_by_default():
    dfa = order_preserving(7)
    ssm = lower(holonomy_cascade(dfa, "predictive", Skeleton(dfa)), Arithmetic("fixed", 1))
    small = lower(bounded_dyck(2, 2), Arithmetic("exact"))
    assert strings_for(small) == RANDOM_STRINGS
    assert strings_for(ssm) == (RANDOM_STRINGS if ssm.nonzero <= LARGE else RANDOM_STRINGS * LARGE**2 // ssm.nonzero**2)
    large = lower(bounded_dyck(3000, 1), Arithmetic("exact"))
    assert large.nonzero > LARGE and 3 <= strings_for(large) < RANDOM_STRINGS
