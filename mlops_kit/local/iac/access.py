"""Where the local control plane is and how its tokens are had, as the variables of ``mlops-kit local env`` say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mlops_kit.local.iac.refusals import Refusal
from mlops_kit.local.settings import DOMAIN

_NEEDED = ("ARM_CLOUD_METADATA_URL", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")


@dataclass(frozen=True, slots=True)
class Access:
    """A way to a control plane. ``endpoint`` is its URL, ``proxy`` leads there, ``authorities`` is a PEM file."""

    endpoint: str
    token_url: str
    token_secret: str = field(repr=False)
    subscription: str = ""
    proxy: str = ""
    authorities: str = ""


def access(environ: Mapping[str, str]) -> Access:
    """Return the way that an environment describes; refuse one that leads anywhere but to this machine."""
    missing = [name for name in _NEEDED if not environ.get(name)]
    if missing:
        detail = (
            f"{', '.join(missing)} is not set. This is the stand-in of the azapi provider, which speaks with the local"
            " control plane only: start it with 'mlops-kit local start' and run Terraform under"
            " 'mlops-kit local exec --'."
        )
        raise Refusal("No local control plane", detail)
    url = urlsplit(environ["ARM_CLOUD_METADATA_URL"])
    host = url.hostname or ""
    if host not in {"127.0.0.1", "localhost"} and not host.endswith(f".{DOMAIN}"):
        detail = f"ARM_CLOUD_METADATA_URL names {host}; the stand-in of the azapi provider never speaks with Azure."
        raise Refusal("Not a local control plane", detail)
    return Access(
        endpoint=f"{url.scheme}://{url.netloc}",
        token_url=environ["IDENTITY_ENDPOINT"],
        token_secret=environ["IDENTITY_HEADER"],
        subscription=environ.get("ARM_SUBSCRIPTION_ID") or environ.get("AZUREML_ARM_SUBSCRIPTION", ""),
        proxy=environ.get("https_proxy") or environ.get("HTTPS_PROXY", ""),
        authorities=environ.get("SSL_CERT_FILE", ""),
    )
