"""The demo: the whole pipeline on one machine for a minute, then a report."""
