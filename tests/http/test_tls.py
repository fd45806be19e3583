"""Which certificates are trusted, as the variables of the surroundings say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from tests.http.peers import Certificates, peer
from trayport_sdk import TrayportClient, TrayportConfigurationError
from trayport_sdk.http import tls

ADVICE = "unset the variable"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def unfit(tmp_path: Path, certificates: Certificates) -> Path:
    """A directory of what cannot be used."""
    pem = certificates.authority.read_bytes()
    for name, content in {
        "empty": b"",
        "blank": b" \n",
        "text": b"no certificate",
        "cut": pem[: len(pem) // 2],
        "key": certificates.key.read_bytes(),
        "der": load_pem_x509_certificate(pem).public_bytes(Encoding.DER),
        "under/no/hash.pem": pem,
        "hashed/0a1b2c3d.0": b"no certificate",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "in-a-circle").symlink_to(tmp_path / "in-a-circle")
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "name", "reason"),
    [
        ("SSL_CERT_FILE", "gone", "cannot be read: No such file"),
        ("SSL_CERT_FILE", "under", "cannot be read: Is a directory"),
        ("SSL_CERT_FILE", "in-a-circle", "cannot be read: "),
        ("SSL_CERT_FILE", "empty", "is empty"),
        ("SSL_CERT_FILE", "blank", "is empty"),
        ("SSL_CERT_FILE", "text", "has no certificate in PEM"),
        ("SSL_CERT_FILE", "cut", "has no certificate in PEM"),
        ("SSL_CERT_FILE", "key", "has no certificate in PEM"),
        ("SSL_CERT_FILE", "der", "has no certificate in PEM"),
        ("SSL_CERT_DIR", "gone", "cannot be read: No such file"),
        ("SSL_CERT_DIR", "text", "cannot be read: Not a directory"),
        ("SSL_CERT_DIR", "under", "has no certificate under the hash of its name"),
        ("SSL_CERT_DIR", "hashed", "has no certificate under the hash of its name"),
        ("SSLKEYLOGFILE", "gone/away", "No such file"),
    ],
)
def test_what_cannot_be_trusted_is_told_of_when_a_client_is_made(
    variable: str, name: str, reason: str, unfit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, str(unfit / name))
    with pytest.raises(TrayportConfigurationError) as refused:
        TrayportClient("key")
    assert f"the variable {variable} is '{unfit / name}', which " in str(refused.value)
    assert reason in str(refused.value)
    assert ADVICE in refused.value.suggestion


@pytest.mark.parametrize("path", ["{good}", "{gone}:{good}"])
def test_one_certificate_in_one_directory_will_do(
    path: str, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    (tmp_path / "0a1b2c3d.0").symlink_to(certificates.authority)
    monkeypatch.setenv("SSL_CERT_DIR", path.format(good=tmp_path, gone=tmp_path / "gone"))
    TrayportClient("key")


@pytest.mark.anyio
async def test_a_certificate_that_expires_meanwhile_ends_no_connection_and_lets_none_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    context = certificates.for_server()
    async with peer(tls=context) as one, TrayportClient(settings=one.settings()) as client:
        assert await client.reference.get_sequences() == []
        yesterday = datetime.now(UTC) - timedelta(days=1)
        certificates.issue("127.0.0.1", not_after=yesterday).configure_cert(context)
        one.answering.clear()
        going_on = asyncio.create_task(client.reference.get_sequences())
        await one.received(2)
        with pytest.raises(TrayportConfigurationError, match="certificate has expired") as refused:
            await client.reference.get_sequences(1)
        assert "check the clock" in refused.value.suggestion
        one.answering.set()
        assert await going_on == []
        assert await client.reference.get_sequences() == []
        assert one.connections == 1
        certificates.issue("127.0.0.1").configure_cert(context)
        await one.hang_up()
        assert await client.reference.get_sequences() == []


@pytest.mark.anyio
async def test_a_file_of_authorities_that_is_repaired_holds_for_the_next_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    trusted = tmp_path / "trusted.pem"
    trustme.CA().cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with peer(tls=certificates.for_server()) as one:
        async with TrayportClient(settings=one.settings()) as client:
            for _ in range(2):
                with pytest.raises(TrayportConfigurationError, match="SSL_CERT_FILE"):
                    await client.reference.get_sequences()
                trusted.write_bytes(certificates.authority.read_bytes())
        async with TrayportClient(settings=one.settings()) as client:
            assert await client.reference.get_sequences() == []


def test_a_transport_of_the_user_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/gone.pem")
    TrayportClient("key", transport=httpx.MockTransport(lambda _: httpx.Response(200)))


def test_certificates_are_read_once_and_again_when_they_have_changed(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authorities.pem"
    file.write_bytes(certificates.authority.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    first = tls.context()
    assert tls.context() is first
    assert tls.context(http2=True) is not first

    both = file.read_bytes() + Certificates(tmp_path).authority.read_bytes()
    file.write_bytes(both)
    assert len(tls.context().get_ca_certs()) == both.count(b"BEGIN CERTIFICATE") == 2
    file.write_bytes(b"")
    with pytest.raises(TrayportConfigurationError, match="is empty"):
        tls.context()
