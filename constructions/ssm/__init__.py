"""The paper's state space model: arithmetic, weights, the lowering from a cascade, and the engine that runs it
exactly.
"""
