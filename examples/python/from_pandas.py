"""Declare values that pandas computed, without a manifest; the plan is the same.

Needs pandas. Name the server and the token in the environment, and review the plan first::

    export LABEL_STUDIO_URL=https://label-studio.example.org LABEL_STUDIO_API_KEY=...
    python examples/python/from_pandas.py examples/python/scores.csv
    python examples/python/from_pandas.py examples/python/scores.csv --apply --report report.jsonl

The CSV has a row for each task and model, with the columns ``task`` and ``score``. Each task gets
the mean of its scores as ``meta.score`` and a part of the data set as ``data.split``. The exit code
is 0 if all is as declared or ``--apply`` was not passed, 3 if the plan was partially applied, and 1
for an error.
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
    """Read scores; raises ValueError if a column or an id is missing.

    The type is set because pandas would otherwise turn all ids into floats if one is missing.
    """
    return pd.read_csv(file, usecols=["task", "score"], dtype={"task": "int64"})


def compute_values(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute a row for each task; ``score`` is NaN if no model has one.

    The mean is rounded, so that its last digits do not differ from run to run. The split depends
    only on the id, so that no task ever moves from one part to the other.
    """
    values = scores.groupby("task", as_index=False)["score"].mean().round(4)
    values["split"] = np.where(values["task"] % 5 == 0, "test", "train")
    return values


def declare_tasks(values: pd.DataFrame) -> Manifests:
    """Declare each row; raises ManifestError if a value cannot be declared."""
    return Manifests.from_tasks(map(declare_task, values.to_dict("records")), name="scores")


def declare_task(row: dict[str, Any]) -> dict[str, Any]:
    """Declare one row. NumPy's scalars need no conversion: they are stored as JSON.

    NaN is not JSON, so its key is left out: undeclared values do not change on the server. To
    remove an old score instead, declare ``"absent": ["meta.score"]``.
    """
    task = {"id": row["task"], "data": {"split": row["split"]}}
    return task if pd.isna(row["score"]) else {**task, "meta": {"score": row["score"]}}


def run(file: str, settings: Settings, *, report: str | None) -> int:
    """Print the plan for a file of scores; with a file for the report, apply the plan."""
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
    parser.add_argument("--apply", action="store_true", help="apply the plan")
    parser.add_argument("--report", default="report.jsonl", help="file for the report of --apply")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        return run(options.file, settings, report=options.report if options.apply else None)
    except ApplyStopped as stopped:
        # The report file lacks these lines, and only they have the values before the update.
        print(*stopped.unwritten, sep="\n", file=sys.stderr)
        print(f"from_pandas: {stopped}: {stopped.report.describe()}", file=sys.stderr)
        return PARTIAL
    except (ReconcilerError, OSError, ValueError) as error:
        print(f"from_pandas: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
