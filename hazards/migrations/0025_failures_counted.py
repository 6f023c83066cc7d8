from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# How often a verification of a case failed, and a re-check of it did not hold.
FAILURES = """
UPDATE hazards_hazard h SET failures = n.failures
FROM (
  SELECT hazard_id, count(*) AS failures FROM (
    SELECT hazard_id FROM hazards_step WHERE action = 'fail'
    UNION ALL SELECT hazard_id FROM hazards_recheck WHERE state = 'fails'
  ) f GROUP BY hazard_id
) n WHERE n.hazard_id = h.id AND h.failures <> n.failures"""
# How far the inspector stood from the premises; whether that was near enough nobody has judged.
DISTANCES = """
UPDATE hazards_inspection i SET distance_m = round(ST_DistanceSphere(i.location, p.location)::numeric, 1)
FROM grid_premises p WHERE p.id = i.premises_id AND i.location IS NOT NULL AND i.distance_m IS NULL"""


class Migration(migrations.Migration):
    """What the history already tells is counted; the index is built while steps go on."""

    atomic = False

    dependencies = [
        ('hazards', '0024_shown_on_site'),
    ]

    operations = [
        migrations.RunSQL(FAILURES, migrations.RunSQL.noop),
        migrations.RunSQL(DISTANCES, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='hazard',
            index=models.Index(condition=models.Q(('failures__gt', 0)), fields=['-received_at', 'id'], name='hazard_reworked'),
        ),
    ]
