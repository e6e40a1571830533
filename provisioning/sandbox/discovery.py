"""Discovery: what a client learns before it asks for a token (OpenID Connect discovery, Microsoft's instance list)."""

from typing import Any

MICROSOFT = "login.microsoftonline.com"
_ALIASES = [MICROSOFT, "login.windows.net", "login.microsoft.com", "sts.windows.net"]


def known_instance(asked: str, host: str) -> dict[str, Any]:
    """The cloud that the authority `asked` belongs to: Microsoft's own names, or this twin under its own address."""
    is_microsoft = asked in _ALIASES
    names = _ALIASES if is_microsoft else [asked]
    cache = "login.windows.net" if is_microsoft else asked
    return {
        "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": names[0], "preferred_cache": cache, "aliases": names}],
    }


def configuration(root: str, issuer: str) -> dict[str, Any]:
    """The openid-configuration of an authority at `root`."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "tenant_region_scope": "EU",
    }
