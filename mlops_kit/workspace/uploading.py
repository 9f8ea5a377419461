"""Uploads that others make at the same time: the SDK looks for a file, then writes it only if it is still missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Made = TypeVar("_Made")
_PAUSES = (0.1, 0.3, 1.0, 2.0, 4.0)  # seconds; the first upload of a folder may still be at its other files


def created(create: Callable[[], _Made]) -> _Made:
    """Return what is created, trying again where another upload of the same new file came first.

    Of several such uploads azure-ai-ml 1.35 lets all but one fail, on Azure too (azure-sdk-for-python issue 30155). The
    second time it finds the file and goes on.
    """
    for pause in _PAUSES:
        try:
            return create()
        except Exception as error:
            if "BlobAlreadyExists" not in str(error):  # a job's upload raises it in the text of another error
                raise
            time.sleep(pause)
    return create()
