"""Attention, for what recurrences pay for in states: copying."""
