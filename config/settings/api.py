"""Settings of the API: REST framework, tokens, limits, the OpenAPI document."""

from datetime import timedelta

import environ

env = environ.Env()

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["common.throttles.UserThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["common.rendering.Json"],
    "DEFAULT_PARSER_CLASSES": ["common.parsing.JsonBody"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.negotiation.JsonUnlessAsked",
    "DEFAULT_SCHEMA_CLASS": "common.schema.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    # X-Forwarded-For is believed only from this many proxies of our own.
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", default=0),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# Token buckets (common/throttles.py): a burst, and how fast it comes back.
THROTTLE_RATES = {
    "user": {
        "burst": env.int("USER_RATE_BURST", default=120),
        "refill_per_minute": env.int("USER_RATE_PER_MINUTE", default=1200),
    },
    "auth_ip": {
        "burst": env.int("AUTH_RATE_BURST", default=20),
        "refill_per_minute": env.int("AUTH_RATE_PER_MINUTE", default=10),
    },
    "auth_account": {"burst": 20, "refill_per_minute": 10},
}

# A token lives as long as it is used: each use moves its end, written at most once a day.
REST_KNOX = {
    "AUTH_TOKEN_CHARACTER_LENGTH": 32,
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=env.int("TOKEN_DAYS", default=90)),
    "AUTO_REFRESH": True,
    "MIN_REFRESH_INTERVAL": 24 * 60 * 60,
}

# What it is anyway; a migration that refers to it asks.
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105

# Wrong passwords on the HTML log-ins (admin, dashboard). The API has its own limits.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "dashboard/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"  # the log-in form's, not the column's
AXES_USERNAME_CALLABLE = "accounts.authentication.lockout_name"

SPECTACULAR_SETTINGS = {
    "TITLE": "Zerohour API",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Saved 0DTE SPX option strategies as live paper-trading bots. Sign in with "
        "`POST /auth/sessions` and send the token as `Authorization: <token>`. Money, prices and "
        "ratios are decimal strings; times are RFC 3339 UTC; any answer outside 2xx is an `Error`."
    ),
    "SERVERS": [{"url": "/api", "description": "this host"}],
    "SCHEMA_PATH_PREFIX": "/api",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are used: no invented names for them
    "PREPROCESSING_HOOKS": ["common.discovery.only_the_api"],
}
