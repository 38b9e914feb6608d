"""Settings, all read from the environment. `production` and `test` only override."""

from pathlib import Path
from typing import Any

import environ

from config import logs
from config.settings.admin import *  # noqa: F403
from config.settings.api import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
# For a machine of one's own; `production` refuses it.
DEVELOPMENT_SECRET_KEY = "development-only-key-change-me-before-anyone-else-can-reach-this"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Where the embedded services, recorded tapes and logs live (bin/up --data).
DATA_DIR = Path(env.str("ZEROHOUR_DATA", default=str(BASE_DIR / ".data")))
TAPE_DIR = DATA_DIR / "tapes"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "axes",
    "django_celery_beat",
    "common",
    "accounts",
    "strategies",
    "marketdata",
    "bots",
    "sessions.apps.SessionsConfig",
    "alerts",
    "backtests",
    "dashboard",
]

MIDDLEWARE = [
    "config.middleware.counted_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.CompressedAnswers",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The guard of every long-running process (DB_TIMEOUTS=1 in the Procfile): a frozen one must not
# hold a row lock for ever (architecture section 4). Commands such as migrate run without it.
DATABASE_TIMEOUTS = {
    "idle_in_transaction_session_timeout": "3s",
    "statement_timeout": env.str("DB_STATEMENT_TIMEOUT", default="30s"),
    "lock_timeout": env.str("DB_LOCK_TIMEOUT", default="5s"),
}
DATABASE_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    # A vanished peer is noticed after about 20 s, on an idle connection too.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "prepare_threshold": 2,  # for common.prepared: a statement that comes again is prepared
}
if env.bool("DB_TIMEOUTS", default=False):
    DATABASE_OPTIONS["options"] = " ".join(f"-c {k}={v}" for k, v in DATABASE_TIMEOUTS.items())
if env.bool("DB_POOL", default=False):
    # Requests, streams and probes come on threads of three kinds, and Celery closes the connection
    # after every job: a pool, never CONN_MAX_AGE.
    DATABASE_OPTIONS["pool"] = {
        "min_size": 1,
        "max_size": env.int("DB_POOL_SIZE", default=16),
        "timeout": 10,
    }
DATABASES = {
    "default": {
        **env.db("DATABASE_URL", default="postgres://zerohour@127.0.0.1:5432/zerohour"),
        "CONN_MAX_AGE": 0,
        # Ask whether a pool's connection still lives before it is used: a job has nobody to say
        # "try again" to, as a request has.
        "CONN_HEALTH_CHECKS": env.bool("DB_POOL_CHECKED", default=False),
        "OPTIONS": DATABASE_OPTIONS,
    }
}
NICENESS = env.int("NICENESS", default=0)  # of web, worker and beat (common.priority)
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_VERBOSE = False  # it greets every command
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"

# smtp+tls://user:password@host:587; without one, mail is written to the web process's output.
globals().update(env.email("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="zerohour@localhost")

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"  # times of the admin site: sortable, with seconds

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # straight from the apps; `production` serves collected files

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
    }
}
# unfold runs Alpine (which evaluates expressions) and writes inline scripts and styles.
ADMIN_CONTENT_SECURITY = {
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that was away for long is still waited for
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_keepalive": True,
    "health_check_interval": 10,
    # A solo worker acknowledges after the task, early ack or not, and a runner's lasts all day.
    # A message that arrives again is only one more hint, but it need not arrive every hour.
    "visibility_timeout": 24 * 3600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"sessions.tasks.run_sessions": {"queue": "sessions"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
# Short intervals, every job idempotent, the market calendar decides; what is late is dropped. The
# scheduler in the database passes over `expires`; what it knows is `expire_seconds`.
CELERY_BEAT_SCHEDULE = {
    name: {
        "task": task,
        "schedule": every_seconds,
        "options": {"expire_seconds": int(max(4, every_seconds))},
    }
    for name, task, every_seconds in (
        ("watch sessions", "sessions.tasks.watch", 2.0),
        ("schedule the day", "bots.tasks.schedule_day", 2.0),
        ("adjust balances", "bots.tasks.adjust_balances", 5.0),
        ("roll up days", "sessions.tasks.roll_up_days", 30.0),
        ("send alerts", "alerts.tasks.send_alerts", 3.0),
        ("clean up alerts", "alerts.tasks.clean_up", 3600.0),
        ("start backtests", "backtests.tasks.start_backtests", 3.0),
        ("clean up backtests", "backtests.tasks.clean_up", 3600.0),
        ("keep the tick log", "sessions.tasks.keep_tick_log", 300.0),
        ("let go of old rows", "sessions.tasks.trim", 3600.0),
        ("clean up", "common.tasks.clean_up", 600.0),
        ("clean up accounts", "accounts.tasks.clean_up", 3600.0),
    )
}

LOGGING = logs.configuration(
    level=env.str("LOG_LEVEL", default="INFO").upper(),
    style=env.str("LOG_FORMAT", default="text"),
)

# Sessions. The lease is how long a runner may be silent before another takes its sessions over.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=5.0)
SESSIONS_PER_RUNNER = env.int("SESSIONS_PER_RUNNER", default=5_000)
SESSION_CAPACITY = env.int("SESSION_CAPACITY", default=10_000)

# How long what is kept for looking at is kept. The ledger itself (sessions, orders, trades,
# transactions, positions, decisions) is never deleted; 0 keeps the other rows for ever too.
TICK_LOG_DAYS = env.int("TICK_LOG_DAYS", default=5)  # market days; older ones live in their tapes
DETAIL_DAYS = env.int("DETAIL_DAYS", default=0)  # days of per-second lines and events
JOB_RUNS_KEPT_HOURS = env.int("JOB_RUNS_KEPT_HOURS", default=24)

# Without a token only this host may read /metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Webhooks of users: only to public addresses, unless the machine is one's own.
ALERTS_TO_PRIVATE_ADDRESSES = env.bool("ALERTS_TO_PRIVATE_ADDRESSES", default=False)
ALERT_DELIVERIES_KEPT_DAYS = env.int("ALERT_DELIVERIES_KEPT_DAYS", default=30)

# Backtests run beside the worker of the jobs, one at a time.
BACKTEST_DAYS_LIMIT = env.int("BACKTEST_DAYS_LIMIT", default=250)  # in one backtest
BACKTEST_DAY_SECONDS = env.int("BACKTEST_DAY_SECONDS", default=600)  # for one day; then it is ended
BACKTESTS_KEPT_DAYS = env.int("BACKTESTS_KEPT_DAYS", default=90)
