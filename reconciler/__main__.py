"""The program: ``reconciler``, and ``python -m reconciler``."""

import sys


def main() -> None:
    """Run the command line and exit; a signal while it is imported is no traceback either."""
    try:
        from reconciler.cli.main import main as run  # noqa: PLC0415 - it takes 50 ms
    except KeyboardInterrupt:
        # As `reconciler.cli.main` says it, of which nothing can be used here.
        print("reconciler: interrupted; nothing more is done", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
