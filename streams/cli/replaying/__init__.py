"""What was recorded, told again: candles, configs and alerts, each when event time has come to it."""
