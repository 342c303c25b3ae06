"""Manifests to desired tasks: reads, checks and combines all files, and reports all problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.notation import format_value, shorten
from reconciler.core.server_address import ChosenServer
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.checks import (
    check_absent,
    check_allowances,
    check_attributes,
    check_defaults,
    check_key_is_kept,
    check_key_path,
    check_server,
    find_emptied_data,
    may_write_key,
)
from reconciler.manifest.combination import find_conflicts
from reconciler.manifest.declarations import NAMES, Header, read_header
from reconciler.manifest.files import FoundFiles
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import CheckedDocument, Document, Entry
from reconciler.manifest.readers.foreign_content import recognise_value
from reconciler.manifest.readers.manifest_file import read_contents, read_documents
from reconciler.manifest.readers.memory_reader import read_values
from reconciler.manifest.rule_declarations import DeclaredRule, check_declared_rules, read_rules
from reconciler.manifest.task_names import NameLimit, check_names
from reconciler.manifest.validation import check_outline, check_task
from reconciler.manifest.wrong_values import NO_VARIABLES, is_variable
from reconciler.progress import NULL_PROGRESS, ProgressListener

if TYPE_CHECKING:
    from reconciler.manifest.label_checks import LabelChecks, TaskCheck

ProjectNumbers: TypeAlias = Callable[[str], int]
"""Returns the number of a project; raises LookupError, with a message, if the name is unknown."""


def load_manifests(
    files: FoundFiles,
    attributes: Attributes,
    *,
    server: ChosenServer | None = None,
    projects: ProjectNumbers | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read manifests, and return what they declare for each task.

    With ``server``, a manifest that declares another server is a problem. ``projects`` turns names
    of projects into numbers; without it, each name stands for a negative number of its own. Raises
    ManifestError with the problems of all paths and files, in order of place.
    """
    desired = DesiredIndex()
    loader = _Loader(desired, attributes, server=server, projects=projects)
    loader.load_files(files, progress)
    return desired


def check_manifests(
    files: FoundFiles,
    attributes: Attributes,
    *,
    projects: ProjectNumbers | None = None,
    labels: LabelChecks | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read manifests as `load_manifests` does, for callers that do not compare them.

    ``labels`` checks them against what is locked of their servers.
    """
    desired = DesiredIndex(fingerprints=False)
    loader = _Loader(desired, attributes, projects=projects, labels=labels)
    loader.load_files(files, progress)
    return desired


def load_earlier(
    contents: Iterable[tuple[str, bytes]], attributes: Attributes, projects: ProjectNumbers
) -> tuple[DesiredIndex, Mapping[str, Problem]]:
    """Read manifests from what their files held at another time.

    Nothing is checked across files. Returns the index with the first problem of each file that has
    one: not all of what such a file declares is in the index.
    """
    desired = DesiredIndex(fingerprints=False)
    loader = _Loader(desired, attributes, projects=projects)
    wrong: dict[str, Problem] = {}
    for file, held in contents:
        diagnostics = Diagnostics(file)
        documents = read_contents(file, held, diagnostics)
        problems = loader.add_file(documents, diagnostics)
        if problems:
            wrong[file] = min(problems)
    desired.sort()
    return desired, wrong


def load_values(
    header: Mapping[str, Any],
    tasks: Iterable[Any],
    attributes: Attributes,
    *,
    name: str,
    projects: ProjectNumbers | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read a manifest from values instead of a file; ``name`` takes the place of a file name.

    Raises ManifestError, as `load_manifests` does.
    """
    desired, diagnostics = DesiredIndex(), Diagnostics(name)
    progress.begin("checking tasks")
    documents = read_values(header, tasks, diagnostics, progress=progress)
    not_json = {problem.path: problem for problem in diagnostics.problems}
    loader = _Loader(desired, attributes, projects=projects)
    found = loader.add_file(documents, diagnostics)
    # What is not JSON was read as null: other problems at that path mean nothing.
    told = [p for p in found if not_json.get(p.path, p) == p]
    loader.finish([replace(p, source=replace(p.source, column=1)) for p in told])
    return desired


def number_projects(
    desired: DesiredIndex, attributes: Attributes, projects: ProjectNumbers
) -> DesiredIndex:
    """Return the index that loading would have made with ``projects``.

    It is the same one if no document names its project. Raises ManifestError if a name is unknown,
    or if tasks or rules conflict now that two names stand for one project.
    """
    if not desired.has_project_names:
        return desired
    numbered, problems = DesiredIndex(), list[Problem]()
    loader = _Loader(numbered, attributes, projects=projects)
    for document, indexes in desired.list_documents():
        problems += loader.add_file([CheckedDocument(document, indexes)], Diagnostics(""))
    loader.finish(problems)
    return numbered


class _Loader:
    """Adds the documents of one run to an index, and collects what is checked across them."""

    def __init__(
        self,
        desired: DesiredIndex,
        attributes: Attributes,
        *,
        server: ChosenServer | None = None,
        projects: ProjectNumbers | None = None,
        labels: LabelChecks | None = None,
    ) -> None:
        self._desired = desired
        self._attributes = attributes
        self._server = server
        self._labels = labels
        self._projects = projects or _number_names()
        self._limit = NameLimit()
        self._rules: list[DeclaredRule] = []
        self._keyed: list[Header] = []

    def load_files(self, files: FoundFiles, progress: ProgressListener) -> None:
        """Add all files; raises ManifestError if there are problems."""
        problems = [*files.problems]
        progress.begin("checking manifests")
        for file in files.files:
            diagnostics = Diagnostics(file)
            documents = read_documents(file, diagnostics, progress=progress)
            problems += self.add_file(documents, diagnostics)
        self.finish(problems)

    def add_file(self, documents: Iterable[Document], diagnostics: Diagnostics) -> list[Problem]:
        """Add the documents of one file; at one place, problems of the reader win over others."""
        found = [
            problem
            for document in documents
            for problem in self._add_document(document, diagnostics)
        ]
        told = {(problem.source, problem.path) for problem in diagnostics.problems}
        others = (problem for problem in found if (problem.source, problem.path) not in told)
        return [*diagnostics.problems, *others]

    def finish(self, problems: list[Problem]) -> None:
        """Sort the tasks, and raise ManifestError if there are problems."""
        self._desired.sort()
        for repetition in self._desired.iterate_repeated():
            problems += find_conflicts(repetition.declarations, count=repetition.count)
        problems += self._desired.find_written_keys()
        problems += check_declared_rules(self._rules, self._keyed, self._attributes)
        problems += self._labels.list_problems() if self._labels else ()
        if problems:
            raise ManifestError(tuple(sorted(set(problems))))

    def _add_document(self, document: Document, diagnostics: Diagnostics) -> list[Problem]:
        """Check one document, and add the declarations of its tasks without problems."""
        problems, accepted = check_outline(document, self._attributes)
        is_json = diagnostics.file.lower().endswith(".json")
        foreign = recognise_value(document.outline, is_json=is_json) if problems else None
        if foreign:
            return [Problem(document.locate_value(()), "", *foreign)]
        # First, because looking a name up may take a request, to a server that this is not for.
        elsewhere = list(check_server(document, accepted, self._server))
        problems += elsewhere
        number = None if elsewhere else self._find_project(document, accepted, problems)
        problems += self._drop_refused(document, accepted, number)
        header = read_header(document, accepted, project=number)
        self._desired.add_document(header)
        if header.key is not None:
            self._keyed.append(header)
            defaults = accepted.get("defaults", {})
            problems += check_key_is_kept(document, ("defaults",), defaults, header.key)
        rules, refused = read_rules(header, accepted.get("rules", ()), self._attributes)
        self._rules += rules
        self._desired.add_rules([declared.rule for declared in rules])
        check = self._build_check(header, diagnostics.file, accepted.get("project"))
        if check:
            problems += check.check_defaults()
            for declared in rules:
                problems += check.check_rule(declared)
        return [*problems, *refused, *self._add_tasks(header, diagnostics, check)]

    def _build_check(self, header: Header, file: str, project: object) -> TaskCheck | None:
        """Build the check of a document against the lock; None without one."""
        if self._labels is None:
            return None
        return self._labels.build_check(header, file, project if isinstance(project, str) else "")

    def _find_project(
        self, document: Document, accepted: dict[str, Any], problems: list[Problem]
    ) -> int | None:
        """Return the number of the project of a document; report a name that is unknown."""
        declared = accepted.get("project")
        if not isinstance(declared, str):
            return None if declared is None else int(declared)
        at = document.locate_value(("project",))
        if declared.isdigit():
            message = f"expected a number or a name, found the string {format_value(declared)}"
            problems.append(Problem(at, "project", message, "remove the quotes"))
            return None
        if is_variable(declared):
            message = f"expected a number or a name, found {shorten(format_value(declared))}"
            problems.append(Problem(at, "project", message, NO_VARIABLES))
            return None
        try:
            return self._projects(declared)
        except LookupError as error:
            message = str(error.args[0]) if error.args else str(error)
            hint = getattr(error, "hint", "")
            problems.append(Problem(at, "project", message, hint))
            return None

    def _drop_refused(
        self, document: Document, accepted: dict[str, Any], project: int | None
    ) -> Iterator[Problem]:
        """Check the parts of a header, and drop those that cannot be read."""
        attributes = self._attributes
        checks = {
            "defaults": check_defaults(document, accepted, attributes=attributes, project=project),
            "key": check_key_path(document, accepted, attributes=attributes),
            "allow": check_allowances(document, accepted, attributes=attributes),
        }
        for name, check in checks.items():
            found = list(check)
            yield from found
            if found and name == "defaults":
                accepted[name] = {k: v for k, v in accepted[name].items() if k != "absent"}
            elif found:
                del accepted[name]

    def _add_tasks(
        self, header: Header, diagnostics: Diagnostics, check: TaskCheck | None
    ) -> list[Problem]:
        """Add the tasks of a document.

        A task that could not be read completely is checked as far as possible, but not added:
        reading it again would give another value.
        """
        document, attributes = header.document, self._attributes
        problems: list[Problem] = []
        told = len(diagnostics.problems)
        for entry in document.read_tasks():
            index, task, _ = entry
            refused, usable = check_task(document, index, task, attributes=attributes)
            if "absent" in usable:
                steps = ("tasks", index)
                wrong = list(check_absent(document, steps, usable, attributes=attributes))
                refused += wrong
                usable = {k: v for k, v in usable.items() if k != "absent"} if wrong else usable
            if "id" not in usable and self._needs_check(header, usable):
                refused += self._check_named(header, entry, usable)
            problems += check_attributes(document, entry, usable, project=header.project)
            if check is not None and not check.accepts(usable):
                problems += check.explain(index, usable)
            if refused or len(diagnostics.problems) > told:
                problems += refused
                told = len(diagnostics.problems)
                continue
            if "data" in header.replaced and not usable.get("data"):
                problems += find_emptied_data(header.read_declaration(index))
            self._desired.add(index, usable)
        return problems

    @staticmethod
    def _needs_check(header: Header, task: Mapping[str, Any]) -> bool:
        """Tell whether `_check_named` may find anything: not for most tasks named by a key."""
        return "key" not in task or header.key is None or may_write_key(task, header.key)

    def _check_named(
        self, header: Header, entry: Entry, usable: Mapping[str, Any]
    ) -> Iterator[Problem]:
        """Check a task that is not declared by its id, but by keys or with others."""
        index, task, _ = entry
        yield from check_names(index, task, usable, header=header, limit=self._limit)
        names = {name for name in NAMES if isinstance(task, dict) and name in task}
        if header.key is not None and names and names <= {"key", "keys"}:
            yield from check_key_is_kept(header.document, ("tasks", index), usable, header.key)


def _number_names() -> ProjectNumbers:
    """Return a function that gives each name a negative number of its own."""
    numbers: dict[str, int] = {}
    return lambda name: numbers.setdefault(name, -1 - len(numbers))
