from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes of the few cases that name a component, built while filing goes on."""

    atomic = False

    dependencies = [
        ('hazards', '0013_a_case_names_a_component'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='hazard',
            index=models.Index(condition=models.Q(('component__isnull', False)), fields=['component', '-received_at'], name='hazard_component'),
        ),
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS hazards_hazardhistory_component'
            ' ON hazards_hazardhistory (component_id) WHERE component_id IS NOT NULL',
            'DROP INDEX IF EXISTS hazards_hazardhistory_component',
        ),
    ]
