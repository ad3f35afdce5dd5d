"""What cannot be: audits from the weights, refuting strings, and the PARITY experiment."""
