"""Start, stop and describe a control plane from outside its process, and say which variables lead programs to it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil
from filelock import FileLock

from mlops_kit.errors import LocalError
from mlops_kit.files import write_whole
from mlops_kit.local import azurite, processes, shortcut
from mlops_kit.local.outside import OUTSIDE, outside
from mlops_kit.local.settings import (
    AML_RESOURCE,
    API_URL,
    MANAGEMENT_URL,
    Instance,
    LocalSettings,
    WorkspaceName,
    typed,
)

START_SECONDS = 90
STOP_SECONDS = 15
# Variables that would lead the SDK away from this control plane. They are removed from the programs that it starts.
REMOVED = (
    "AZUREML_CURRENT_CLOUD", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_USERNAME",
    "AZURE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TOKEN_CREDENTIALS", "AZUREML_DEV_URL_MFE", "MSI_ENDPOINT", "MSI_SECRET",
    "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "ALL_PROXY", "all_proxy", "FTP_PROXY", "ftp_proxy",
)  # fmt: skip
_MARKER = "settings.json"
_LOCK = "start.lock"
_TOKEN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a control plane from outside; ports are on 127.0.0.1, counts are of stored resources by kind."""

    running: bool
    state: Path
    workspace: WorkspaceName
    network: str
    runner: str
    version: str
    azurite: str
    pid: int | None
    https_port: int | None
    proxy_port: int | None
    blob_port: int | None
    counts: dict[str, int]


def start(settings: LocalSettings) -> Instance:
    """Start the control plane of ``settings.state`` and return it once it answers; the one that runs, if one does.

    Two starts at the same time lead to one instance. Raises LocalError where it runs with other settings, and
    where it does not come up, with the end of its log.
    """
    if sys.platform == "win32":
        raise LocalError("the local control plane runs on Linux and macOS; on Windows use it inside WSL")
    _prepare(settings)
    with _locked(settings.state):
        instance = running(settings.state)
        if instance is not None:
            _require_same(read_settings(settings.state), settings)
            return instance
        settings.instance_file.unlink(missing_ok=True)
        write_settings(settings)
        return _launch(settings)


def _prepare(settings: LocalSettings) -> None:
    state = settings.state
    if state.is_dir() and any(state.iterdir()) and not _is_state(state):
        raise LocalError(f"{state} is not empty and is not a state folder of the local control plane")
    with _writing(state):
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        (state / _LOCK).touch()  # first of all: by it another start knows what the folder is
        settings.logs.mkdir(exist_ok=True)
        (state / ".gitignore").write_text("*\n", encoding="ascii")  # keys and data do not belong into a commit


@contextmanager
def _writing(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalError(f"the state folder {state} cannot be written: {error.strerror or error}") from None


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Let one start or stop at a time touch a state folder."""
    lock = FileLock(state / _LOCK)
    with _writing(state):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_state(folder: Path) -> bool:
    marker = folder / _MARKER  # other programs have a file of that name, too
    return (folder / _LOCK).exists() or (marker.is_file() and b'"quota_bytes"' in marker.read_bytes())


def _require_same(present: LocalSettings, wanted: LocalSettings) -> None:
    changed = [
        f"{field.name} is {getattr(present, field.name)!r}, not {getattr(wanted, field.name)!r}"
        for field in fields(LocalSettings)
        if getattr(present, field.name) != getattr(wanted, field.name)
    ]
    if changed:
        stop_first = f"stop it first: {typed('stop', present.state)}"
        what = f"the control plane in {present.state} already runs with other settings"
        raise LocalError(f"{what}: {'; '.join(changed)}; {stop_first}")


def _launch(settings: LocalSettings) -> Instance:
    azurite.installed()  # here, where the user sees that it takes a while the first time
    log = settings.logs / "start.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_kit.local.server", str(settings.state)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.state,
            # Started by a job, it is still no part of that job, and must outlive it.
            env={name: value for name, value in outside(os.environ).items() if name != processes.FOLDER},
            start_new_session=True,
        )
    try:
        return _wait_for(process, settings, log)
    except BaseException:  # the user's Ctrl-C too: what was begun must not go on unseen
        process.terminate()
        raise


def _wait_for(process: subprocess.Popen[bytes], settings: LocalSettings, log: Path) -> Instance:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        instance = Instance.read(settings.instance_file)
        if instance is not None:
            if instance.pid != process.pid:
                process.kill()  # one that was starting already came first; ours only waits for its lock
                process.wait()
            return instance
        if process.poll() is not None:
            raise LocalError(f"the control plane did not start: {_last_lines(log)}")
        time.sleep(0.01)
    raise LocalError(f"the control plane did not answer within {START_SECONDS} seconds: {_last_lines(log)}")


def running(state: Path) -> Instance | None:
    """Return the instance of a state folder if its process lives."""
    instance = Instance.read(state / "instance.json")
    return instance if instance is not None and _process(instance) is not None else None


def _process(instance: Instance) -> psutil.Process | None:
    return processes.living(processes.Started(instance.pid, instance.born))


def stop(state: Path) -> bool:
    """Stop the control plane of a state folder and the Azurite of a killed one; say whether either ran."""
    from mlops_kit.local.azurite.process import stop_recorded, terminate

    if not _is_state(state):
        return False
    with _locked(state):
        instance = Instance.read(state / "instance.json")
        process = _process(instance) if instance else None
        if process is not None:
            terminate(process, STOP_SECONDS)
        else:
            processes.end_marked(LocalSettings(state).runs)  # what a killed one left running
        (state / "instance.json").unlink(missing_ok=True)
        return stop_recorded(state) or process is not None


def reset(state: Path) -> None:
    """Stop the control plane and delete its state folder; refused where the folder is anything else."""
    if not state.exists():
        return
    if not _is_state(state):
        raise LocalError(f"{state} is not a state folder of the local control plane; nothing was deleted")
    stop(state)
    shortcut.remove(state)
    with _writing(state):
        shutil.rmtree(state)


def status(state: Path) -> Status:
    """Describe the control plane of a state folder, running or not."""
    from mlops_kit import __version__

    settings = read_settings(state) if (state / _MARKER).is_file() else LocalSettings(state)
    instance = running(state)
    return Status(
        running=instance is not None,
        state=settings.state,
        workspace=settings.workspace,
        network=settings.network,
        runner=settings.runner,
        version=__version__,
        azurite=azurite.VERSION,
        pid=instance.pid if instance else None,
        https_port=instance.https_port if instance else None,
        proxy_port=instance.proxy_port if instance else None,
        blob_port=instance.blob_port if instance else None,
        counts=_counts(settings.database),
    )


def _counts(database: Path) -> dict[str, int]:
    if not database.is_file():
        return {}
    query = "SELECT collection, count(*) FROM resources WHERE collection LIKE ? AND key NOT LIKE '/deleted/%'"
    query += " GROUP BY collection"
    counts: dict[str, int] = {}
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query, ("%/microsoft.machinelearningservices/%",)).fetchall()
    except sqlite3.DatabaseError as error:
        raise LocalError(unreadable(database, error)) from None
    for collection, count in rows:
        kind = _kind(str(collection))
        counts[kind] = counts.get(kind, 0) + int(count)
    return dict(sorted(counts.items()))


def unreadable(database: Path, error: sqlite3.DatabaseError) -> str:
    """Return the sentence about a resource store that SQLite cannot read."""
    passing = isinstance(error, sqlite3.OperationalError)  # its surroundings are at fault, not its content
    afresh = "" if passing else f"; '{typed('reset', database.parent)}' starts afresh"
    return f"{database} cannot be read: {error}{afresh}"


def _kind(collection: str) -> str:
    """Return ``jobs`` for the collection ``.../workspaces/w/jobs``, ``data/versions`` for ``.../data/d/versions``."""
    segments = collection.split("/")
    return f"{segments[-3]}/{segments[-1]}" if segments[-1] == "versions" else segments[-1]


def read_settings(state: Path) -> LocalSettings:
    """Return the settings with which the control plane of a state folder was last started."""
    try:
        facts = json.loads((state / _MARKER).read_text(encoding="utf-8"))
        workspace = WorkspaceName(**facts.pop("workspace"))
        return LocalSettings(state=state, workspace=workspace, computes=tuple(facts.pop("computes")), **facts)
    except FileNotFoundError:
        raise LocalError(f"{state} is not a state folder of the local control plane") from None
    except (ValueError, TypeError, KeyError) as error:
        raise LocalError(f"{state / _MARKER} was not written by this version of mlops_kit: {error}") from None


def write_settings(settings: LocalSettings) -> None:
    """Record settings in their state folder."""
    facts = asdict(settings)
    del facts["state"]
    write_whole(settings.state / _MARKER, json.dumps(facts, indent=1))


def environment(instance: Instance, settings: LocalSettings) -> dict[str, str]:
    """Return the variables that lead an unmodified program to the control plane; see ``applied`` for what to remove."""
    proxy = f"http://127.0.0.1:{instance.proxy_port}"
    near = "127.0.0.1,localhost"
    bundle = str(settings.certificates / "bundle.pem")
    workspace = settings.workspace
    return {
        "ARM_CLOUD_METADATA_URL": f"{MANAGEMENT_URL}/metadata/endpoints?api-version=2019-05-01",
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{MANAGEMENT_URL}/",
        # Some programs read only the lower-case names, and prefer them.
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), near),
        **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), bundle),
        "IDENTITY_ENDPOINT": f"https://127.0.0.1:{instance.https_port}/msi/token",
        "IDENTITY_HEADER": instance.identity_secret,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription,
        "AZUREML_ARM_RESOURCEGROUP": workspace.group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        # Read when azure.ai.ml is imported: how often, in seconds, it asks for the state of a job.
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "1",
        "MLFLOW_TRACKING_URI": f"{API_URL}/mlflow/v1.0{workspace.id}",
        "MLFLOW_TRACKING_TOKEN": _tracking_token(settings),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # the addresses are those of a page that is not here
        "MLOPS_KIT_LOCAL_STATE": str(settings.state),
    }


def _tracking_token(settings: LocalSettings) -> str:
    from mlops_kit.local.signing import Signer

    secret = (settings.state / "secret").read_bytes()
    return Signer(secret).token(AML_RESOURCE, seconds=_TOKEN_DAYS * 24 * 3600)[0]


def applied(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` for a program that runs against the control plane: ``variables`` set, ``REMOVED`` gone."""
    before = outside(environ)
    kept = {name: value for name, value in before.items() if name not in REMOVED}
    changed = {name: before.get(name) for name in (*variables, *REMOVED) if name in before or name in variables}
    return {**kept, **variables, OUTSIDE: json.dumps(changed)}


def _last_lines(path: Path, count: int = 3) -> str:
    lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or f"{path} is empty"
