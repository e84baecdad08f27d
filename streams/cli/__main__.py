"""`python -m streams.cli`: how the local stack starts its processes."""

from streams.cli import main

main()
