"""What agents learn outlives their session: insights as spans and log events."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional

from ._connection import Connection, time_text
from .errors import InvalidArgumentError


class InsightType(str, enum.Enum):
    DECISION = "decision"
    RECOMMENDATION = "recommendation"
    LESSON = "lesson"
    BLOCKER = "blocker"
    DISCOVERY = "discovery"
    ANALYSIS = "analysis"
    RISK = "risk"
    QUESTION = "question"
    PROGRESS = "progress"


class InsightAudience(str, enum.Enum):
    AGENT = "agent"
    HUMAN = "human"
    BOTH = "both"


@dataclass(frozen=True)
class Evidence:
    type: str
    ref: str
    description: Optional[str] = None


@dataclass(frozen=True)
class Insight:
    """An insight as the store has it; ``status`` is computed at the time of the question."""

    id: str
    project_id: str
    type: str
    summary: str
    confidence: float
    agent_id: str
    subject: str = ""
    status: str = "active"
    audience: str = "both"
    rationale: Optional[str] = None
    category: Optional[str] = None
    applies_to: tuple = ()
    task_id: Optional[str] = None
    valid_until: Optional[str] = None
    context: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    span_id: str = ""
    time: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def _insight(answer: Mapping[str, Any]) -> Insight:
    f = answer.get("insight") or answer
    return Insight(
        id=f.get("id", ""), project_id=f.get("project", ""), type=f.get("type", ""), summary=f.get("summary", ""),
        confidence=float(f.get("confidence", 0)), agent_id=f.get("agent_id", ""), subject=f.get("subject", ""),
        status=f.get("status", "active"), audience=f.get("audience", "both"), rationale=f.get("rationale"),
        category=f.get("category"), applies_to=tuple(f.get("applies_to") or ()), task_id=f.get("task_id"),
        valid_until=f.get("valid_until"), context=f.get("context") or {}, trace_id=f.get("trace_id", ""),
        span_id=f.get("span_id", ""), time=f.get("created", ""), fields=f)


def _text(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _evidence(items: "Iterable[Evidence | Mapping[str, Any]] | None") -> "list | None":
    if items is None:
        return None
    out = []
    for item in items:
        if isinstance(item, Evidence):
            item = {"type": item.type, "ref": item.ref, "description": item.description}
        if not isinstance(item, Mapping):
            raise InvalidArgumentError(f"evidence must be an Evidence or a dict, not {item!r}")
        out.append({k: v for k, v in item.items() if v is not None})
    return out


class InsightEmitter:
    """Records what an agent decided, learned or stumbled over, durably and at once."""

    def __init__(self, project_id: "str | None" = None, agent_id: "str | None" = None,
                 session_id: "str | None" = None, *, store=None, server: "str | None" = None):
        self._connection = Connection(project_id, store, server, agent_id, session_id)
        if not self._connection.project:
            raise InvalidArgumentError("no project", "give project_id=…, set CONTEXTCORE_PROJECT, or run `contextcore init`")
        if not self._connection.agent:
            raise InvalidArgumentError("no agent", "give agent_id=… or set CONTEXTCORE_AGENT")

    def emit(self, insight_type: "InsightType | str", summary: str, confidence: float = 1.0, *,
             subject: "str | None" = None, category: "str | None" = None,
             audience: "InsightAudience | str | None" = None, rationale: "str | None" = None,
             evidence: "Iterable[Evidence | Mapping[str, Any]] | None" = None,
             applies_to: "Iterable[str] | None" = None, valid_until=None, supersedes: "str | None" = None,
             task_id: "str | None" = None, context: "Mapping[str, Any] | None" = None,
             provider: "str | None" = None, model: "str | None" = None, input_tokens: "int | None" = None,
             output_tokens: "int | None" = None, at=None, expires_at=None) -> Insight:
        """Emits one insight. ``context`` values become ``insight.context.<key>`` attributes: scalars and lists of
        scalars as they are, deeper values as JSON text. ``expires_at`` is another name of ``valid_until``."""
        usage = {k: v for k, v in (("input_tokens", input_tokens), ("output_tokens", output_tokens)) if v is not None}
        args = {"type": _text(insight_type), "summary": summary, "confidence": confidence, "subject": subject,
                "category": category, "audience": _text(audience), "rationale": rationale,
                "evidence": _evidence(evidence), "applies_to": None if applies_to is None else list(applies_to),
                "valid_until": time_text(valid_until if valid_until is not None else expires_at),
                "supersedes": supersedes, "task_id": task_id, "context": dict(context) if context else None,
                "provider": provider, "model": model, "usage": usage or None}
        return _insight(self._connection.command("insight.emit", args, at=at))

    def emit_decision(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.DECISION, summary, confidence, **options)

    def emit_recommendation(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.RECOMMENDATION, summary, confidence, **options)

    def emit_lesson(self, summary: str, category: "str | None" = None, confidence: float = 0.9, **options) -> Insight:
        return self.emit(InsightType.LESSON, summary, confidence, category=category, **options)

    def emit_blocker(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.BLOCKER, summary, confidence, **options)

    def emit_discovery(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.DISCOVERY, summary, confidence, **options)

    def emit_analysis(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.ANALYSIS, summary, confidence, **options)

    def emit_risk(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.RISK, summary, confidence, **options)

    def emit_question(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.QUESTION, summary, confidence, **options)

    def emit_progress(self, summary: str, confidence: float = 1.0, **options) -> Insight:
        return self.emit(InsightType.PROGRESS, summary, confidence, **options)

    def supersede(self, insight_id: str, by: str) -> Insight:
        return _insight(self._connection.command("insight.supersede", {"id": insight_id, "by": by}))

    def retract(self, insight_id: str, reason: "str | None" = None) -> Insight:
        return _insight(self._connection.command("insight.retract", {"id": insight_id, "reason": reason}))

    def resolve(self, insight_id: str, resolution: "str | None" = None) -> Insight:
        return _insight(self._connection.command("insight.resolve", {"id": insight_id, "resolution": resolution}))


class InsightQuerier:
    """Finds insights of any agent and session. What is superseded, retracted, resolved or expired is left out
    unless ``status`` asks for it ("all" for every one)."""

    def __init__(self, project_id: "str | None" = None, *, store=None, server: "str | None" = None):
        self._connection = Connection(project_id, store, server)

    def query(self, project_id: "str | None" = None, insight_type: "InsightType | str | None" = None,
              agent_id: "str | None" = None, *, subject: "str | None" = None, min_confidence: "float | None" = None,
              task_id: "str | None" = None, text: "str | None" = None, since=None, time_range: "str | None" = None,
              status: "str | None" = None, limit: int = 100) -> "list[Insight]":
        """Newest first. ``since`` is a time, ``time_range`` a duration such as "7d"."""
        if time_range is not None:
            since = f"{time_range} ago"
        args = {"type": _text(insight_type), "agent": agent_id, "subject": subject, "min_confidence": min_confidence,
                "task_id": task_id, "text": text, "since": time_text(since), "status": status, "limit": limit}
        answer = self._connection.question("insight.query", args, project=project_id)
        return [_insight(item) for item in answer["items"]]

    def get_blockers(self, project_id: "str | None" = None, **filters) -> "list[Insight]":
        """Blockers that nobody has resolved."""
        return self.query(project_id, InsightType.BLOCKER, **filters)

    def get_recent_decisions(self, project_id: "str | None" = None, time_range: str = "7d",
                             min_confidence: float = 0.8, **filters) -> "list[Insight]":
        return self.query(project_id, InsightType.DECISION, time_range=time_range, min_confidence=min_confidence, **filters)

    def get_lessons(self, project_id: "str | None" = None, time_range: str = "30d", **filters) -> "list[Insight]":
        return self.query(project_id, InsightType.LESSON, time_range=time_range, **filters)
