"""Certificates: files that say what was proved of which weights and why it is true (``docs/certificates.md``).

What is written here is not trusted by anybody: ``verify/checker.py``, which shares no code with this project, checks it
again from the file alone.  :mod:`~verify.certificate.writer` chooses the evidence; each kind has a file of its own.
"""
