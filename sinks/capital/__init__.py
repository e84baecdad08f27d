"""Users' balances on the paper venue: what a deal holds of them, what is free, and who may open what. Pure but `store`.

    free = start + realized − held          held = Σ over open deals (spent + reserved)

A user without an entry for an asset has as much of it as is asked for.
"""
