from django.db import migrations

BROUGHT = """
UPDATE hazards_merger m SET department_id = d.department_id, overdue = EXISTS (
  SELECT 1 FROM hazards_mark k WHERE k.hazard_id = d.id AND k.stage = m.stage AND k.due_at = m.due_at)
FROM hazards_hazard d WHERE d.id = m.duplicate_id AND m.undone_at IS NULL;

WITH brought AS (
  SELECT m.id, m.into_id, m.merged_at, o.paused_at, c.stage, c.unit, c.amount, c.started_at, c.consumed_s, c.ran,
         c.due_at, c.due_reason, o.due_stage = 'verify' AND c.stage IN ('accept', 'rectify')
           OR o.due_stage = 'rectify' AND c.stage = 'accept' AS is_past
  FROM hazards_merger m
  JOIN hazards_clock c ON c.hazard_id = m.duplicate_id AND c.stopped_at = m.merged_at AND c.merger_id IS NULL
  JOIN hazards_hazard o ON o.id = m.into_id AND o.due_stage <> ''
  WHERE m.undone_at IS NULL
)
INSERT INTO hazards_clock (hazard_id, merger_id, stage, unit, amount, started_at, consumed_s, ran, stopped_at, due_at, due_reason)
SELECT into_id, id, stage, unit, amount, started_at, consumed_s, ran,
       CASE WHEN is_past THEN merged_at WHEN paused_at IS NOT NULL THEN greatest(paused_at, merged_at) END,
       CASE WHEN is_past OR paused_at IS NULL THEN due_at END,
       CASE WHEN NOT is_past AND paused_at IS NOT NULL THEN 'paused' ELSE due_reason END
FROM brought;
"""
GONE = "DELETE FROM hazards_clock WHERE merger_id IS NOT NULL;"


class Migration(migrations.Migration):
    """The limits of duplicates that are merged now run on at the case that they went into."""

    dependencies = [("hazards", "0022_limits_kept_and_explained")]

    operations = [migrations.RunSQL(BROUGHT, GONE)]
