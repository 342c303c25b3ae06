"""Updates of manifests against a sandbox."""

from __future__ import annotations

from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Plan
from reconciler.engine.additions import AddOptions
from reconciler.engine.connection import Connection
from reconciler.engine.manifest_update import Update, prepare_update
from reconciler.engine.plan import build_plan
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import api_of


def prepare(
    paths: list[str],
    state: State,
    *,
    add: AddOptions | None = None,
    redact: tuple[tuple[str, ...], ...] = (),
) -> Update:
    """Prepare the update of manifests against a sandbox."""
    desired = load_manifests(find_manifests(paths), load_contract())
    with api_of(SandboxTransport(state)) as api:
        connection = Connection(api, load_contract())
        return prepare_update(desired, connection, redact=redact, add=add)


def plan(paths: list[str], state: State) -> Plan:
    """Plan manifests against a sandbox."""
    desired = load_manifests(find_manifests(paths), load_contract())
    with api_of(SandboxTransport(state)) as api:
        return build_plan(desired, Connection(api, load_contract()))
