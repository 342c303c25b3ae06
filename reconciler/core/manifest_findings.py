"""From what manifests declare, and what the server shows of it, to findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.finding import Check, Finding, fail, note, ok, warn
from reconciler.core.notation import count_noun, format_path, format_value, list_first, shorten
from reconciler.core.observations import (
    Declared,
    Failure,
    KeysSeen,
    Observations,
    ProjectFacts,
    ProjectsSeen,
    Sample,
)

_SHOWN_MAX: Final = 5
_WHOLE_COHORT: Final = 100
_USE_PLAN: Final = "run reconciler plan, which reads all of them"


def check_files(seen: Observations) -> Iterator[Finding]:
    """Report what the manifests declare, or their problems."""
    declared = seen.declared
    if isinstance(declared, tuple):
        for failure in declared[:_SHOWN_MAX]:
            yield fail(Check.FILES, failure.message, failure.hint or "correct the manifest")
        if len(declared) > _SHOWN_MAX:
            more = count_noun(len(declared) - _SHOWN_MAX, "more problem")
            yield fail(Check.FILES, more, "run reconciler validate, which lists all problems")
    elif declared is not None:
        tasks = count_noun(declared.tasks, "task")
        rules = f" and {count_noun(declared.rules, 'rule')}" if declared.rules else ""
        files = count_noun(declared.files, "manifest")
        yield ok(Check.FILES, f"{files} with {tasks}{rules}")


def check_projects(seen: Observations) -> Iterator[Finding]:
    """Report the declared projects that the token cannot see; or how many it can see."""
    projects = seen.projects
    if isinstance(projects, Failure):
        # If the server refuses the token too, that is the finding.
        if seen.account is not None and not isinstance(seen.account, Failure):
            found = f"the list of projects cannot be read: {projects.message}"
            yield warn(Check.PROJECTS, found, projects.hint or _USE_PLAN)
    elif projects is not None and isinstance(seen.declared, Declared):
        yield from _judge_declared_projects(projects)
    elif projects is not None:
        yield _judge_visible_projects(projects)


def _judge_visible_projects(projects: ProjectsSeen) -> Finding:
    if projects.count:
        return ok(Check.PROJECTS, f"the token can see {count_noun(projects.count, 'project')}")
    return warn(
        Check.PROJECTS,
        "the token can see no project",
        "create a project, or use a token whose user is a member of one",
    )


def _judge_declared_projects(projects: ProjectsSeen) -> Iterator[Finding]:
    for number in [n for n in projects.asked if n not in projects.found][:_SHOWN_MAX]:
        yield fail(
            Check.PROJECTS,
            f"project {number} does not exist, or this token may not see it",
            "correct the project in the manifest, or use a token that may see it",
        )
    found = [projects.found[number] for number in projects.asked if number in projects.found]
    if found:
        yield ok(Check.PROJECTS, list_first([*map(_describe_project, found)], _SHOWN_MAX))
    if projects.left_out:
        left_out = count_noun(projects.left_out, "more project")
        yield note(Check.PROJECTS, f"{left_out} not looked up", _USE_PLAN)
    if not projects.asked:
        yield note(
            Check.PROJECTS,
            "the manifests declare no project: plan asks for the project of their tasks",
            "declare the project, which saves requests and finds mistakes",
        )


def _describe_project(project: ProjectFacts) -> str:
    title = f" {format_value(shorten(project.title, 40))}" if project.title else ""
    tasks = "" if project.tasks is None else f" with {count_noun(project.tasks, 'task')}"
    return f"project {project.number}{title}{tasks}"


def check_attributes(seen: Observations) -> Iterator[Finding]:
    """Report the declared attributes that the server does not show, or does not store."""
    declared = seen.declared
    if not isinstance(declared, Declared):
        return
    unread: list[str] = []
    if isinstance(seen.sample, Sample) and seen.sample.tasks:
        unread = sorted(declared.read - seen.sample.shown)
        if unread:
            yield fail(
                Check.ATTRIBUTES,
                f"the server does not show {', '.join(unread)} in task "
                f"{seen.sample.tasks[0]} and others, so it cannot be compared",
                "remove it from the manifests, or pass --allow unreadable to leave these tasks out",
            )
    ignored: list[str] = []
    if isinstance(seen.honoured, frozenset):
        ignored = sorted(declared.written - seen.honoured - ALWAYS_HONOURED - {*unread})
        if ignored:
            yield warn(
                Check.ATTRIBUTES,
                f"updates on this server ignore {', '.join(ignored)}: a plan that would change it "
                "is blocked",
                "remove it from the manifests, or change it on the server by another way",
            )
    yield from _confirm_attributes(seen, declared, [*unread, *ignored])


def _confirm_attributes(
    seen: Observations, declared: Declared, wrong: list[str]
) -> Iterator[Finding]:
    good = sorted(declared.written - {*wrong})
    shown = isinstance(seen.sample, Sample) and bool(seen.sample.tasks)
    stored = isinstance(seen.honoured, frozenset)
    if good and (shown or stored):
        how = " and ".join(w for w, yes in (("shown", shown), ("stored", stored)) if yes)
        yield ok(Check.ATTRIBUTES, f"{how} by the server: {', '.join(good)}")


def check_keys(seen: Observations) -> Iterator[Finding]:
    """Report the keys that name no task, or several."""
    for keys in seen.keys:
        if isinstance(keys, Failure):
            yield note(Check.KEYS, f"keys cannot be looked up: {keys.message}", _USE_PLAN)
        else:
            yield from _judge_keys(keys)


def _judge_keys(keys: KeysSeen) -> Iterator[Finding]:
    path = f"{format_path(keys.path)} in project {keys.project}"
    if not keys.looked_up:
        found = f"{count_noun(keys.declared, 'key')} at {path} not looked up: filters may miss them"
        yield note(Check.KEYS, found, _USE_PLAN)
        return
    for key, tasks in list(keys.ambiguous.items())[:_SHOWN_MAX]:
        named = ", ".join(map(str, tasks[:_SHOWN_MAX]))
        yield fail(
            Check.KEYS,
            f"{format_value(shorten(key, 60))} at {path} names {count_noun(len(tasks), 'task')}: "
            f"{named}",
            "give the tasks different keys, or declare them by id",
        )
    if keys.missing:
        named = ", ".join(format_value(shorten(key, 60)) for key in keys.missing[:_SHOWN_MAX])
        count = count_noun(len(keys.missing), "key")
        yield fail(
            Check.KEYS,
            f"{count} of the {keys.looked_up:,} looked up at {path} without a task: {named}",
            "correct them, import the tasks, or pass --allow missing to leave them out",
        )
    if not keys.missing and not keys.ambiguous:
        of_all = "" if keys.looked_up == keys.declared else f" of {keys.declared:,}"
        found = f"{keys.looked_up:,}{of_all} at {path} looked up: each names one task"
        yield ok(Check.KEYS, found)


def check_overlap(seen: Observations) -> Iterator[Finding]:
    """Report the projects in which the server itself writes ``overlap``."""
    declared, projects = seen.declared, seen.projects
    if not isinstance(declared, Declared) or "overlap" not in declared.written:
        return
    if not isinstance(projects, ProjectsSeen):
        return
    known = [projects.found[n] for n in projects.asked if n in projects.found]
    resetting = [project for project in known if _resets(project)]
    for project in resetting[:_SHOWN_MAX]:
        yield warn(
            Check.OVERLAP,
            _describe_resets(project),
            "set overlap_cohort_percentage to 100 in the settings of the project, or apply again "
            "after each import",
        )
    shown = [project for project in known if project.overlap_cohort_percentage is not None]
    if shown and not resetting:
        yield ok(Check.OVERLAP, "no setting of these projects resets it when tasks are imported")


def _resets(project: ProjectFacts) -> bool:
    percentage, most = project.overlap_cohort_percentage, project.maximum_annotations
    return percentage is not None and percentage < _WHOLE_COHORT and (most is None or most > 1)


def _describe_resets(project: ProjectFacts) -> str:
    most = (
        "maximum_annotations"
        if project.maximum_annotations is None
        else (f"{project.maximum_annotations:,}")
    )
    return (
        f"in project {project.number}, each import and each deletion resets overlap to {most} for "
        f"{project.overlap_cohort_percentage}% of the tasks, and to 1 for the others"
    )
