"""Linear recurrences in exact arithmetic, family by family: what each kind of transition matrix can do."""
