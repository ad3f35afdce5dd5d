"""Conditions as finite cases that one neuron can test each; no word about one architecture."""
