"""Settings of a site that others can reach: set DJANGO_SETTINGS_MODULE=config.settings.production.

Refuses to start on what is only fit for a machine of one's own, naming the variable to set.
"""

from django.core.exceptions import ImproperlyConfigured

from config.settings import base
from config.settings.base import *  # noqa: F403

SHORTEST_SECRET_KEY = 50

if base.env.bool("DEBUG", default=False):
    raise ImproperlyConfigured("DEBUG is on: unset it, because its pages show secrets to visitors.")
if not base.env.str("SECRET_KEY", default="") or base.SECRET_KEY == base.DEVELOPMENT_SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set: give it 50 or more random characters.")
if len(base.SECRET_KEY) < SHORTEST_SECRET_KEY or len(set(base.SECRET_KEY)) < 5:
    raise ImproperlyConfigured("SECRET_KEY is too weak: give it 50 or more random characters.")
if not base.env.list("ALLOWED_HOSTS", default=[]):
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: list the host names the site answers to.")
for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
    if not base.env.str(name, default=""):
        raise ImproperlyConfigured(f"{name} is not set: give the address of the service.")

DEBUG = False

# TLS ends at a proxy of ours, which must set this header itself and drop a visitor's.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = base.env.bool("SECURE_SSL_REDIRECT", default=True)
# A load balancer asks by plain HTTP, and so does a Prometheus on this host.
SECURE_REDIRECT_EXEMPT = [r"^(api/)?(health|ready)/?$", r"^metrics$"]
SECURE_HSTS_SECONDS = base.env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# Collected files with hashed names (manage.py collectstatic), which caches may keep for ever.
STATIC_ROOT = base.env.str("STATIC_ROOT", default=str(base.BASE_DIR / "staticfiles"))
WHITENOISE_USE_FINDERS = False
STORAGES = {
    **base.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
