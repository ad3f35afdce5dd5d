"""Does a Mamba hold?  The search through the model's own cache, exact accuracy, the model card."""
