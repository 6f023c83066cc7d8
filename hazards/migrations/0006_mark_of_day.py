from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("hazards", "0005_departments_counted"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mark",
            index=models.Index(models.F("at"), models.F("hazard"), name="mark_of_day"),
        ),
    ]
