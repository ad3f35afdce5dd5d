"""What is true: machines that define languages, and the algebra of their transitions.

Nothing in this package knows about weights.  ``constructions`` builds models from
what is here, and ``verify`` holds those models against it.

The library automata-lib has a package of this name too, and nobody here reads anything of this module: either library's
``automata/__init__.py`` serves both, and so does none.  Where the two stand in different folders, both are searched.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
