"""What is asked: text and trees, what their words mean, and the truth of a comparison (law 13)."""
