"""What commands begin with: the manifests of their paths, and the server of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.console import Console
from reconciler.cli.printer import make_plan, print_settings_notes, print_unread
from reconciler.cli.progress_bar import ProgressBar
from reconciler.contract.attributes import Attributes
from reconciler.core.model import Kind, Plan
from reconciler.core.shard import Shard
from reconciler.engine.connection import connect
from reconciler.engine.load import check_files, find_files, load_desired
from reconciler.engine.plan import plan_shard
from reconciler.engine.settings.run_settings import Settings
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles


def find_inputs(paths: Sequence[str], console: Console) -> FoundFiles:
    """Find the manifests of ``paths``, and say what is not read; raises ManifestError for none."""
    files = find_files(paths)
    print_unread(files.unread, console)
    check_files(files)
    return files


@contextmanager
def connect_to_server(
    settings: Settings, attributes: Attributes, console: Console
) -> Iterator[TaskApi]:
    """Connect to the server of the settings, and say what is to be known of them."""
    transport = get_collaborators().transport
    with connect(settings, attributes, transport=transport) as api:
        print_settings_notes(settings, console)
        yield api


def plan_inputs(  # noqa: PLR0913 - what a plan rests on
    files: FoundFiles,
    api: TaskApi,
    attributes: Attributes,
    *,
    settings: Settings,
    allow: frozenset[Kind],
    shard: Shard | None,
    console: Console,
) -> Plan:
    """Load manifests, and plan the tasks of a shard; all of them where there is none."""
    with ProgressBar(console) as progress:
        desired = load_desired(
            files, attributes, shard=shard, server=settings.server, progress=progress
        )
    return make_plan(
        lambda progress: plan_shard(
            desired, api, attributes, shard=shard, allow=allow, progress=progress
        ),
        console,
    )
