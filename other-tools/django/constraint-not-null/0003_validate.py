from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_add_check")]
    operations = [ValidateConstraint("wishlistitem", "updated_at_is_set")]
