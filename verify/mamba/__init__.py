"""Does a Mamba hold?  The search through the model's own cache, exact accuracy, the model card."""

SSM, MAMBA, MAMBA_SSM = TARGETS = ("ssm", "mamba", "mamba-ssm")
"""What a language is lowered to: the paper's SSM, a stock Mamba run in transformers, or the same run in mamba-ssm."""
