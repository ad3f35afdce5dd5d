"""Results before the eye: reports, traces, pictures, the model card."""
