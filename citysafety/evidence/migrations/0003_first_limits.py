from django.db import migrations


def set_first_limits(apps, schema_editor):
    """Make the one row of limits with its first values; people change them in the administration."""
    apps.get_model("evidence", "TrustRule").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_trust_record")]

    operations = [migrations.RunPython(set_first_limits, migrations.RunPython.noop)]
