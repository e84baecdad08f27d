"""Feeds: what puts klines and ticks onto `market.klines.v1`, each the only owner of its symbols."""
