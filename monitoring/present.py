"""Alarms, shelvings and maintenance as the API shows them."""

from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from citysafety.names import chosen

from .models import Alarm, AlarmStep, Maintenance, Shelving


def alarm_answer(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm. Queries: 0 with its relations."""
    device, rule, quantity = alarm.device, alarm.rule, alarm.datastream and alarm.datastream.quantity
    return {
        "id": str(alarm.pk),
        "number": alarm.number,
        "state": alarm.state,
        "version": alarm.version,
        "level": alarm.level,
        "worst": alarm.worst,
        "quiet": alarm.quiet or None,
        "flapping": alarm.flapping,
        "storm": alarm.storm_id,
        "verdict": alarm.verdict or None,
        "rule": {"code": rule.code, "name": rule.name, "advice": rule_advice(alarm)},
        "device": {"id": device.pk, "code": device.code, "name": device.name, "kind": device.kind_id,
                   "system": device.kind.system_id},
        "quantity": {"code": quantity.pk, "name": quantity.name, "unit": quantity.unit} if quantity else None,
        "value": alarm.value,
        "limit": alarm.limit,
        "peak": alarm.peak,
        "location": {"lon": round(alarm.location.x, 6), "lat": round(alarm.location.y, 6)} if alarm.location else None,
        "area": alarm.area_code,
        "cell": alarm.cell.code if alarm.cell else None,
        "department": _office(alarm.department),
        "assigned_to": _office(alarm.assigned_to),
        "hazard": {"id": str(alarm.hazard.pk), "number": alarm.hazard.number} if alarm.hazard else None,
        "times": alarm.times,
        "measured_at": _iso(alarm.measured_at),
        "raised_at": _iso(alarm.raised_at),
        "acknowledged_at": _iso(alarm.acknowledged_at),
        "returned_at": _iso(alarm.returned_at),
        "over_at": _iso(alarm.over_at),
        "changed_at": _iso(alarm.changed_at),
    }  # fmt: skip


def rule_advice(alarm: Alarm) -> str:
    """Return what the rule says is to be done, in the reader's language."""
    return chosen(alarm.rule.advice_zh, alarm.rule.advice_en)


def step_answer(step: AlarmStep) -> dict[str, Any]:
    """Return one row of the history."""
    return {
        "id": str(step.pk),
        "action": step.action,
        "from": step.source or None,
        "to": step.target,
        "version": step.version,
        "at": _iso(step.at),
        "actor": step.actor.name if step.actor else None,
        "words": step.words,
        "said": step.said,
    }


def shelving_answer(row: Shelving) -> dict[str, Any]:
    return {
        "id": row.pk,
        "rule": row.rule.code,
        "subject": row.subject,
        "by": row.by.name,
        "reason": row.reason,
        "began_at": _iso(row.began_at),
        "until": _iso(row.until),
        "ended_at": _iso(row.ended_at),
    }


def maintenance_answer(row: Maintenance) -> dict[str, Any]:
    return {
        "id": row.pk,
        "area": row.area_code,
        "kind": row.kind_id,
        "by": row.by.name,
        "reason": row.reason,
        "begins_at": _iso(row.begins_at),
        "ends_at": _iso(row.ends_at),
        "ended_at": _iso(row.ended_at),
    }


def _office(office: Any) -> dict[str, str] | None:
    return {"code": office.code, "name": office.name} if office else None


def _iso(moment: datetime | None) -> str | None:
    return localtime(moment).isoformat() if moment else None
