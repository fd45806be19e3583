"""Which certificates are trusted, and what is wrong where TLS fails for good."""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import httpx

from ..errors import TrayportConfigurationError

FILE, DIRECTORY, KEY_LOG = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"
TRUST = (
    "if a proxy of your company opens the connection, name the certificate of its authority in "
    "the variable SSL_CERT_FILE or SSL_CERT_DIR"
)
ADDRESS = "check the scheme, the host and the port of {address}"
CLOCK = "check the clock of this machine; if it is right, whoever runs the host must renew it"
# By the number that OpenSSL gives what is wrong with a certificate.
NOT_YET_VALID, EXPIRED, WRONG_NAME, WRONG_ADDRESS = 9, 10, 62, 64
# What OpenSSL says where both sides speak well but will never agree. The rest may be a disturbance.
PERMANENT = re.compile(
    r"VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|APPLICATION_PROTOCOL|CIPHER|CERTIFICATE|"
    r"HANDSHAKE_FAILURE|HTTP_REQUEST|HTTPS_PROXY_REQUEST|UNRECOGNIZED_NAME|UNKNOWN_CA|TOO_SMALL|"
    r"TOO_WEAK|INSUFFICIENT_SECURITY|LEGACY_RENEGOTIATION|ACCESS_DENIED|PACKET_LENGTH_TOO_LONG|"
    r"RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE|UNSUPPORTED_EXTENSION|MISSING_EXTENSION"
)
# Of these, what it says of an answer in plain text.
NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH|RECORD_LAYER")
# How OpenSSL looks a certificate up in a directory: by a hash of its subject.
HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def is_permanent(error: ssl.SSLError) -> bool:
    """Whether another attempt would end in the same way."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    return PERMANENT.search(error.reason or "") is not None


def wants_certificate(error: ssl.SSLError) -> bool:
    """Whether the other side refuses us for the certificate that we have, or have not."""
    return "_ALERT_" in (error.reason or "") and "CERTIFICATE" in error.reason


def explained(error: ssl.SSLError, host: str, address: str) -> TrayportConfigurationError:
    """The error for a connection that will never be made.

    Args:
        error: What OpenSSL says.
        host: What was connected to.
        address: Where the address comes from, such as a variable.
    """
    where = ADDRESS.format(address=address)
    if not isinstance(error, ssl.SSLCertVerificationError):
        if NO_TLS.search(error.reason or ""):
            what = f"{host} does not speak TLS on this port"
            where += ": an address with https needs a port that speaks TLS"
        else:
            what = f"{host} and this machine agree on no way to speak TLS"
            where += ", and what it demands of clients"
        return TrayportConfigurationError(f"{what} ({error})", suggestion=where)
    named = [f"{name}={os.environ[name]}" for name in (FILE, DIRECTORY) if os.environ.get(name)]
    by = named[0] if named else "the bundle of certifi, as SSL_CERT_FILE is not set"
    advice = TRUST
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        advice = CLOCK
    elif error.verify_code in (WRONG_NAME, WRONG_ADDRESS):
        advice = where
    return TrayportConfigurationError(
        f"the certificate of {host} is not accepted by {by}: {error.verify_message} ({error})",
        suggestion=advice,
    )


def context(*, http2: bool = False) -> ssl.SSLContext:
    """What is trusted: the file or directory of a variable, or the bundle of certifi.

    A file is read again only when it has changed.

    Args:
        http2: Whether connections offer HTTP/2, which httpcore notes in the context.

    Raises:
        TrayportConfigurationError: The variable names nothing that can be used.
    """
    file, directory = os.environ.get(FILE), os.environ.get(DIRECTORY)
    try:
        if directory and not file:
            _check_directory(directory)
            return ssl.create_default_context(capath=directory)
        return _of_file(file, _state(file), http2, os.environ.get(KEY_LOG))
    except OSError as error:
        # Python opens it for every context.
        raise _unusable(KEY_LOG, os.environ.get(KEY_LOG, ""), str(error)) from error


def _state(file: str | None) -> tuple[int, ...]:
    """What changes when a file does."""
    try:
        found = Path(file).stat() if file else None
    except OSError as error:
        raise _unusable(FILE, file or "", _said(error)) from error
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) if found else ()


@lru_cache(maxsize=8)
def _of_file(file: str | None, *_state: object) -> ssl.SSLContext:
    if not file:
        return httpx.create_ssl_context(trust_env=False)
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise _unusable(FILE, file, _said(error)) from error
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        reason = "has no certificate in PEM, or a broken one" if content.strip() else "is empty"
        raise _unusable(FILE, file, reason) from error


def _check_directory(paths: str) -> None:
    """OpenSSL passes over whatever it cannot use, so one good certificate is looked for."""
    reason = "has no certificate under the hash of its name"
    for path in paths.split(os.pathsep):
        try:
            names = [entry for entry in Path(path).iterdir() if HASHED.fullmatch(entry.name)]
        except OSError as error:
            reason = _said(error)
            continue
        for name in names:
            with suppress(OSError):
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=name)
                return
    raise _unusable(DIRECTORY, paths, reason)


def _said(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def _unusable(variable: str, path: str, reason: str) -> TrayportConfigurationError:
    advice = {
        FILE: "name a file of certificates in PEM, or unset the variable for those of certifi",
        DIRECTORY: "name a directory of certificates in PEM, run `openssl rehash` on it, or unset "
        "the variable for those of certifi",
        KEY_LOG: "name a file that can be written, or unset the variable",
    }[variable]
    return TrayportConfigurationError(
        f"the variable {variable} is {path!r}, which {reason}", suggestion=advice
    )
