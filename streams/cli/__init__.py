"""The command line. Nobody imports it; it sees everything, and imports only what the command needs."""


def main() -> None:
    """The console script `strikeline`."""
    try:
        from streams.cli.app import run

        run()
    except KeyboardInterrupt:  # while modules are still being read
        raise SystemExit(130) from None
