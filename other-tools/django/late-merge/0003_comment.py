from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_comment")]
    operations = [migrations.RunSQL("COMMENT ON TABLE wishlist_items IS '2'")]
