"""The program: ``reconciler``, and ``python -m reconciler``."""

import sys


def main() -> None:
    """Run the command line and exit; no signal is a traceback."""
    try:
        # Until handlers are installed, Ctrl-C raises KeyboardInterrupt.
        from reconciler.cli.signals import SIGNALS  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        # As `reconciler.cli.signals` says it.
        print("reconciler: interrupted; nothing more will be changed", file=sys.stderr)  # noqa: T201 - without click
        sys.exit(130)
    with SIGNALS.exit_when_interrupted():
        # Imported here, so that a signal which comes meanwhile is handled.
        from reconciler.cli.main import main as run  # noqa: PLC0415 - see above

        run()


if __name__ == "__main__":
    main()
