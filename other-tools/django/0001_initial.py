from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "WishlistItem",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("store", models.TextField()),
                ("price", models.DecimalField(max_digits=12, decimal_places=2, null=True)),
                ("url", models.TextField(null=True)),
                ("updated_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "wishlist_items"},
        ),
    ]
