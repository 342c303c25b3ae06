"""Declare what pandas computed: no manifest is written, and the plan is the same as for one.

Needs pandas. Name the server and the token in the environment, and look at the plan first::

    export LABEL_STUDIO_URL=https://label-studio.example.org LABEL_STUDIO_API_KEY=...
    python examples/python/from_pandas.py examples/python/scores.csv
    python examples/python/from_pandas.py examples/python/scores.csv --apply --report report.jsonl

The CSV has a row for each task and model, with the columns ``task`` and ``score``. Each task gets
the mean of its scores as ``meta.score`` and a part of the data set as ``data.split``. The exit code
is 0 where all is as declared or ``--apply`` was not given, 3 where the plan was partially applied,
and 1 for an error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reconciler import ApplyStopped, Manifests, ReconcilerError, Settings, apply, plan, render

GOOD, FAILED, PARTIAL = 0, 1, 3


def read_scores(file: str) -> pd.DataFrame:
    """Read scores; raises ValueError where a column or an id is not there.

    By itself pandas would turn ids into floats as soon as one of them is missing.
    """
    return pd.read_csv(file, usecols=["task", "score"], dtype={"task": "int64"})


def compute_values(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute a row for each task; ``score`` is NaN where no model gave one.

    The mean is rounded, so that its last digits do not differ from run to run. The split depends
    on the id alone, so that no task ever moves from one part to the other.
    """
    values = scores.groupby("task", as_index=False)["score"].mean().round(4)
    values["split"] = np.where(values["task"] % 5 == 0, "test", "train")
    return values


def declare_tasks(values: pd.DataFrame) -> Manifests:
    """Declare each row; raises ManifestError where a value cannot be declared."""
    return Manifests.from_tasks(map(declare_task, values.to_dict("records")), name="scores")


def declare_task(row: dict[str, Any]) -> dict[str, Any]:
    """Declare one row. NumPy's scalars may stay as they are, and are stored as JSON.

    NaN is no JSON, so its key is left out: what is not declared stays as it is on the server. To
    remove an old score as well, declare ``"absent": ["meta.score"]``.
    """
    task = {"id": row["task"], "data": {"split": row["split"]}}
    return task if pd.isna(row["score"]) else {**task, "meta": {"score": row["score"]}}


def run(file: str, settings: Settings, *, report: str | None) -> int:
    """Print the plan for a file of scores, and carry it out where there is to be a report."""
    made = plan(declare_tasks(compute_values(read_scores(file))), settings)
    print(render(made), end="")
    if report is None:
        return GOOD
    done = apply(made, settings, report=report)
    print(f"{done.describe()}; see {report}")
    return GOOD if done.is_good else PARTIAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, run, and return the exit code."""
    parser = argparse.ArgumentParser(description="Declare model scores, computed with pandas.")
    parser.add_argument("file", help="a CSV file with the columns task and score")
    parser.add_argument("--apply", action="store_true", help="carry the plan out")
    parser.add_argument("--report", default="report.jsonl", help="where apply writes what it did")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        return run(options.file, settings, report=options.report if options.apply else None)
    except ApplyStopped as stopped:
        # The report file lacks these lines, and nothing else has the values from before.
        print(*stopped.unwritten, sep="\n", file=sys.stderr)
        print(f"from_pandas: {stopped}: {stopped.report.describe()}", file=sys.stderr)
        return PARTIAL
    except (ReconcilerError, OSError, ValueError) as error:
        print(f"from_pandas: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
