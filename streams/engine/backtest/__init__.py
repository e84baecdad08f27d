"""Backtests over whole arrays: the same kernels, truths and money, jumping from one bar that matters to the next."""
