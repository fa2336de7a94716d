# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Access control and security headers of the dashboard, independent of ROS and the web server."""
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
    """Decides which requests one server answers.

    On loopback every local user has access, but the Host header must name this machine: after DNS rebinding, a foreign page
    still sends its own host name. On any other address a token is required.

    :param is_local: whether the server listens on loopback only
    :param token: secret to require; '' to generate one
    """

    def __init__(self, is_local: bool, token: str = '') -> None:
        self._is_local = is_local
        self.token = '' if is_local else token or secrets.token_urlsafe(24)

    def refusal(self, host: Optional[str], origin: Optional[str], given: Optional[str]) -> Optional[tuple[int, str]]:
        """HTTP status and reason for refusing a request, or None to answer it.

        :param host: Host header, None if missing
        :param origin: Origin header, None if missing
        :param given: token sent with the request, None if missing
        """
        if not host:
            return 400, 'the request has no Host header'
        if self._is_local:
            if not names_this_machine(host):
                return 421, 'this dashboard accepts only local connections: use http://localhost or an ssh tunnel'
        elif not hmac.compare_digest((given or '').encode(errors='replace'), self.token.encode()):
            return 401, 'this dashboard needs the link with the token, which was printed in the terminal where it was started'
        if origin is not None and not is_same_origin(origin, host):
            return 403, 'requests from other sites are refused'
        return None


def names_this_machine(host: str) -> bool:
    """Whether a Host header is localhost or a loopback address, with any port or none (ssh -L may use another port)."""
    try:
        name = urlsplit(f'//{host}').hostname or ''
        return '@' not in host and (name == 'localhost' or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header has the host and port of the Host header."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ('http', 'https') and parts.netloc.lower() == host.lower()
