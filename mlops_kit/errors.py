"""The error tree. Every fault a user can cause or meet is one of these; each writes its own sentence from facts.

MlopsKitError                 exit code 2 unless a subclass says otherwise
├── UsageError                a command was called in a way that cannot work
├── SourceError               a fault at a place in a file: ``path:line:col: message``
│   ├── DocumentError         the file is not readable YAML, or not the shape it must have
│   │   ├── RepeatedKeyError  a mapping has a key twice
│   │   └── EmptyVariableError an environment variable is null
│   ├── ExpressionError       a ``${...}`` that cannot be evaluated
│   └── EnvironmentFileError  an environment file is wrong, or the environment is unknown
├── OperationFailed           exit code 1: a job or an operation ended badly
├── Cancelled                 exit code 4: a job was cancelled
├── WaitExpired               exit code 5: gave up waiting, the state is unknown
├── Different                 exit code 6: what is there is not what is wanted, and was left as it is
└── LocalError                the local control plane could not be started, reached or stopped
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A place in a text file; ``line`` and ``column`` count from 1, 0 means the file as a whole."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return ``path:line:column``, leaving out what is not known."""
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}" if self.column else f"{self.path}:{self.line}"


class MlopsKitError(Exception):
    """Any fault that is reported as one sentence, without a traceback."""

    exit_code = 2


class UsageError(MlopsKitError):
    """A command was called in a way that cannot work."""


class SourceError(MlopsKitError):
    """A fault at a place in a file; ``code`` is the one under which ``validate`` reports its kind."""

    code = "MK0801"

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place


class DocumentError(SourceError):
    """A file is not readable YAML, or not of the shape it must have."""

    code = "MK0100"


class RepeatedKeyError(DocumentError):
    """A mapping has the same key twice."""

    code = "MK0103"


class EmptyVariableError(DocumentError):
    """An environment variable of a job is null, which no process can be given."""

    code = "MK0601"


class ExpressionError(SourceError):
    """A ``${...}`` expression that cannot be parsed or evaluated."""


class EnvironmentFileError(SourceError):
    """An environment file is wrong, or the environment asked for is not known."""

    code = "MK0701"


class OperationFailed(MlopsKitError):  # noqa: N818  the state's own name
    """A job or an operation ended in a failed state."""

    exit_code = 1


class Cancelled(MlopsKitError):  # noqa: N818  the state's own name
    """A job was cancelled while it was waited for."""

    exit_code = 4


class WaitExpired(MlopsKitError):  # noqa: N818  says what happened
    """Waiting ended before the job did; its state is unknown."""

    exit_code = 5


class Different(MlopsKitError):  # noqa: N818  says what was found
    """Something is there and is not what is wanted; it was left as it is."""

    exit_code = 6


class LocalError(MlopsKitError):
    """The local control plane could not be started, reached or stopped."""
