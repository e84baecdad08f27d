"""The words of Strikeline: frozen messages and their validation, nothing else."""
