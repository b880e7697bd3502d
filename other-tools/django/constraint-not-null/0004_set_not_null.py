from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_validate")]
    operations = [
        # AlterField alone would first UPDATE every NULL; with the CHECK there is none.
        migrations.AlterField("wishlistitem", "updated_at", models.DateTimeField()),
        migrations.RemoveConstraint("wishlistitem", "updated_at_is_set"),
    ]
