"""Where the local control plane lives: its state folder, its host names, and the facts a started instance records."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_kit.files import write_whole

DOMAIN = "mlops.test"  # reserved by RFC 2606: a lost proxy variable fails closed instead of reaching Azure
MANAGEMENT_HOST = f"management.{DOMAIN}"
API_HOST = f"api.{DOMAIN}"
PORTAL_HOST = f"portal.{DOMAIN}"
STORAGE_SUFFIX = f"core.{DOMAIN}"
STORAGE_ACCOUNT = "devstoreaccount1"
# The account key that every Azure storage emulator publishes in its documentation; it protects nothing.
STORAGE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SCHEMA_HOST = "azuremlschemasprod.azureedge.net"  # MLTable registration asks it for a JSON schema

MANAGEMENT_URL = f"https://{MANAGEMENT_HOST}"
API_URL = f"https://{API_HOST}"
PORTAL_URL = f"https://{PORTAL_HOST}"
TENANT = "00000000-0000-0000-0000-0000000000aa"
# What azure-ai-ml derives from the portal URL of the cloud metadata: everything after the second dot.
AML_RESOURCE = "https://ml.azure.test"


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """The three names that address a workspace."""

    subscription: str
    group: str
    name: str

    @property
    def id(self) -> str:
        """Return the ARM resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )


DEFAULT_WORKSPACE = WorkspaceName("00000000-0000-0000-0000-000000000001", "rg-local", "mlw-local")


def typed(verb: str, state: Path) -> str:
    """Return the command that does something with the instance of a state folder, from wherever it is typed."""
    return f"mlops-kit local {verb} --state {shlex.quote(str(state))}"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """How an instance is started. ``state`` is the one folder that holds everything, mode 0700."""

    state: Path
    workspace: WorkspaceName = DEFAULT_WORKSPACE
    computes: tuple[str, ...] = ("cpu-cluster",)
    compute_size: str = "Standard_DS3_v2"
    runner: str = "host"  # host: this interpreter; venv: built per environment content
    network: str = "allow"  # allow: jobs and clients may reach hosts other than Azure; deny: loopback only
    quota_bytes: int | None = None  # refuse writes beyond this size of the state folder

    @property
    def database(self) -> Path:
        """Return the SQLite file of the resource store."""
        return self.state / "resources.db"

    @property
    def certificates(self) -> Path:
        """Return the folder of the certificate authority and the server certificate."""
        return self.state / "certificates"

    @property
    def blobs(self) -> Path:
        """Return Azurite's folder."""
        return self.state / "azurite"

    @property
    def runs(self) -> Path:
        """Return the folder with one folder per job."""
        return self.state / "runs"

    @property
    def environments(self) -> Path:
        """Return the folder with one virtual environment per content hash."""
        return self.state / "environments"

    @property
    def tracking(self) -> Path:
        """Return the folder with one MLflow database per workspace."""
        return self.state / "tracking"

    @property
    def logs(self) -> Path:
        """Return the folder of the control plane's own logs."""
        return self.state / "logs"

    @property
    def faults(self) -> Path:
        """Return the file in which a test asks for faults (see ``faults.py``); it need not be there."""
        return self.state / "faults.json"

    @property
    def clock(self) -> Path:
        """Return the file that says how far the clock was moved; it need not be there."""
        return self.state / "clock.json"

    @property
    def instance_file(self) -> Path:
        """Return the file that records the running instance."""
        return self.state / "instance.json"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running control plane, as recorded in ``instance.json``; ports are on 127.0.0.1."""

    pid: int
    born: str  # when the process started (see processes.born), so that a reused pid is not mistaken for it
    https_port: int
    proxy_port: int
    blob_port: int
    identity_secret: str
    network: str = "allow"

    def write(self, path: Path) -> None:
        """Record this instance, readable by its owner only, in one step; a folder that is gone stays gone."""
        write_whole(path, json.dumps(asdict(self), indent=1), 0o600)

    @classmethod
    def read(cls, path: Path) -> Instance | None:
        """Return the recorded instance, or None where none is recorded; what is damaged was not written by us."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
