"""The program: ``reconciler``, and ``python -m reconciler``."""

import sys


def main() -> None:
    """Run the command line and exit; from here on no signal is a traceback."""
    try:
        # Imported here, so that a signal which comes meanwhile is caught.
        from reconciler.cli.signals import install_handlers  # noqa: PLC0415 - see above

        install_handlers()
        from reconciler.cli.main import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        # As `reconciler.cli.main` says it, of which nothing can be used here.
        print("reconciler: interrupted; nothing more is done", file=sys.stderr)  # noqa: T201 - without click
        sys.exit(130)


if __name__ == "__main__":
    try:
        main()
    finally:
        # Started with -m, Python ends as if killed by a signal that came while it executed text, as
        # for each dataclass, although it was caught: until it executes some other text.
        exec("")  # noqa: S102 - no text at all
