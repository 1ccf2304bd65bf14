"""Sign-in through an OpenID provider: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636)."""

from __future__ import annotations

import hmac
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from jingwei.access.errors import SignInError
from jingwei.access.outside import Vouched
from jingwei.access.vault import SealBrokenError
from jingwei.errors import JingweiError
from jingwei.web.gate import CALLBACK, STATE_LASTS
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access.vault import Vault
    from jingwei.city.settings import OidcSettings

log = logging.getLogger(__name__)

ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
"""By public keys only: a token signed with the client's secret, or not at all, proves nothing."""
KNOWN_FOR = 3600.0
"""Seconds for which the provider's description and keys are kept."""
PATIENCE = 10.0
LEEWAY = 60


class ProviderError(JingweiError):
    """The provider cannot be reached, or does not do what it should; the server's log has the particulars."""

    code = "provider-failed"
    status = 502

    def __init__(self) -> None:
        super().__init__(
            Text(
                "统一身份认证服务不可用或应答有误",
                "the sign-in service cannot be reached, or answers wrongly.",
            ),
            mend=Text("请稍后再试，或联系管理员", "Try again later, or tell your administrator."),
        )


class Provider:
    """A provider as the city's settings name it.

    Parameters
    ----------
    settings
        Who it is, and what its claims mean here.
    address
        The city's own address, to which people come back.
    vault
        Seals what a browser carries from the beginning of a sign-in to its end.
    callback
        The path at that address.

    """

    def __init__(self, settings: OidcSettings, address: str, vault: Vault, callback: str = CALLBACK) -> None:
        self.settings = settings
        self.back = address
        self._vault = vault
        self._callback = callback
        self._about = f"oidc {callback}"  # what began at one door does not end at another
        self._guard = threading.Lock()
        self._known: tuple[float, dict[str, Any], KeySet] | None = None

    def begin(self, place: str) -> tuple[str, str]:
        """Return the address that a browser is sent to, and what it must carry until it comes back.

        Parameters
        ----------
        place
            The page of ours to which it is to come in the end.

        """
        metadata, _ = self._provider()
        nonce, verifier = generate_token(32), generate_token(64)
        with self._client() as client:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        carried = [state, nonce, verifier, place, time.time() + STATE_LASTS]
        return url, self._vault.seal(json.dumps(carried), self._about)

    def finish(self, query: Mapping[str, str], carried: str | None) -> tuple[Vouched, str, str]:
        """Return for whom the provider vouches, its identity token, and the page to go to.

        Raises
        ------
        SignInError
            Where the answer belongs to no sign-in that this browser began, or was refused there.
        ProviderError
            Where the token is not what it should be.

        """
        state, nonce, verifier, place, ends = self._carried(carried)
        metadata, _ = self._provider()
        own = hmac.compare_digest(query.get("state", "").encode(), state.encode())
        # RFC 9207: an answer that names another issuer was meant for another.
        if not own or time.time() > ends or query.get("iss", metadata["issuer"]) != metadata["issuer"]:
            raise SignInError
        if "error" in query or "code" not in query:
            log.warning("the OpenID provider refused a sign-in: %r", query.get("error", "")[:80])
            raise SignInError
        try:
            with self._client() as client:
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=query["code"],
                    code_verifier=verifier,
                )
                claims = self._claims(token, nonce, metadata)
                if self.settings.userinfo:
                    claims = self._with_userinfo(client, claims, metadata)
        except (OAuthError, JoseError, httpx2.HTTPError, ValueError, KeyError) as error:
            log.warning("a sign-in by the OpenID provider failed: %s", type(error).__name__)
            raise ProviderError from error
        return self._vouched(claims), str(token["id_token"]), place

    def leave(self, id_token: str | None) -> str | None:
        """Return where a browser signs out at the provider too (RP-Initiated Logout); `None` if nowhere."""
        try:
            metadata, _ = self._provider()
        except ProviderError:
            return None
        if not (endpoint := metadata.get("end_session_endpoint")):
            return None
        told = {"client_id": self.settings.client_id, "post_logout_redirect_uri": f"{self.back}/"}
        return str(add_params_to_uri(endpoint, told | ({"id_token_hint": id_token} if id_token else {})))

    # what the provider says

    def _carried(self, carried: str | None) -> Any:
        try:
            return json.loads(self._vault.unseal(carried or "", self._about))
        except SealBrokenError as error:
            raise SignInError from error

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self.settings.client_id,
            self.settings.secret,
            scope=" ".join(self.settings.scopes),
            redirect_uri=self.back + self._callback,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.settings.secret else "none",
            timeout=PATIENCE,
        )

    def _provider(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """Return the provider's description (OpenID Connect Discovery 1.0) and its keys."""
        with self._guard:
            known = self._known
            if known is not None and not anew and time.monotonic() - known[0] < KNOWN_FOR:
                return known[1], known[2]
            try:
                with httpx2.Client(timeout=PATIENCE) as client:
                    path = "/.well-known/openid-configuration"
                    metadata = client.get(self.settings.issuer.rstrip("/") + path).raise_for_status().json()
                    if metadata["issuer"] != self.settings.issuer:
                        msg = "the provider says that it is another"
                        raise ValueError(msg)  # noqa: TRY301 - told like every other fault of the provider
                    keys = KeySet.import_key_set(client.get(metadata["jwks_uri"]).raise_for_status().json())
            except (httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
                log.warning("the OpenID provider %s failed: %s", self.settings.issuer, type(error).__name__)
                raise ProviderError from error
            self._known = (time.monotonic(), metadata, keys)
            return metadata, keys

    def _claims(self, token: Mapping[str, Any], nonce: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of the identity token, checked as OpenID Connect Core 1.0, 3.1.3.7 asks."""
        _, keys = self._provider()
        try:
            decoded = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider has new keys
            _, keys = self._provider(anew=True)
            decoded = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "values": [metadata["issuer"]]},
                "aud": {"essential": True, "values": [self.settings.client_id]},
            },
            {
                "nonce": nonce,
                "client_id": self.settings.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY)
        return dict(claims)

    def _with_userinfo(
        self, client: OAuth2Client, claims: dict[str, Any], metadata: Mapping[str, Any]
    ) -> dict[str, Any]:
        told = client.get(metadata["userinfo_endpoint"]).raise_for_status().json()
        if told.get("sub") != claims["sub"]:
            msg = "the provider tells of someone else"
            raise ValueError(msg)
        return {**told, **claims}

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        settings = self.settings
        login = claims.get(settings.login_claim) or claims["sub"]
        return Vouched(
            issuer=settings.issuer,
            subject=str(claims["sub"]),
            login=str(login),
            name=str(claims.get(settings.name_claim) or login),
            duties=frozenset(
                (rule.role, rule.department)
                for rule in settings.role
                if rule.value in _values(claims, rule.claim)
            ),
        )


def _values(claims: Mapping[str, Any], path: str) -> list[str]:
    """Return the values of a claim: one, or the members of a list. The name itself may contain dots."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]
