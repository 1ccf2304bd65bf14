"""A small OpenID provider for tests: discovery, authorization code with PKCE, signed tokens, sign-out.

It checks what a provider must (client, redirect address, verifier, one use of each code), so that a client
which leaves something out is refused; and it can be told to answer wrongly, as an attacker would.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "jingwei", "a-secret-of-the-client-that-is-long-enough"


@dataclass
class Provider:
    """The provider's state. `claims` are those of whoever signs in next; `tamper` changes tokens."""

    back: str = ""
    address: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    signs_with: RSAKey | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    tamper: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    left: list[dict[str, str]] = field(default_factory=list)
    down: bool = False

    def app(self) -> FastAPI:
        """Return the provider as an application."""
        app = FastAPI()
        app.middleware("http")(self._unless_down)
        app.get("/.well-known/openid-configuration")(self._metadata)
        app.get("/keys")(lambda: {"keys": [self.key.as_dict(private=False)]})
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/userinfo")(self._userinfo)
        app.get("/leave")(self._leave)
        return app

    async def _unless_down(self, request: Request, go_on: Any) -> Response:
        return Response(status_code=500) if self.down else await go_on(request)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "end_session_endpoint": f"{self.address}/leave",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        if {name: asked.get(name) for name in wanted} != wanted or asked["redirect_uri"] != self.back:
            return JSONResponse({"error": "invalid_request"}, 400)
        if not asked.get("nonce") or not asked.get("state") or "openid" not in asked["scope"].split():
            return JSONResponse({"error": "invalid_request"}, 400)
        if not self.claims:
            return RedirectResponse(
                f"{self.back}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
            )
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        told = {"code": code, "state": asked["state"], "iss": self.address}
        return RedirectResponse(f"{self.back}?{urlencode(told)}")

    def _token(
        self,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        grant_type: Annotated[str, Form()],
        authorization: Annotated[str, Header()],
    ) -> Response:
        asked = self.codes.pop(code, None)
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        )
        if (
            asked is None
            or client != f"{CLIENT}:{SECRET}"
            or asked["code_challenge"] != challenge
            or redirect_uri != self.back
            or grant_type != "authorization_code"
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **self.tamper,
        }
        key = self.signs_with or self.key
        id_token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        return JSONResponse({"access_token": "of no use here", "token_type": "Bearer", "id_token": id_token})

    def _userinfo(self) -> dict[str, Any]:
        return {**self.claims, "groups": ["from-userinfo"]}

    def _leave(self, request: Request) -> Response:
        self.left.append(dict(request.query_params))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])
