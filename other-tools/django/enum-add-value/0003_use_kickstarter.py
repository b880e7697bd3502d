from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_add_kickstarter")]
    operations = [
        migrations.RunSQL(
            "UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'",
            migrations.RunSQL.noop,
        ),
    ]
