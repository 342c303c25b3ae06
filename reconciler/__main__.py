"""The program: ``reconciler``, and ``python -m reconciler``."""

import sys


def main() -> None:
    """Run the command line and exit; a signal while it is imported is no traceback either."""
    try:
        from reconciler.cli.interrupts import end_by_signals  # noqa: PLC0415 - what follows is why

        end_by_signals()
        from reconciler.cli.main import main as run  # noqa: PLC0415 - it takes 50 ms
    except KeyboardInterrupt:
        # As `reconciler.cli.main` says it, of which nothing can be used here.
        print("reconciler: interrupted; nothing more is done", file=sys.stderr)  # noqa: T201 - without click
        sys.exit(130)
    run()


if __name__ == "__main__":
    try:
        main()
    finally:
        # Started with -m, Python ends as if killed by a signal that came while it executed text, as
        # for each dataclass, although it was caught: until it executes some other text.
        exec("")  # noqa: S102 - no text at all
