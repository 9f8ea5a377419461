"""Images: whether a reference can become another image tomorrow."""

from __future__ import annotations


def unpinned(text: str) -> str | None:
    """Return the name of an image that has neither a digest nor a tag of its own; None where it is pinned."""
    tag = text.rpartition("/")[2].partition(":")[2]  # a colon before the last slash is a port
    if "@sha256:" in text or tag not in ("", "latest"):
        return None
    return text.removesuffix(":latest").removesuffix(":")


def pin(name: str) -> str:
    """Return how a pinned image of that name is written."""
    return f"write `{name}:TAG` or `{name}@sha256:DIGEST`"
