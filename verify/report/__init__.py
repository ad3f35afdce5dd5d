"""A static page of what is proved: tables, pictures, and weights that run in the reader's browser."""
