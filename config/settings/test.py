"""Settings of the test suite: the same services, cheaper hashing, mail kept in memory."""

from config.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# The limits stay on, too wide to be met; tests of the limits set their own.
THROTTLE_RATES = {
    scope: {"burst": 1_000_000, "refill_per_minute": 1_000_000}
    for scope in ("user", "auth_ip", "auth_account")
}
