"""What a backtest or replay comes to: figures by their usual definitions, and one HTML page to look at."""
