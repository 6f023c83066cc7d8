from django.db import migrations


class Migration(migrations.Migration):
    """The running part of a hazard's number: it starts again long before a day could use all of it."""

    dependencies = [("hazards", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE hazard_number MINVALUE 1 MAXVALUE 99999 CYCLE", "DROP SEQUENCE hazard_number"
        )
    ]
