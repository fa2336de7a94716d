# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may open the page, and what its answers tell the browser to forbid. Knows neither ROS nor the web server."""
from __future__ import annotations

import hmac
import ipaddress
import secrets
from typing import Optional
from urllib.parse import urlsplit

HEADERS = {
    'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
                               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
    'Server': 'fanet_ros',
}
COOKIE_AGE_S = 30 * 24 * 3600


class Access:
    """The rules of one server.

    On loopback whoever is on this machine may look, and the Host header must name this machine: a page of another site whose
    name was made to point here (DNS rebinding) carries that site's name. On any other address the token decides.

    :param is_local: the server listens on loopback only
    :param token: '' for a new one
    """

    def __init__(self, is_local: bool, token: str = '') -> None:
        self._is_local = is_local
        self.token = '' if is_local else token or secrets.token_urlsafe(24)

    def refusal(self, host: Optional[str], origin: Optional[str], given: Optional[str]) -> Optional[tuple[int, str]]:
        """HTTP status and reason why a request is refused; None: it is answered.

        :param host: header Host, `origin`: header Origin, `given`: the token that came with the request; None: there is none
        """
        if not host:
            return 400, 'the request names no host'
        if self._is_local:
            if not names_this_machine(host):
                return 421, 'this dashboard is open to this machine alone: use http://localhost, or an ssh tunnel'
        elif not hmac.compare_digest((given or '').encode(errors='replace'), self.token.encode()):
            return 401, 'this dashboard opens by its link with the token, which it printed where it was started'
        if origin is not None and not is_same_origin(origin, host):
            return 403, 'another site may not talk to this dashboard'
        return None


def names_this_machine(host: str) -> bool:
    """Whether a Host header, with or without port, is localhost or a loopback address; the port is free, for ssh -L."""
    try:
        name = urlsplit(f'//{host}').hostname or ''
        return '@' not in host and (name == 'localhost' or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header belongs to the very host and port that was asked."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ('http', 'https') and parts.netloc.lower() == host.lower()
