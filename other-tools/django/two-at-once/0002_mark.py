from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = 0"),
        migrations.RunSQL("UPDATE wishlist_items SET title = title || '!'"),
    ]
