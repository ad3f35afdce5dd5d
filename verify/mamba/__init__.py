"""Does a Mamba hold?  The search through the model's own cache, the check of a given checkpoint, its model card."""
