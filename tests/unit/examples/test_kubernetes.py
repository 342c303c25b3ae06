"""The job for Kubernetes runs without privileges, and gets its token as a file."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.main import run as run_command
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.tasks_file import load_state
from tests.unit.docs.pages import ROOT, page

EXAMPLES = ROOT / "examples"


@pytest.fixture
def job() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(page("examples/ci/kubernetes-cronjob.yaml"))
    return content


def get_pod(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return pod


def test_the_container_can_do_little(job: dict[str, Any]):
    pod = get_pod(job)
    (container,) = pod["containers"]

    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_token_is_a_file_that_others_cannot_read(job: dict[str, Any]):
    pod = get_pod(job)
    (container,), (volume,) = pod["containers"], pod["volumes"]
    (mount,) = container["volumeMounts"]
    names = {one["name"]: one["value"] for one in container["env"]}

    assert set(names) == {"LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY_FILE"}
    assert mount["name"] == volume["name"]
    assert mount["readOnly"] is True
    assert Path(names["LABEL_STUDIO_API_KEY_FILE"]).parent == Path(mount["mountPath"])
    assert not volume["secret"]["defaultMode"] & stat.S_IRWXO


def test_it_fails_if_a_task_is_not_as_declared(
    job: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (container,) = get_pod(job)["containers"]
    manifests, token = tmp_path / "manifests", tmp_path / "api-key"
    manifests.mkdir()
    token.write_text(SANDBOX_TOKEN, encoding="utf-8")
    token.chmod(0o400)
    state = load_state(EXAMPLES / "sandbox.json")
    with serve(state) as url, monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv("LABEL_STUDIO_URL", url)
        patch.setenv("LABEL_STUDIO_API_KEY_FILE", str(token))
        codes = []
        for overlap in (1, 2):
            text = f"version: 1\nproject: 7\ntasks: [{{id: 101, overlap: {overlap}}}]\n"
            (manifests / "tasks.yaml").write_text(text, encoding="utf-8")
            codes.append(run_command(container["args"]))

    assert codes == [0, 2]
    assert state.requests("PATCH") == 0
