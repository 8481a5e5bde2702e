"""Exceptions: one class per error code of the engine, and what each call warns of."""

from __future__ import annotations


class ContextCoreError(Exception):
    """Base of every error. ``code`` is the engine's code, ``hint`` what to do, ``candidates`` close matches."""

    code = "internal"

    def __init__(self, message: str, hint: str = "", candidates: tuple[str, ...] = ()):
        self.message = message
        self.hint = hint
        self.candidates = tuple(candidates)
        text = message
        if self.candidates:
            text += " (did you mean " + ", ".join(self.candidates) + "?)"
        if hint:
            text += f" [{hint}]"
        super().__init__(text)


class InvalidArgumentError(ContextCoreError, ValueError):
    code = "invalid_argument"


class NotFoundError(ContextCoreError, LookupError):
    code = "not_found"


class AlreadyExistsError(ContextCoreError):
    """The id exists with other content."""

    code = "already_exists"


class ConflictError(ContextCoreError):
    """A stale revision, token or claim: read again and decide again."""

    code = "conflict"


class FailedPreconditionError(ContextCoreError):
    """The state forbids it (an ended task, a blocked one, an ended parent)."""

    code = "failed_precondition"


class ResourceExhaustedError(ContextCoreError):
    code = "resource_exhausted"


class UnavailableError(ContextCoreError, ConnectionError):
    code = "unavailable"


class UnsupportedError(ContextCoreError, NotImplementedError):
    code = "unsupported"


class DeadlineExceededError(ContextCoreError, TimeoutError):
    code = "deadline_exceeded"


class PermissionDeniedError(ContextCoreError, PermissionError):
    code = "permission_denied"


class CorruptionError(ContextCoreError):
    code = "corruption"


class StoreIOError(ContextCoreError, OSError):
    code = "io_error"


class TaskEndedWarning(UserWarning):
    """``update_status`` on a task that has ended: nothing was written."""


_BY_CODE = {
    cls.code: cls
    for cls in (
        InvalidArgumentError, NotFoundError, AlreadyExistsError, ConflictError, FailedPreconditionError,
        ResourceExhaustedError, UnavailableError, UnsupportedError, DeadlineExceededError,
        PermissionDeniedError, CorruptionError, StoreIOError,
    )
}


def from_core(error: Exception) -> ContextCoreError:
    """The exception of a ``_core.CoreError(code, message, hint, candidates)``."""
    code, message, hint, candidates = error.args
    return _BY_CODE.get(code, ContextCoreError)(message, hint, tuple(candidates))
