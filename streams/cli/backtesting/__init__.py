"""Backtests: the executor's own decisions over candles of a file, bar by bar or from event to event."""
