"""One symbol's bars, its higher timeframes and its operands, by laws 1 to 6."""
