"""Machines that are no table of states: bounded Dyck, counter machines, the flip-flop."""
