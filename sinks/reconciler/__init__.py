"""The reconciler: compares what should agree, tells the differences, and changes nothing.

It runs beside the executor, for the partitions that the executor owns, and `strikeline status` runs it from outside.
"""
