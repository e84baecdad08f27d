"""Is a backtest to be believed? Checks that run it again, differently, and say what changed."""
