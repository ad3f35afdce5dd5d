"""Thousands of malformed inputs for every command, from seeds, and what has to hold of each answer."""
