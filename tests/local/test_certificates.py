"""The certificate against a real TLS handshake, and what the bundle holds."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import certifi
import pytest

from mlops_kit.local import certificates
from mlops_kit.local.settings import LocalSettings


def _handshake(files: certificates.Certificate, host: str) -> None:
    """Complete a TLS handshake in memory, with the client trusting only the local authority."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):
        for end in waiting[:]:
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert not waiting


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "management.mlops.test",
        "devstoreaccount1.blob.core.mlops.test",
        "devstoreaccount1.dfs.core.mlops.test",
        "azuremlschemasprod.azureedge.net",
    ],
)
def test_the_certificate_is_trusted_for(host: str, tmp_path: Path) -> None:
    _handshake(certificates.certificate(LocalSettings(tmp_path), {}), host)


def test_the_certificate_is_not_trusted_for_other_hosts(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(certificates.certificate(LocalSettings(tmp_path), {}), "management.azure.com")


def test_the_certificate_is_private_and_kept(tmp_path: Path) -> None:
    first = certificates.certificate(LocalSettings(tmp_path), {})
    content = first.key.read_bytes()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.joinpath("certificates").iterdir()} == {0o600}
    assert certificates.certificate(LocalSettings(tmp_path), {}).key.read_bytes() == content


_DAY = 24 * 3600


@pytest.mark.parametrize("days", [(-900, -100), (-700, 0.5), (10, 810)], ids=["expired", "expiring", "clock set back"])
def test_a_certificate_that_is_not_valid_now_is_replaced(tmp_path: Path, days: tuple[float, float]) -> None:
    files = certificates.certificate(LocalSettings(tmp_path), {})
    before = files.chain.read_bytes()
    times = " ".join(str(time.time() + day * _DAY) for day in days)
    (tmp_path / "certificates" / "valid").write_text(times)
    files = certificates.certificate(LocalSettings(tmp_path), {})
    assert files.chain.read_bytes() != before
    assert files.authority.read_bytes() in files.bundle.read_bytes()
    _handshake(files, "localhost")


@pytest.mark.parametrize("name", ["authority.pem", "chain.pem", "key.pem", "valid"])
@pytest.mark.parametrize("content", [b"", b"not a certificate\n"])
def test_a_damaged_certificate_is_replaced(tmp_path: Path, name: str, content: bytes) -> None:
    certificates.certificate(LocalSettings(tmp_path), {})
    (tmp_path / "certificates" / name).write_bytes(content)
    _handshake(certificates.certificate(LocalSettings(tmp_path), {}), "localhost")


def test_the_bundle_keeps_what_was_trusted_before(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path / "state")
    files = certificates.certificate(settings, {})
    assert files.bundle.read_bytes().startswith(Path(certifi.where()).read_bytes())
    own = tmp_path / "company.pem"
    own.write_text("# the company's authority\n")
    bundle = certificates.certificate(settings, {"SSL_CERT_FILE": str(own)}).bundle.read_bytes()
    assert bundle.startswith(b"# the company's authority\n")
    assert files.authority.read_bytes() in bundle


def test_our_own_bundle_is_not_taken_for_the_users(tmp_path: Path) -> None:
    files = certificates.certificate(LocalSettings(tmp_path), {})
    before = files.bundle.read_bytes()
    again = certificates.certificate(LocalSettings(tmp_path), {"REQUESTS_CA_BUNDLE": str(files.bundle)})
    assert again.bundle.read_bytes() == before
