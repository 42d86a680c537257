from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import certifi
import httpx
import pytest
from cryptography import x509

from foundry_emulator.testing import LocalAzure
from foundry_emulator.tls import certificates

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def test_certificates_are_made_once_and_renewed_before_they_expire(tmp_path: Path) -> None:
    first = certificates(tmp_path, NOW)
    chain, ca = first.chain.read_bytes(), (tmp_path / "ca.pem").read_bytes()
    certificates(tmp_path, NOW + dt.timedelta(days=300))
    assert first.chain.read_bytes() == chain
    certificates(tmp_path, NOW + dt.timedelta(days=380))
    assert first.chain.read_bytes() != chain
    assert (tmp_path / "ca.pem").read_bytes() == ca


def test_the_bundle_holds_the_public_authorities_and_the_local_one(tmp_path: Path) -> None:
    made = certificates(tmp_path, NOW)
    bundle = made.ca_bundle.read_bytes()
    assert bundle.startswith(Path(certifi.where()).read_bytes())
    assert (tmp_path / "ca.pem").read_bytes() in bundle
    ssl.create_default_context(cafile=made.ca_bundle)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    certificates(tmp_path, NOW)
    for name in ("ca-key.pem", "server-key.pem"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_the_authority_may_sign_for_this_machine_only(tmp_path: Path) -> None:
    certificates(tmp_path, NOW)
    ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(name.value) for name in constraints.value.permitted_subtrees or []] == [
        "localhost",
        "127.0.0.1/32",
        "::1/128",
    ]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_clients_that_trust_the_authority_accept_the_server_by_name_and_address(azure: LocalAzure, name: str) -> None:
    url = azure.data_plane.replace("localhost", name)
    answer = httpx.get(f"{url}/metadata/endpoints", verify=azure.trust(), trust_env=False)
    assert answer.status_code == 200
    assert answer.json()[0]["name"] == "LocalAzure"


def test_clients_that_do_not_trust_it_refuse_the_server(azure: LocalAzure) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(azure.data_plane, trust_env=False)
