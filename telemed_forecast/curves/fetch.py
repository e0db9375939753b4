"""JSON from a public interface: patient with a busy server, brief with a broken one.

What may pass is tried again a few times, ever later: timeouts, dropped connections, answers cut short, "too many
requests" and the server's own errors, and pages that are no JSON (a front door in trouble answers in HTML). What will
not pass (no network, a name that does not exist, a refusal) is told at once, in one message.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from telemed_forecast import __version__
from telemed_forecast.errors import TelemedError

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses of a trouble that may be over in a moment."""

LONGEST_PAUSE = 30.0
"""[seconds] A server that asks for more patience than this gets no more than this."""


class FetchError(TelemedError):
    """An answer could not be had, or is not what it should be; says which and what to do."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait, and how often."""

    attempts: int = 4  # Times that one address is asked before giving up
    timeout: float = 30.0  # [seconds] Silence of the server that counts as no answer
    pause: float = 1.0  # [seconds] Before the second attempt; doubled before each later one


class _Passing(Exception):
    """A trouble that may be over in a moment; `wait` is what the server asks for, in seconds."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def get_json(url: str, patience: Patience) -> Any:
    """Return what an address (http or https; proxies are taken from the environment) answers, parsed."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"{url}: expected an address that begins with https:// or http://")
    pause = patience.pause
    for attempt in range(1, patience.attempts + 1):
        try:
            return _parsed(_body(url, patience.timeout))
        except _Passing as trouble:
            if attempt == patience.attempts:
                tried = f"asked {attempt} times" if attempt > 1 else "asked once"
                raise FetchError(f"{url}: {trouble} ({tried}). Try again later.") from trouble
            time.sleep(min(max(pause, trouble.wait), LONGEST_PAUSE))
            pause *= 2
    raise FetchError(f"{url}: not asked, because {patience.attempts} attempts are allowed")


def _body(url: str, timeout: float) -> bytes:
    """The bytes of an answer with a good status."""
    agent = {"User-Agent": f"telemed-forecast/{__version__}", "Accept": "application/json"}
    request = urllib.request.Request(url, headers=agent)  # noqa: S310 - the scheme was checked
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            told = f"the server answered {error.code} {error.reason}"
            if error.code not in PASSING:
                raise FetchError(f"{url}: {told}. Is the address right?") from error
            wait = error.headers.get("Retry-After") or ""  # a date in it is not worth reading
            raise _Passing(told, float(wait) if wait.isdecimal() else 0.0) from error
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from error
    except TimeoutError as error:
        raise _Passing(f"no answer within {timeout:g} seconds") from error
    except (http.client.HTTPException, OSError) as error:
        raise _Passing(f"the connection broke off ({type(error).__name__})") from error


def _unreachable(url: str, reason: str | BaseException) -> Exception:
    """What it means that no connection came about."""
    host = urllib.parse.urlsplit(url).hostname
    if isinstance(reason, socket.gaierror):
        return FetchError(f"{host} cannot be found ({reason.strerror}). Is this machine online?")
    if isinstance(reason, ssl.SSLCertVerificationError):
        told = reason.verify_message
        return FetchError(f"{host} cannot be trusted ({told}). Are the system's certificates and clock right?")
    return _Passing("no connection in time" if isinstance(reason, TimeoutError) else f"no connection ({reason})")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:  # also bytes that are no text
        start = body[:60].decode("utf-8", errors="replace").strip()
        raise _Passing(f"the answer is not JSON, or is cut short (it begins {start!r})") from error
