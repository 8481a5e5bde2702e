"""What a dashboard is made of, typed, and how Grafana writes it down. Dashboards themselves: portfolio.py, project.py,
agents.py; build.py turns them into dashboards/*.json, which Grafana reads.

Queries use the published grammars only (TraceQL, LogQL, PromQL), so that a dashboard works the same over ContextCore and
over Tempo, Loki and Mimir. Which data source a query goes to is a variable of the dashboard, so that one file serves both.
"""

from __future__ import annotations

import dataclasses
import enum


class Source(enum.Enum):
    """The three kinds of data source: Grafana's plugin id."""

    TEMPO = "tempo"
    LOKI = "loki"
    PROMETHEUS = "prometheus"

    @property
    def reference(self) -> dict:
        return {"type": self.value, "uid": "${%s}" % self.value}


@dataclasses.dataclass(frozen=True)
class TraceQL:
    """A search; with metrics=True a TraceQL metrics query. One row per span, with the selected attributes as columns."""

    query: str
    limit: int = 500
    metrics: bool = False
    source = Source.TEMPO

    def json(self, ref: str) -> dict:
        target = {"refId": ref, "datasource": self.source.reference, "queryType": "traceql", "query": self.query}
        if not self.metrics:
            target |= {"limit": self.limit, "spss": self.limit, "tableType": "spans", "filters": []}
        return target


@dataclasses.dataclass(frozen=True)
class LogQL:
    query: str
    legend: str = ""
    instant: bool = False
    limit: int = 200
    source = Source.LOKI

    def json(self, ref: str) -> dict:
        return {"refId": ref, "datasource": self.source.reference, "expr": self.query, "legendFormat": self.legend,
                "queryType": "instant" if self.instant else "range", "maxLines": self.limit}


@dataclasses.dataclass(frozen=True)
class PromQL:
    query: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False
    source = Source.PROMETHEUS

    def json(self, ref: str) -> dict:
        return {"refId": ref, "datasource": self.source.reference, "expr": self.query, "legendFormat": self.legend or "__auto",
                "instant": self.instant, "range": not self.instant, "exemplar": self.exemplars,
                "format": "table" if self.instant and not self.legend else "time_series"}


Query = TraceQL | LogQL | PromQL


class Kind(enum.Enum):
    """Grafana's panel plugins that we use."""

    STAT = "stat"
    SERIES = "timeseries"
    TABLE = "table"
    LOGS = "logs"
    BARS = "bargauge"
    PIE = "piechart"


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    kind: Kind
    queries: tuple[Query, ...]
    width: int = 12  # of 24
    height: int = 8
    description: str = ""
    unit: str = "short"
    stacked: bool = False
    columns: tuple[tuple[str, str], ...] = ()  # of a table: field, heading; the others are hidden
    thresholds: tuple[tuple[float, str], ...] = ()  # from this value on, this colour
    links: tuple[tuple[str, str, str], ...] = ()  # field, title, address

    def json(self, number: int, x: int, y: int) -> dict:
        steps = [{"color": "text", "value": None}] + [{"color": color, "value": value} for value, color in self.thresholds]
        panel = {
            "id": number, "title": self.title, "type": self.kind.value, "description": self.description,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "datasource": {"type": "datasource", "uid": "-- Mixed --"} if len({q.source for q in self.queries}) > 1
            else self.queries[0].source.reference,
            "targets": [query.json(chr(ord("A") + index)) for index, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}},
                            "overrides": [self._link(*link) for link in self.links]},
            "options": self._options(),
        }
        if self.kind is Kind.SERIES:
            panel["fieldConfig"]["defaults"]["custom"] = {
                "fillOpacity": 60 if self.stacked else 10, "lineWidth": 1, "showPoints": "never",
                "lineInterpolation": "stepAfter", "stacking": {"mode": "normal" if self.stacked else "none"}}
        if self.columns:
            panel["transformations"] = [{"id": "organize", "options": {
                "indexByName": {field: index for index, (field, _) in enumerate(self.columns)},
                "renameByName": dict(self.columns), "includeByName": {field: True for field, _ in self.columns}}}]
        return panel

    def _options(self) -> dict:
        if self.kind in (Kind.STAT, Kind.BARS, Kind.PIE):
            # A table of one number per row, or the newest value of each series.
            options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
            if self.kind is Kind.BARS:
                options |= {"orientation": "horizontal", "displayMode": "basic"}
            if self.kind is Kind.PIE:
                options |= {"legend": {"displayMode": "table", "placement": "right", "values": ["value"]}}
            return options
        if self.kind is Kind.LOGS:
            return {"showTime": True, "wrapLogMessage": True, "enableLogDetails": True, "sortOrder": "Descending"}
        if self.kind is Kind.SERIES:
            return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
        return {"cellHeight": "sm", "showHeader": True}

    @staticmethod
    def _link(field: str, title: str, address: str) -> dict:
        return {"matcher": {"id": "byName", "options": field},
                "properties": [{"id": "links", "value": [{"title": title, "url": address}]}]}


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclasses.dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard, filled from the values of a label."""

    name: str
    label: str
    metric: str  # that has the label
    label_name: str
    all: bool = False

    def json(self) -> dict:
        query = f"label_values({self.metric}, {self.label_name})"
        variable = {"name": self.name, "label": self.label, "type": "query", "datasource": Source.PROMETHEUS.reference,
                    "definition": query, "query": {"qryType": 1, "query": query, "refId": "values"}, "refresh": 2, "sort": 1,
                    "includeAll": self.all, "multi": False}
        return variable | ({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if self.all else {})


@dataclasses.dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    range: str = "now-90d"

    def json(self) -> dict:
        panels, number, y = [], 0, 0
        for row in self.rows:
            number += 1
            panels.append({"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
                           "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
            y, x, tallest = y + 1, 0, 0
            for panel in row.panels:
                if x + panel.width > 24:
                    y, x, tallest = y + tallest, 0, 0
                number += 1
                panels.append(panel.json(number, x, y))
                x, tallest = x + panel.width, max(tallest, panel.height)
            y += tallest
        sources = [{"name": source.value, "label": source.value.capitalize(), "type": "datasource", "query": source.value,
                    "current": {}, "refresh": 1} for source in Source]
        return {"uid": self.uid, "title": self.title, "description": self.description, "tags": ["contextcore"],
                "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "1m",
                "time": {"from": self.range, "to": "now"}, "timezone": "browser", "panels": panels,
                "templating": {"list": sources + [variable.json() for variable in self.variables]},
                "links": [{"title": "ContextCore", "type": "dashboards", "tags": ["contextcore"], "asDropdown": True,
                           "keepTime": True}]}

    def queries(self):
        """Every query of every panel: (panel, query)."""
        for row in self.rows:
            for panel in row.panels:
                for query in panel.queries:
                    yield panel, query
