"""Sweeps: many configurations of one bot over the same candles, ranked, and what so many attempts are worth."""
