"""Label Studio tasks as code: manifests, plan, apply.

The command line and these functions share one engine::

    from reconciler import Settings, apply, load, plan

    settings = Settings.from_environment()
    made = plan(load("manifests/"), settings)
    report = apply(made, settings, report="report.jsonl")

Names are imported when they are first used: `import reconciler` itself imports no other module.
"""

TYPE_CHECKING = False
"""True only for type checkers; importing it from `typing` would take 10 ms."""

if TYPE_CHECKING:
    from reconciler.api import (
        apply,
        load,
        merge,
        plan,
        plan_revert,
        pull,
        read_plan,
        read_report,
        render,
        revert,
        update_manifests,
        write_plan,
    )
    from reconciler.core.annotation_impact import AnnotationImpact
    from reconciler.core.limit import Limit
    from reconciler.core.model import Change, User
    from reconciler.core.notation import format_path
    from reconciler.core.plan_model import Plan, ServerIdentity, Status, TaskPlan
    from reconciler.core.problems import Allowance, Kind, TaskProblem
    from reconciler.core.pull_result import Pulled, PulledFile, Remark
    from reconciler.core.report import Commit, Outcome, Report, Run, TaskOutcome
    from reconciler.core.shard import Shard
    from reconciler.core.target import Targets
    from reconciler.core.values import ABSENT, UNREADABLE
    from reconciler.engine.apply import ApplyOptions, ApplyStopped
    from reconciler.engine.manifest_update import FileUpdate, Update
    from reconciler.engine.manifests import Manifests
    from reconciler.engine.settings.run_settings import Settings
    from reconciler.errors import (
        Broken,
        ContractError,
        ManifestError,
        NoSuchProject,
        NotFound,
        NotLabelStudio,
        NotSent,
        Problem,
        ReconcilerError,
        Refused,
        Rejected,
        SavedFileError,
        ServerError,
        SettingsError,
        Source,
        TimedOut,
        Unauthorised,
        Unreachable,
    )
    from reconciler.progress import NullProgress, ProgressListener

__all__ = [
    "ABSENT",
    "UNREADABLE",
    "Allowance",
    "AnnotationImpact",
    "ApplyOptions",
    "ApplyStopped",
    "Broken",
    "Change",
    "Commit",
    "ContractError",
    "FileUpdate",
    "Kind",
    "Limit",
    "ManifestError",
    "Manifests",
    "NoSuchProject",
    "NotFound",
    "NotLabelStudio",
    "NotSent",
    "NullProgress",
    "Outcome",
    "Plan",
    "Problem",
    "ProgressListener",
    "Pulled",
    "PulledFile",
    "ReconcilerError",
    "Refused",
    "Rejected",
    "Remark",
    "Report",
    "Run",
    "SavedFileError",
    "ServerError",
    "ServerIdentity",
    "Settings",
    "SettingsError",
    "Shard",
    "Source",
    "Status",
    "Targets",
    "TaskOutcome",
    "TaskPlan",
    "TaskProblem",
    "TimedOut",
    "Unauthorised",
    "Unreachable",
    "Update",
    "User",
    "apply",
    "format_path",
    "load",
    "merge",
    "plan",
    "plan_revert",
    "pull",
    "read_plan",
    "read_report",
    "render",
    "revert",
    "update_manifests",
    "write_plan",
]

_MODULES = {
    "reconciler.api": (
        *("apply", "load", "merge", "plan", "plan_revert", "pull", "read_plan", "read_report"),
        *("render", "revert", "update_manifests", "write_plan"),
    ),
    "reconciler.core.limit": ("Limit",),
    "reconciler.core.model": ("Change", "User"),
    "reconciler.core.notation": ("format_path",),
    "reconciler.core.plan_model": ("Plan", "ServerIdentity", "Status", "TaskPlan"),
    "reconciler.core.annotation_impact": ("AnnotationImpact",),
    "reconciler.core.problems": ("Allowance", "Kind", "TaskProblem"),
    "reconciler.core.pull_result": ("Pulled", "PulledFile", "Remark"),
    "reconciler.core.report": ("Commit", "Outcome", "Report", "Run", "TaskOutcome"),
    "reconciler.core.shard": ("Shard",),
    "reconciler.core.target": ("Targets",),
    "reconciler.core.values": ("ABSENT", "UNREADABLE"),
    "reconciler.engine.apply": ("ApplyOptions", "ApplyStopped"),
    "reconciler.engine.manifests": ("Manifests",),
    "reconciler.engine.settings.run_settings": ("Settings",),
    "reconciler.engine.manifest_update": ("FileUpdate", "Update"),
    "reconciler.errors": (
        *("Broken", "ContractError", "ManifestError", "NoSuchProject", "NotFound"),
        *("NotLabelStudio", "NotSent", "Problem", "ReconcilerError", "Refused", "Rejected"),
        *("SavedFileError", "ServerError", "SettingsError", "Source", "TimedOut", "Unauthorised"),
        *("Unreachable",),
    ),
    "reconciler.progress": ("NullProgress", "ProgressListener"),
}
"""Where each public name is defined."""


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
