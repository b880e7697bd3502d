from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        AddConstraintNotValid(
            "wishlistitem",
            models.CheckConstraint(condition=models.Q(updated_at__isnull=False), name="updated_at_is_set"),
        ),
    ]
