"""A started control plane per session, and an unmodified SDK client on its default workspace."""

from __future__ import annotations

import tempfile
import textwrap
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_kit.local.settings import MANAGEMENT_URL
from mlops_kit.testing import LocalWorkspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

FINAL = ("Completed", "Failed", "Canceled")


@pytest.fixture(scope="session")
def plane_env(local_workspace: LocalWorkspace) -> dict[str, str]:
    return local_workspace.environment


@pytest.fixture(scope="session")
def ml(local_workspace: LocalWorkspace) -> MLClient:
    return local_workspace.ml_client()


@pytest.fixture(scope="session")
def options(ml: MLClient) -> dict[str, Any]:
    """Return what a client of azure-mgmt-* takes to reach the control plane."""
    return {
        "credential": ml._credential,
        "subscription_id": ml.subscription_id,
        "base_url": MANAGEMENT_URL,
        "credential_scopes": [f"{MANAGEMENT_URL}/.default"],
    }


@pytest.fixture(scope="session")
def arm(options: dict[str, Any]) -> Any:
    """Return an unmodified client of azure-mgmt-resource."""
    from azure.mgmt.resource.resources import ResourceManagementClient

    return ResourceManagementClient(**options)


@dataclass(frozen=True)
class Group:
    """A resource group of one test module, and generic resources in it through azure-mgmt-resource."""

    arm: Any
    id: str

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    def at(self, path: str) -> str:
        """Return the id of ``Namespace/type/name/...`` in this group; what is an id already stays."""
        return path if path.startswith("/") else f"{self.id}/providers/{path}"

    def put(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """Create or replace a resource; ``westeurope`` unless the body has a location."""
        whole = {"location": "westeurope", **(body or {})}
        more = {"headers": {name.replace("_", "-"): value for name, value in headers.items()}} if headers else {}
        return self.arm.resources.begin_create_or_update_by_id(self.at(path), whole, api_version=API, **more).result()

    def patch(self, path: str, change: Mapping[str, Any]) -> Any:
        return self.arm.resources.begin_update_by_id(self.at(path), change, api_version=API).result()

    def get(self, path: str) -> Any:
        return self.arm.resources.get_by_id(self.at(path), api_version=API)

    def there(self, path: str) -> bool:
        return bool(self.arm.resources.check_existence_by_id(self.at(path), api_version=API))

    def delete(self, path: str) -> None:
        self.arm.resources.begin_delete_by_id(self.at(path), api_version=API).result()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that no method of the client makes through its pipeline; 4xx is an answer."""
        from azure.core.rest import HttpRequest

        url = f"{MANAGEMENT_URL}{self.at(path)}"
        url += ("&" if "?" in url else "?") + f"api-version={API}"
        request = HttpRequest(method, url, **({} if body is None else {"json": body}))
        return self.arm._client.send_request(request)

    def list(self, path: str) -> list[dict[str, Any]]:
        """Return what a collection holds."""
        answer = self.send("GET", path)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["value"]
        return found


API = "2024-01-01"  # the control plane routes on the path alone


@pytest.fixture(scope="module")
def group(arm: Any, ml: MLClient) -> Group:
    name = f"rg-{uuid.uuid4().hex[:8]}"
    arm.resource_groups.create_or_update(name, {"location": "westeurope"})
    return Group(arm, f"/subscriptions/{ml.subscription_id}/resourceGroups/{name}")


@dataclass(frozen=True)
class Jobs:
    """Command jobs as a user submits them, and what they left behind."""

    ml: MLClient
    folder: Path

    def submit(self, command: str, files: Mapping[str, str] | None = None, **fields: Any) -> Any:
        """Submit a command; ``files`` are the content of its code folder by name."""
        from azure.ai.ml import command as command_job

        if files is not None:
            code = Path(tempfile.mkdtemp(dir=self.folder))
            for name, text in files.items():
                (code / name).write_text(text, encoding="utf-8")
            fields["code"] = str(code)
        fields = {"environment": "AzureML-minimal@latest", "compute": "cpu-cluster", **fields}
        return self.ml.jobs.create_or_update(command_job(command=command, **fields))

    def wait(self, job: Any, until: Collection[str] = FINAL, seconds: float = 90) -> Any:
        """Wait until a job is in one of the states and return it."""
        name, end = getattr(job, "name", job), time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.ml.jobs.get(name)
            if found.status in until:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{name} is {found.status} after {seconds} s: {self.details(name)}")

    def run(self, command: str, files: Mapping[str, str] | None = None, **fields: Any) -> Any:
        """Submit a command, wait, and return the finished job."""
        return self.wait(self.submit(command, files, **fields))

    def completed(self, command: str, files: Mapping[str, str] | None = None, **fields: Any) -> Any:
        """Run a command that must complete."""
        job = self.run(command, files, **fields)
        assert job.status == "Completed", self.error(job)
        return job

    def details(self, name: str) -> Any:
        """Return the details of a run, as the SDK reads them."""
        return self.ml.jobs._runs_operations.get_run_details(name)

    def error(self, job: Any) -> str:
        """Return the reason why a job did not complete."""
        error = self.details(job.name).error
        return str(error.error.message) if error else ""

    def left(self, job: Any) -> dict[str, Path]:
        """Download everything a job left; return its files by path."""
        target = Path(tempfile.mkdtemp(dir=self.folder))
        self.ml.jobs.download(job.name, download_path=target, all=True)
        return {path.relative_to(target).as_posix(): path for path in sorted(target.rglob("*")) if path.is_file()}

    def log(self, job: Any, name: str = "user_logs/std_log.txt") -> str:
        """Return a log of a finished job."""
        left = self.left(job)
        assert f"artifacts/{name}" in left, (sorted(left), job.status, self.error(job))
        return left[f"artifacts/{name}"].read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def jobs(ml: MLClient, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(ml, tmp_path_factory.mktemp("jobs"))


# Pipelines and sweeps -----------------------------------------------------------------------------------------------

PIPELINE_ENVIRONMENT = "azureml:AzureML-minimal@latest"
WRITE = """\
import sys
from pathlib import Path
words, out = sys.argv[1:-1], Path(sys.argv[-1])
out.mkdir(parents=True, exist_ok=True)
(out / "words.txt").write_text(" ".join(words))
print("wrote", *words)
"""
READ = """\
import sys
from pathlib import Path
print("read", (Path(sys.argv[1]) / "words.txt").read_text())
"""


@dataclass
class Pipelines:
    """Writes jobs as YAML into a folder and submits them; ``token`` makes the steps of a test its own."""

    ml: Any
    folder: Path
    token: str
    write: str = WRITE

    def load(self, text: str) -> Any:
        from azure.ai.ml import load_job

        for name, content in (("write.py", WRITE), ("read.py", READ)):
            (self.folder / "src").mkdir(exist_ok=True)
            (self.folder / "src" / name).write_text(content)
        file = self.folder / f"{uuid.uuid4().hex[:8]}.yml"
        file.write_text(textwrap.dedent(text).replace("TOKEN", self.token).replace("ENVIRONMENT", PIPELINE_ENVIRONMENT))
        job = load_job(file)
        if job.type == "pipeline":
            job.settings.default_compute = job.settings.default_compute or "serverless"
        return job

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(text).replace("ENVIRONMENT", PIPELINE_ENVIRONMENT))

    def run(self, text: str, **changes: Any) -> Any:
        """Submit a pipeline and wait for its end."""
        job = self.load(text)
        for key, value in changes.items():
            setattr(job.settings, key, value)
        return self.wait(self.ml.jobs.create_or_update(job).name)

    def wait(self, name: str) -> Any:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            job = self.ml.jobs.get(name)
            if job.status in FINAL:
                return job
            time.sleep(0.05)
        raise AssertionError(f"{name} is {job.status}")

    def steps(self, job: Any) -> dict[str, Any]:
        """Return the children of a job by the names of their steps."""
        found = (self.ml.jobs.get(child.name) for child in self.ml.jobs.list(parent_job_name=job.name))
        return {child.display_name: child for child in found}

    def error(self, job: Any) -> str:
        details = self.ml.jobs._runs_operations.get_run_details(job.name)
        return str(details.error.error.message)

    def log(self, job: Any) -> str:
        target = self.folder / f"log-{uuid.uuid4().hex[:8]}"
        self.ml.jobs.download(job.name, download_path=target, all=True)
        return "".join(file.read_text() for file in sorted(target.rglob("std_log.txt")))


@pytest.fixture
def pipelines(ml: Any, tmp_path: Path) -> Pipelines:
    return Pipelines(ml, tmp_path, uuid.uuid4().hex[:8])
