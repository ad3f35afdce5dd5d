"""What is true: machines that define languages, and the algebra of their transitions.

Nothing in this package knows about weights.  ``constructions`` builds models from
what is here, and ``verify`` holds those models against it.
"""
