"""The option --format, and what it writes: one format to standard output, the others to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from reconciler.cli.completion_values import ignore_context
from reconciler.cli.console import Console, choose_style, measure_terminal, print_result
from reconciler.cli.option_types import OUTPUT_FILE, ParsedType
from reconciler.cli.options import Command, add_options, fold_options
from reconciler.cli.progress_bar import ProgressBar
from reconciler.errors import ManifestError, Refused
from reconciler.renderers.registry import FORMATS, Subject, can_render, list_formats, render
from reconciler.renderers.render_options import OF_COMMENTS, RenderOptions, SizeLimit

if TYPE_CHECKING:
    from reconciler.engine.validate import Validation
    from reconciler.engine.vocabulary import Checkup, Plan, Report

_DEFAULT = "text"
_MARKDOWN = "markdown"


class Output(NamedTuple):
    """A format, and the file for it; None for standard output."""

    form: str
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What --format and --limit say."""

    formats: tuple[Output, ...] = ()
    limit: SizeLimit | None = None

    def __post_init__(self) -> None:
        if self.limit and _MARKDOWN not in {output.form for output in self.formats}:
            raise click.UsageError("--limit is for --format markdown, which was not passed.")

    @property
    def printed(self) -> str:
        """The format that goes to standard output."""
        return next((form for form, file in self.formats if file is None), _DEFAULT)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files to write."""
        return tuple(output.file for output in self.formats if output.file)

    def write(
        self,
        subject: Subject,
        found: Plan | Report | Validation | Checkup,
        *,
        full: bool = False,
        text_is_shown: bool = False,
        console: Console,
    ) -> None:
        """Write the files, then print; all is tried before the first failure is raised.

        Text is not printed if it is shown already.
        """
        failures = list(self._write_files(subject, found, full=full, console=console))
        is_text = self.printed == _DEFAULT
        if can_render(subject, self.printed) and not (is_text and text_is_shown):
            self._print(subject, found, full=full, console=console)
        if failures:
            raise failures[0]

    def check(self, inputs: Sequence[str], *outputs: Path | None) -> None:
        """Raise Refused if a file would overwrite an input, or another output."""
        if not self.files:
            return
        from reconciler.engine.policy import check_output  # noqa: PLC0415 - not for every run

        for file in self.files:
            check_output(file, inputs, "output")
            if file in outputs:
                raise Refused(
                    f"nothing was changed: {file} is named twice, for different outputs",
                    hint="pass another file to --format",
                )

    @contextmanager
    def writing_problems(self, console: Console) -> Iterator[None]:
        """Write the problems of manifests if there are any, before they are raised again.

        As text, they go to standard error, printed by the caller that catches the error. JSON is
        not written: its readers expect a plan, and there is none.
        """
        try:
            yield
        except ManifestError as error:
            from reconciler.engine.validate import Validation  # noqa: PLC0415 - rarely needed

            found = Validation(error.problems)
            others = tuple(one for one in self.formats if one.form != "json")
            outputs = replace(self, formats=others)
            outputs.write(Subject.PROBLEMS, found, text_is_shown=True, console=console)
            raise

    def _write_files(
        self,
        subject: Subject,
        found: Plan | Report | Validation | Checkup,
        *,
        full: bool,
        console: Console,
    ) -> Iterator[Refused]:
        for form, file in self.formats:
            if file is None or not can_render(subject, form):
                continue
            from reconciler.engine.output_files import (  # noqa: PLC0415 - not for every run
                write_output,
            )

            with ProgressBar(console) as progress:
                options = RenderOptions(full=full, progress=progress, limit=self._get_limit())
                written = render(subject, found, form, options)
            try:
                write_output(written, file, form)
            except Refused as error:
                yield error

    def _print(
        self,
        subject: Subject,
        found: Plan | Report | Validation | Checkup,
        *,
        full: bool,
        console: Console,
    ) -> None:
        with ProgressBar(console) as progress:
            options = RenderOptions(
                choose_style(), full, progress, measure_terminal(), self._get_limit()
            )
            written = render(subject, found, self.printed, options)
        print_result(written)

    def _get_limit(self) -> SizeLimit:
        return self.limit or OF_COMMENTS


def output_options(*subjects: Subject) -> Callable[[Command], Command]:
    """Add --format and --limit, as ``outputs``, with the formats of any of the subjects."""
    known = list_formats(*subjects)

    def parse(text: str) -> Output:
        return _parse_output(text, known)

    def complete(incomplete: str) -> list[str]:
        return [form for form in known if form.startswith(incomplete)]

    def decorate(command: Command) -> Command:
        return add_options(
            click.option(
                "--format",
                "formats",
                metavar="F[=FILE]",
                multiple=True,
                type=ParsedType("format", parse),
                callback=_check_outputs,
                shell_complete=ignore_context(complete),
                help=f"Format of the output: {', '.join(known)}. With =FILE, it goes to that file; "
                "can be passed more than once, but only one format goes to standard output.  "
                f"[default: {_DEFAULT}]",
            ),
            click.option(
                "--limit",
                metavar="SIZE",
                type=ParsedType("size", SizeLimit.parse),
                help="Longest Markdown to write: a number of characters, or of bytes such as 1MiB."
                f"  [default: {OF_COMMENTS.count}]",
            ),
        )(fold_options(Outputs, "outputs")(command))

    return decorate


def check_subject(outputs: Outputs, subject: Subject) -> None:
    """Raise UsageError if a format cannot show what was read."""
    for form, _ in outputs.formats:
        if not can_render(subject, form):
            known = " and ".join(f"{one}s" for one in FORMATS[form].renders)
            raise click.UsageError(f"--format {form} shows {known}, and this is a {subject}.")


def _parse_output(text: str, known: Sequence[str]) -> Output:
    form, equals, file = text.partition("=")
    if form not in known:
        listed = ", ".join(known)
        raise ValueError(f"expected one of {listed}, optionally with =FILE, found {form!r}")
    if not equals:
        return Output(form)
    if not file:
        raise ValueError(f"expected a file after {form}=")
    return Output(form, OUTPUT_FILE.convert(file, None, None))


def _check_outputs(
    _context: click.Context, _parameter: click.Parameter, outputs: tuple[Output, ...]
) -> tuple[Output, ...]:
    printed = [output.form for output in outputs if output.file is None]
    if len(printed) > 1:
        named = " and ".join(printed[:2])
        raise click.BadParameter(
            f"{named} cannot both go to standard output; pass a file for one, such as "
            f"{printed[1]}=FILE."
        )
    files = [output.file for output in outputs if output.file]
    for number, file in enumerate(files):
        if file in files[:number]:
            raise click.BadParameter(f"{file} is named twice.")
    return outputs
