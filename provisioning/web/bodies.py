"""Bodies that readers of files take as they are: those readers name each line and column that is wrong."""

from typing import Annotated, Any

from fastapi import Depends, Request


async def _content(request: Request) -> bytes:
    return await request.body()


Content = Annotated[bytes, Depends(_content)]


def takes(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What the description says of such a body."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
