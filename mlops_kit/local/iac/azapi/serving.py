"""Bring the provider and Terraform together: attached to a running server, or started by Terraform as a plugin."""

from __future__ import annotations

import base64
import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from tf.gen import tfplugin_pb2_grpc

from mlops_kit.local.iac.azapi.provider import Provider

ADDRESS = "registry.terraform.io/azure/azapi"  # in lower case, or Terraform does not find it
_REATTACH = "TF_REATTACH_PROVIDERS"
_WORKERS = 16  # Terraform walks ten resources at a time
_WATCH_SECONDS = 1
_UNLIMITED = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


@contextmanager
def attach(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Serve the provider in this process; yield ``environ`` for the Terraform commands that are to use it.

    ``environ`` leads to the control plane (see ``mlops_kit.local.supervisor``). Such commands need no mirror, no
    entry in the lock file and no ``terraform init`` for this provider, and all of them share one connection.
    """
    provider = Provider(environ)
    with tempfile.TemporaryDirectory(prefix="azapi-") as folder:  # mode 0700: whoever may connect is us
        server, path = _serve(provider, Path(folder))
        try:
            yield {**environ, _REATTACH: json.dumps({**_others(environ), ADDRESS: _reattach(path)})}
        finally:
            provider.close()
            server.stop(grace=None).wait()


def _others(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(environ.get(_REATTACH) or "{}")
    return found


def _reattach(path: Path) -> dict[str, Any]:
    address = {"Network": "unix", "String": str(path)}
    # "Test" tells Terraform that the process is not its own to end.
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}


def _serve(
    provider: Provider, folder: Path, *more: grpc.GenericRpcHandler, credentials: grpc.ServerCredentials | None = None
) -> tuple[grpc.Server, Path]:
    path = folder / "plugin.sock"
    server = grpc.server(ThreadPoolExecutor(_WORKERS, thread_name_prefix="azapi"), options=_UNLIMITED)
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(provider, server)
    server.add_generic_rpc_handlers(more)
    if credentials is None:
        server.add_insecure_port(f"unix:{path}")
    else:
        server.add_secure_port(f"unix:{path}", credentials)
    server.start()
    return server, path


def run_plugin(environ: Mapping[str, str]) -> None:
    """Serve Terraform, which has started this process, until it says that it is done, or is killed.

    The handshake is one line on stdout; Terraform then checks the certificate that the line names (go-plugin,
    docs/internals.md of hashicorp/go-plugin).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to us too, and Terraform says when to stop
    terraform = os.getppid()
    ended = threading.Event()
    provider = Provider(environ)
    with tempfile.TemporaryDirectory(prefix="azapi-") as folder:
        secure = bool(environ.get("PLUGIN_CLIENT_CERT"))
        certificate, credentials = _certificate() if secure else (b"", None)
        server, path = _serve(provider, Path(folder), _controller(ended), credentials=credentials)
        shown = base64.b64encode(certificate).decode().rstrip("=")
        print("|".join(["1", "6", "unix", str(path), "grpc", shown]), flush=True)  # noqa: T201  the handshake
        while not ended.wait(_WATCH_SECONDS) and os.getppid() == terraform:
            pass
        provider.close()
        server.stop(grace=0.5).wait()


def _controller(ended: threading.Event) -> grpc.GenericRpcHandler:
    """Answer go-plugin's request to shut down; without an answer it waits two seconds and kills the process."""

    def shut_down(request: bytes, context: grpc.ServicerContext) -> bytes:
        del request, context
        ended.set()
        return b""

    handlers = {"Shutdown": grpc.unary_unary_rpc_method_handler(shut_down)}
    return grpc.method_handlers_generic_handler("plugin.GRPCController", handlers)


def _certificate() -> tuple[bytes, grpc.ServerCredentials]:
    """Return a certificate for this one run, in DER, and the server's credentials with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair = (secret, made.public_bytes(serialization.Encoding.PEM))
    return made.public_bytes(serialization.Encoding.DER), grpc.ssl_server_credentials([pair])
