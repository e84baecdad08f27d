"""The executor: configs and triggers in, deals and commands out, each record applied exactly once.

Decisions are pure (`decide`, `configs`, `triggers`, `stale`, `timeline`): a loaded bot and a record in, the
changed bot and what is to be told out. `core` runs them in a database transaction, `relay` publishes what
they told.
"""
