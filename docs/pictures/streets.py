"""The plan that the pictures show: the one of ``examples/streets``, on a sandbox."""

from __future__ import annotations

import runpy
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Plan
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state

STREETS: Final = Path(__file__).resolve().parents[2] / "examples" / "streets"
ADDRESS: Final = "https://label-studio.example.org"


def load_streets() -> State:
    """Return a sandbox's state with the tasks that ``examples/streets/tasks.py`` prints."""
    program = runpy.run_path(str(STREETS / "tasks.py"))
    with TemporaryDirectory() as folder:
        file = Path(folder, "streets.json")
        file.write_text(program["write_tasks"](), encoding="utf-8")
        return load_state(file)


def plan_streets() -> Plan:
    """Plan the manifests of ``examples/streets``, as ``reconciler plan manifests`` does there."""
    attributes = load_contract()
    transport = SandboxTransport(load_streets())
    with (
        chdir(STREETS),
        Client(ADDRESS, parse_token(SANDBOX_TOKEN), transport=transport) as client,
    ):
        desired = load_manifests(find_manifests(["manifests"]), attributes)
        return build_plan(desired, Connection(TaskApi(client, attributes), attributes))
