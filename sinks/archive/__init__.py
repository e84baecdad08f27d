"""The archive: klines, triggers, configs and users' alerts from their topics to parquet, each record exactly once."""
