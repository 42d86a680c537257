"""A certificate authority for this folder only, and the server certificate that it signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS, _SERVER_DAYS = 3650, 397
_RENEW_DAYS = 30
_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the certificates are.

    Attributes:
        chain: The server's certificate.
        key: Its private key.
        ca_bundle: Public authorities and the local one; for ``SSL_CERT_FILE`` and ``REQUESTS_CA_BUNDLE``.
    """

    chain: Path
    key: Path
    ca_bundle: Path


def certificates(folder: Path, now: dt.datetime) -> Certificates:
    """Return the certificates below ``folder``; create those that are missing or about to expire at ``now``.

    The authority may only sign for this machine's loopback names, which limits what trusting it can cost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, ca_key_file = folder / "ca.pem", folder / "ca-key.pem"
    found = Certificates(folder / "server.pem", folder / "server-key.pem", folder / "ca-bundle.pem")
    fresh_ca = not _good(ca_file, now) or not ca_key_file.is_file()
    if fresh_ca:
        ca_key = _new_key(ca_key_file)
        ca = _ca(ca_key, now)
        ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    if fresh_ca or not _good(found.chain, now) or not found.key.is_file():
        signer = serialization.load_pem_private_key(ca_key_file.read_bytes(), password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{ca_key_file} is not an elliptic curve key; delete {folder} to create a new one")
        ca = x509.load_pem_x509_certificate(ca_file.read_bytes())
        server = _server(_new_key(found.key), signer, ca, now)
        found.chain.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    bundle = Path(certifi.where()).read_bytes() + b"\n" + ca_file.read_bytes()
    if not found.ca_bundle.is_file() or found.ca_bundle.read_bytes() != bundle:
        found.ca_bundle.write_bytes(bundle)
    return found


def _good(path: Path, now: dt.datetime) -> bool:
    if not path.is_file():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - now > dt.timedelta(days=_RENEW_DAYS)


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key


def _ca(key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foundry-emulator local authority")])
    permitted: list[x509.GeneralName] = [x509.DNSName(text) for text in _NAMES]
    permitted += [x509.IPAddress(ipaddress.ip_network(text)) for text in _ADDRESSES]
    return (
        _builder(name, name, key, now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    now: dt.datetime,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName(text) for text in _NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _ADDRESSES]
    return (
        _builder(name, ca.subject, key, now, _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
