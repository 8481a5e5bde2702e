"""One store (or server) as the classes of this package see it: commands, questions and queries."""

from __future__ import annotations

import json
import os
import threading
from datetime import date, datetime, timezone
from typing import Any

from . import _core
from .errors import InvalidArgumentError, from_core

_ENGINE_LOCK = threading.Lock()


def _call(function, *arguments):
    try:
        return function(*arguments)
    except _core.CoreError as error:
        raise from_core(error) from None


def time_text(value: "datetime | date | str | float | int | None") -> "str | None":
    """A time as the engine reads it: RFC 3339. Naive datetimes are taken as UTC; numbers are Unix seconds."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = datetime.fromtimestamp(value, timezone.utc)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise InvalidArgumentError(f"not a time: {value!r}", "use a datetime or an RFC 3339 string")


class Connection:
    """Settings are resolved once (arguments, environment, ``.contextcore.toml``, defaults); the engine is
    opened at the first call, and again in a forked child."""

    def __init__(self, project: "str | None" = None, store: "str | os.PathLike | None" = None,
                 server: "str | None" = None, agent: "str | None" = None, session: "str | None" = None):
        self._settings = _call(_core.load_config, os.fspath(store) if store else "", project or "", agent or "",
                               session or "", server or "")
        self.project = self._value("project")
        self.agent = self._value("agent")
        self.user = self._value("user")
        self.session = self._value("session") or _core.make_session()
        self._made_session = not self._value("session")
        self._engine = None
        self._engine_pid = None

    def _value(self, name: str) -> str:
        return self._settings[name][0]

    @property
    def engine(self):
        with _ENGINE_LOCK:
            if self._engine is None or self._engine_pid != os.getpid():
                if self._engine is not None and self._made_session:
                    self.session = _core.make_session()  # two processes never share a claim by accident
                self._engine = _call(_core.Backend, self._value("store"), self._value("server"),
                                     self._value("emit_mode"), int(self._value("lease_seconds")),
                                     self._value("durability"))
                self._engine_pid = os.getpid()
            return self._engine

    def describe(self) -> str:
        return _call(self.engine.describe)

    def _actor(self, agent: "str | None") -> dict:
        name = agent or self.agent or self.user
        return {"actor": name, "actor_type": "agent" if (agent or self.agent) else "user",
                "agent_id": name, "session_id": self.session, "trigger": "manual"}

    def command(self, op: str, args: dict, *, at=None, expected_revision: "int | None" = None,
                agent: "str | None" = None, project: "str | None" = None, keep_none: bool = False) -> dict:
        engine = self.engine
        message: dict[str, Any] = {"op": op, "project": project or self.project, "actor": self._actor(agent),
                                   "args": {k: v for k, v in args.items() if keep_none or v is not None}}
        if at is not None:
            message["time"] = time_text(at)
        if expected_revision is not None:
            message["expected_revision"] = expected_revision
        return json.loads(_call(engine.command, self._encode(message)))

    def question(self, op: str, args: "dict | None" = None, *, project: "str | None" = None,
                 agent: "str | None" = None) -> dict:
        engine = self.engine
        message = {"op": op, "project": self.project if project is None else project, "actor": self._actor(agent),
                   "args": {k: v for k, v in (args or {}).items() if v is not None}}
        return json.loads(_call(engine.question, self._encode(message)))

    def search(self, traceql: str, start_ns: int = 0, end_ns: int = 0, limit: int = 20,
               spans_per_trace: int = 100) -> list:
        return json.loads(_call(self.engine.search, traceql, start_ns, end_ns, limit, spans_per_trace))

    def logs(self, logql: str, start_ns: int = 0, end_ns: int = 0, limit: int = 100, backward: bool = True) -> dict:
        return json.loads(_call(self.engine.logs, logql, start_ns, end_ns, limit, backward))

    def trace(self, trace_id: str) -> "dict | None":
        text = _call(self.engine.trace, trace_id)
        return json.loads(text) if text else None

    @staticmethod
    def _encode(message: dict) -> str:
        try:
            return json.dumps(message, allow_nan=False, default=_plain)
        except ValueError as error:
            raise InvalidArgumentError(f"cannot be sent: {error}") from None


def _plain(value):
    if isinstance(value, (datetime, date)):
        return time_text(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "value") and value.__class__.__module__ != "builtins":  # an Enum member
        return value.value
    raise InvalidArgumentError(f"a {type(value).__name__} cannot be kept as an attribute: {value!r}",
                               "use strings, numbers, booleans and lists of them")
