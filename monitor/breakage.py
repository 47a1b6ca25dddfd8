"""What broke a connection: aiohttp's exceptions as httpx's, each of the true kind and with its true cause."""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from monitor.phases import Phases

BROKEN = (aiohttp.ClientError, HttpProcessingError, OSError)
"""Whatever aiohttp raises for trouble of the network or of the other end; all else is a mistake of ours."""


def true_kind(error: Exception, phases: Phases, host: str) -> httpx.TransportError:
    """The httpx exception that says what happened. Its ``__cause__`` is a ``socket.gaierror`` for DNS, an
    ``ssl.SSLError`` for TLS, ``EOFError`` where the other end closed before its time, the system's own error else.

    Its text is for people and quotes nothing of the request or the reply, which may hold secrets.
    """
    cause = _cause(error, phases)
    kind = _kind(error, cause, phases, host)
    kind.__cause__ = cause
    return kind


def _kind(error: Exception, cause: BaseException, phases: Phases, host: str) -> httpx.TransportError:
    match error:
        case aiohttp.ConnectionTimeoutError() if phases.unfinished("queued"):
            return httpx.PoolTimeout("no connection of our own was free in time")
        case aiohttp.ConnectionTimeoutError() if not isinstance(cause, socket.gaierror):
            step = "the TLS handshake with" if phases.unfinished("tls") else "a connection to"
            return httpx.ConnectTimeout(f"{step} {host} took too long")
        case aiohttp.ClientConnectorError() if isinstance(cause, TimeoutError):
            return httpx.ConnectTimeout(f"a connection to {host} took too long")
        case aiohttp.ClientConnectorError() | aiohttp.ClientSSLError() | aiohttp.ConnectionTimeoutError():
            return httpx.ConnectError(_why_not_connected(cause, host))
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout(f"{host} sent nothing for too long")
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError(f"{host} closed the connection without an answer")
        case aiohttp.ClientPayloadError() if isinstance(cause, EOFError):
            return httpx.RemoteProtocolError(f"{host} closed the connection before the end of its answer")
        case aiohttp.ClientResponseError() | HttpProcessingError() | aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError(f"{host} answered with something that is not HTTP")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol("the URL cannot be used")
        case OSError():
            return httpx.ReadError(f"the connection to {host} broke: {_words(error)}")
    return httpx.ReadError(f"the exchange with {host} broke ({type(error).__name__})")


def _cause(error: Exception, phases: Phases) -> BaseException:
    match error:
        case aiohttp.ConnectionTimeoutError() if phases.unfinished("dns"):
            return socket.gaierror(socket.EAI_AGAIN, "the resolver did not answer in time")
        case aiohttp.ClientConnectorDNSError() if not isinstance(error.os_error, socket.gaierror):
            return socket.gaierror(socket.EAI_FAIL, str(error.os_error))
        case aiohttp.ClientConnectorError() if phases.unfinished("tls") and not isinstance(error, ssl.SSLError):
            return ssl.SSLError("the connection was closed during the handshake")
        case aiohttp.ClientConnectorError() | aiohttp.ClientSSLError():
            return error.__cause__ or error
        case aiohttp.ServerDisconnectedError():
            return EOFError("closed without an answer")
        case aiohttp.ClientPayloadError() if str(error).startswith("Response payload is not completed"):
            return EOFError("closed before the end")
    return error


def _why_not_connected(cause: BaseException, host: str) -> str:
    match cause:
        case socket.gaierror():
            return f"{host} cannot be resolved: {(cause.strerror or str(cause)).lower()}"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {host} is not good: {cause.verify_message}"
        case ssl.SSLError():
            reason = getattr(cause, "reason", None) or str(cause)  # only OpenSSL's own errors have one
            return f"no TLS with {host}: {reason.replace('_', ' ').lower()}"
        case ConnectionRefusedError():
            return f"{host} refused the connection"
        case OSError():
            return f"{host} cannot be reached: {_words(cause)}"
    return f"{host} cannot be reached"


def _words(error: OSError) -> str:
    """The system's own: what asyncio words for several addresses at once is a page long."""
    return os.strerror(error.errno).lower() if error.errno else "closed by the other end"
