"""What settings redact is in no output of Python, and in every file that is read back."""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
import threading
import traceback
from pathlib import Path

import pytest

import reconciler
from reconciler import ApplyOptions, ManifestError, Manifests, Plan, Refused, Settings
from reconciler.core.redaction import Redaction, RedactionSettings
from reconciler.core.shown_digest import DigestKey
from tests.unit.api.conftest import Server, declare, list_texts

KEY = DigestKey("a key of the tests, not a secret")
TEXTS = RedactionSettings(Redaction((("data", "text"),)), KEY)


@pytest.fixture
def settings(server: Server) -> Settings:
    return server.settings.hide(TEXTS)


@pytest.fixture
def made(settings: Settings) -> Plan:
    return reconciler.plan(declare(1, 2, text="s3cret"), settings)


def test_a_variable_of_the_environment_redacts(server: Server):
    environment = {
        "LABEL_STUDIO_URL": server.settings.url,
        "LABEL_STUDIO_API_KEY": server.settings.token,
        "RECONCILER_REDACT": "data.text",
    }
    settings = Settings.from_environment(environment)
    made = reconciler.plan(declare(1, 1, text="s3cret"), settings)
    assert "s3cret" not in reconciler.render(made)


def test_programs_and_files_have_values_that_nothing_shows(made: Plan):
    assert made.tasks[0].changes[0].after == "s3cret"
    reconciler.write_plan(made, "plan.json")
    assert "s3cret" in Path("plan.json").read_text(encoding="utf-8")
    assert reconciler.read_plan("plan.json") == made
    shown = [
        reconciler.render(made),
        made._repr_html_(),
        repr(made.tasks),
        repr(made.tasks[0].changes),
    ]
    for text in shown:
        assert "s3cret" not in text
    assert "(redacted A)" in shown[0]
    assert "(redacted A)" in shown[1]
    assert "Redacted: data.text" in shown[1]


def test_a_saved_plan_is_redacted_by_paths_or_settings(made: Plan, settings: Settings):
    reconciler.write_plan(made, "plan.json")
    assert "s3cret" in reconciler.read_plan("plan.json")._repr_html_()
    for redact in (settings, ["data.text"], "data"):
        read = reconciler.read_plan("plan.json", redact=redact)
        assert "s3cret" not in read._repr_html_() + reconciler.render(read)
        whole = reconciler.read_plan("plan.json")
        assert "s3cret" not in reconciler.render(whole, redact=redact)
    with pytest.raises(ValueError, match="elements of lists have no path"):
        reconciler.read_plan("plan.json", redact=["data.boxes[0]"])


def test_an_apply_and_its_revert_hide_what_the_plan_hides(made: Plan, server: Server):
    report = reconciler.apply(made, server.settings, report="report.jsonl")
    assert list_texts(server.state)[1] == "s3cret"
    undone = reconciler.revert(report, server.settings)
    assert list_texts(server.state)[1] == "Sentence 1."
    for one in (report, undone):
        assert "s3cret" not in one._repr_html_() + reconciler.render(one, "json")
    assert "s3cret" in Path("report.jsonl").read_text(encoding="utf-8")


def test_what_is_merged_hides_what_any_part_hides(settings: Settings, server: Server):
    declared = declare(1, 20, text="s3cret")
    first = reconciler.plan(declared, settings, shard="1/2")
    second = reconciler.plan(declared, server.settings, shard="2/2")
    merged = reconciler.merge([second, first])
    assert "s3cret" in reconciler.render(second)
    assert "s3cret" not in reconciler.render(merged) + merged._repr_html_()
    reports = [reconciler.apply(one, server.settings) for one in (first, second)]
    assert "s3cret" not in reconciler.render(reconciler.merge(reports))


def test_the_digest_is_signed_and_its_key_goes_into_no_pickle(made: Plan, settings: Settings):
    signed = KEY.sign(made.digest)
    assert signed in reconciler.render(made)
    assert signed in made._repr_html_()
    with pytest.raises(Refused) as refused:
        reconciler.apply(made, settings, options=ApplyOptions(expected_digest="sha256:0"))
    assert signed in str(refused.value)
    assert made.digest not in reconciler.render(made) + made._repr_html_() + str(refused.value)
    pickled = pickle.dumps(made)
    assert b"key of the tests" not in pickled
    copy = pickle.loads(pickled)  # noqa: S301 - made here
    assert "Digest: not shown" in reconciler.render(copy)
    assert "s3cret" not in reconciler.render(copy)
    options = ApplyOptions(expected_digest=signed)
    assert reconciler.apply(copy, settings, options=options).is_good


def test_errors_keep_their_type_and_show_no_value_in_their_traceback(settings: Settings):
    tasks = [{"id": 1, "data": {"text": {1: "s3cret"}}}]
    with pytest.raises(ManifestError) as refused:
        Manifests.from_tasks(tasks, redact=settings)
    assert "data.text: the problem is not shown" in str(refused.value)
    declared = declare(1, 2)
    with pytest.raises(Refused) as none_fits:
        reconciler.plan(declared, settings, targets=["key:s3cret"])
    assert "no declared task or rule fits" in none_fits.value.message
    for error in (refused.value, none_fits.value):
        shown = "".join(traceback.format_exception(error)).replace('"key:s3cret"', "")
        assert "s3cret" not in shown
        assert type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - made here


def test_lines_that_an_interrupted_report_lacks_are_saved_and_not_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = reconciler.plan(declare(1, 20, text="s3cret"), settings)
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    once = threading.Event()

    def hang_up(_: object) -> None:
        if not once.is_set():
            once.set()
            os.close(reader)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as interrupted:
        reconciler.apply(made, settings, report="pipe", on_outcome=hang_up)
    notes = "\n".join(interrupted.value.__notes__)
    assert "s3cret" not in notes
    (saved,) = tmp_path.glob("reconciler-report-*")
    assert str(saved) in notes
    assert '"summary"' in saved.read_text(encoding="utf-8")
    assert saved.stat().st_mode & 0o777 == 0o600
