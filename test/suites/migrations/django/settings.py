import os

DEBUG = False
SECRET_KEY = 'of a test'
INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.postgres', 'django.contrib.sessions', 'shop']
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
USE_TZ = True
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'HOST': '127.0.0.1',
        'PORT': os.environ['PGPORT'],
        'NAME': os.environ['PGDATABASE'],
        'USER': 'postgres',
        'PASSWORD': os.environ['PGPASSWORD'],
        'OPTIONS': {'sslmode': 'disable'},
        # Made before: a node serves the databases that its configuration names.
        'TEST': {'NAME': os.environ['PGDATABASE'] + '_test'},
    }
}
