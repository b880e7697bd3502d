from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter'", migrations.RunSQL.noop),
    ]
