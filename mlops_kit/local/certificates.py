"""The local certificate authority and the server certificate that lets unmodified SDKs trust the control plane."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.files import write_private
from mlops_kit.local.settings import DOMAIN, SCHEMA_HOST, LocalSettings

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
LEAF_DAYS = 800  # the longest that macOS accepts from a private authority is 825
_VALID = "valid"  # the file that says from when to when, in seconds of Unix time
_NAMES = ("localhost", f"*.{DOMAIN}", f"*.blob.core.{DOMAIN}", f"*.dfs.core.{DOMAIN}", f"*.api.{DOMAIN}", SCHEMA_HOST)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of the local certificate authority and of the server certificate that it signed; all are mode 0600."""

    authority: Path
    chain: Path  # the server certificate, then the authority
    key: Path
    bundle: Path  # the certificates that were trusted before, and the authority


def certificate(settings: LocalSettings, environ: Mapping[str, str] = os.environ) -> Certificate:
    """Return the certificate of a state folder; create it where it is missing, damaged, or not valid now and tomorrow.

    The bundle always holds what ``environ`` names as trusted (else certifi's list), so that hosts passed through
    by the router are trusted exactly as before.
    """
    folder = settings.certificates
    files = Certificate(*(folder / name for name in ("authority.pem", "chain.pem", "key.pem", "bundle.pem")))
    if not (_is_current(folder / _VALID) and _is_whole(files)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _issue(files, folder / _VALID)
    bundle = _trusted_before(files.bundle, environ) + b"\n" + files.authority.read_bytes()
    if not files.bundle.exists() or files.bundle.read_bytes() != bundle:
        write_private(files.bundle, bundle)
    return files


def _is_current(valid: Path) -> bool:
    """Say whether now lies within the recorded time, by a day: a clock that was set back is before its beginning."""
    try:
        begins, ends = map(float, valid.read_text(encoding="ascii").split())
    except (FileNotFoundError, ValueError):
        return False
    return begins < time.time() < ends - 24 * 3600


def _is_whole(files: Certificate) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.chain, files.key)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files.authority)
    except OSError:  # ssl.SSLError is one
        return False
    return True


def _trusted_before(own: Path, environ: Mapping[str, str]) -> bytes:
    for name in BUNDLE_VARIABLES:
        path = Path(environ.get(name) or os.devnull)
        if path.is_file() and path.resolve() != own.resolve():
            return path.read_bytes()
    import certifi

    return Path(certifi.where()).read_bytes()


def _issue(files: Certificate, valid: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    leaf = _leaf(authority, authority_key, leaf_key)
    pem = serialization.Encoding.PEM
    write_private(files.authority, authority.public_bytes(pem))
    write_private(files.chain, leaf.public_bytes(pem) + authority.public_bytes(pem))
    plain = serialization.NoEncryption()
    write_private(files.key, leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    # Written last: a start that was killed half-way issues again. The authority's key is not kept at all.
    times = (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    write_private(valid, " ".join(str(time.timestamp()) for time in times).encode())


def _named(text: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _unsigned(subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=LEAF_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    subject = "mlops_kit local control plane"
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        _unsigned(subject, _named(subject), key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    names = [*map(x509.DNSName, _NAMES), x509.IPAddress(ip_address("127.0.0.1"))]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _unsigned("localhost", authority.subject, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
