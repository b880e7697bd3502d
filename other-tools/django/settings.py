import os

INSTALLED_APPS = ["django.contrib.postgres", "shop"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "OPTIONS": {"options": "-c lock_timeout=2s"},
    }
}
