"""Give the periods of hazards that are there already their department and the figures that are new."""

from typing import Any

from django.db import migrations

from citysafety.tallies.services import rebuild

DEPARTMENTS = """
UPDATE tallies_period p SET unit = d.code
FROM hazards_hazard h JOIN accounts_department d ON d.id = h.department_id
WHERE p.kind = 'hazard' AND p.subject_id = h.id::text AND (
  p.id = h.period_id OR p.state IN ('dispatched', 'taken', 'rectified', 'verified', 'written_off')
)"""
MARKED = """
UPDATE tallies_period SET today = today || 'hazards.marked_today'::varchar
WHERE kind = 'hazard' AND 'hazards.closed_due_today' = ANY (today) AND 'hazards.cleared_today' <> ALL (today)"""
DISPATCHED = """
UPDATE tallies_period p SET today = p.today || 'hazards.dispatched_today'::varchar
FROM tallies_period q
WHERE p.kind = 'hazard' AND q.id = p.previous_id AND p.state = 'dispatched' AND q.state <> 'dispatched'"""


def count_departments(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM hazards_hazard)")
        if not cursor.fetchone()[0]:
            return
        for statement in (DEPARTMENTS, MARKED, DISPATCHED):
            cursor.execute(statement)
    rebuild()


class Migration(migrations.Migration):
    dependencies = [
        ("hazards", "0004_lean_indexes"),
        ("tallies", "0003_bytewise"),
        ("outbox", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [migrations.RunPython(count_departments, migrations.RunPython.noop)]
