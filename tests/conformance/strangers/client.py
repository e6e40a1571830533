"""A client that has never heard of the twin: Microsoft's addresses, default settings, azure-identity and msgraph-sdk.

`client.py TENANT APP SECRET CERTIFICATE` prints what each way of asking found. Only the environment names an authority.
"""

import asyncio
import json
import sys
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import requests
from msgraph import GraphServiceClient

GRAPH = "https://graph.microsoft.com/v1.0"
SCOPE = "https://graph.microsoft.com/.default"
TENANT, APP, SECRET, CERTIFICATE = sys.argv[1:]


def synchronous() -> dict[str, Any]:
    found = {}
    credentials = {
        "secret": azure.identity.ClientSecretCredential(TENANT, APP, SECRET),
        "certificate": azure.identity.CertificateCredential(TENANT, APP, CERTIFICATE),
        "chain": azure.identity.CertificateCredential(TENANT, APP, CERTIFICATE, send_certificate_chain=True),
    }
    for name, credential in credentials.items():
        headers = {"Authorization": f"Bearer {credential.get_token(SCOPE).token}"}
        found[f"requests, {name}"] = requests.get(f"{GRAPH}/organization", headers=headers, timeout=10).json()
        found[f"httpx, {name}"] = httpx.get(f"{GRAPH}/organization", headers=headers).json()
        credential.close()
    return {name: body["value"][0]["id"] for name, body in found.items()}


async def with_sdk(credential: Any) -> dict[str, Any]:
    client = GraphServiceClient(credential)
    organization = await client.organization.get()
    page = await client.users.get()
    changes = await client.users.delta.get()
    return {
        "tenant": organization.value[0].id,
        "users": len(page.value),
        "link": page.odata_next_link,
        "delta": changes.odata_delta_link.partition("?")[0],
    }


async def asynchronous() -> dict[str, Any]:
    found = {}
    for name, credential in (
        ("secret", azure.identity.aio.ClientSecretCredential(TENANT, APP, SECRET)),
        ("certificate", azure.identity.aio.CertificateCredential(TENANT, APP, CERTIFICATE)),
    ):
        async with credential:
            found[f"sdk, {name}"] = await with_sdk(credential)
    with azure.identity.ClientSecretCredential(TENANT, APP, SECRET) as credential:
        found["sdk, synchronous secret"] = await with_sdk(credential)
    return found


if __name__ == "__main__":
    print(json.dumps({**synchronous(), **asyncio.run(asynchronous())}))  # noqa: T201 - its answer to the test
