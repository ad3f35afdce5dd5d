"""A model's maps on many values at once: boxes, intervals, sparse rows."""
