from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("hazards", "0002_number"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="hazard",
            index=models.Index(fields=["-changed_at", "id"], name="hazard_last_changed"),
        ),
    ]
