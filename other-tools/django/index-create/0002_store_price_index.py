from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0001_initial")]
    operations = [
        # A concurrent build waits for old transactions; a timeout would leave it INVALID.
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "wishlistitem", models.Index(fields=["store", "price"], name="wishlist_items_store_price_idx")
        ),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
    ]
