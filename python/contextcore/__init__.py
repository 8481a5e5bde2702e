"""Tasks as OpenTelemetry spans.

>>> from contextcore import TaskTracker
>>> tracker = TaskTracker(project="my-project")
>>> tracker.start_task(task_id="PROJ-123", title="Implement auth", task_type="story")
>>> tracker.update_status("PROJ-123", "in_progress")
>>> tracker.complete_task("PROJ-123")

Agents record what they decide and learn with :class:`contextcore.agent.InsightEmitter`.
"""

from .errors import (AlreadyExistsError, ConflictError, ContextCoreError, CorruptionError, DeadlineExceededError,
                     FailedPreconditionError, InvalidArgumentError, NotFoundError, PermissionDeniedError,
                     ResourceExhaustedError, StoreIOError, TaskEndedWarning, UnavailableError, UnsupportedError)
from .historical import HistoricalTaskTracker
from .tracker import Task, TaskLink, TaskTracker

__version__ = "0.1.0"

__all__ = ["TaskTracker", "HistoricalTaskTracker", "Task", "TaskLink", "ContextCoreError", "InvalidArgumentError", "NotFoundError",
           "AlreadyExistsError", "ConflictError", "FailedPreconditionError", "ResourceExhaustedError",
           "UnavailableError", "UnsupportedError", "DeadlineExceededError", "PermissionDeniedError", "CorruptionError",
           "StoreIOError", "TaskEndedWarning", "__version__"]
