"""The program: ``reconciler``, and ``python -m reconciler``."""

from reconciler.cli.signals import SIGNALS


def main() -> None:
    """Run the command line and exit."""
    with SIGNALS.exit_when_interrupted():
        # Imported here, so that a signal which comes meanwhile is handled.
        from reconciler.cli.main import main as run  # noqa: PLC0415 - see above

        run()


if __name__ == "__main__":
    main()
