"""The shop's settings. What differs from one machine to another is an environment variable; README.md lists them."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spinel-shop"

SECRET_KEY = os.environ.get("SHOP_SECRET", "for trying it out, and for nothing else")
DEBUG = os.environ.get("SHOP_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "store",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "store.cart.size",
            ],
        },
    },
]


def database(where):
    """Django's form of mysql://USER:PASSWORD@HOST:PORT/NAME, or of the path of a SQLite file."""
    url = urlsplit(where)
    if url.scheme != "mysql":
        # Many visitors write at once, and SQLite lets one at a time: the others wait for it.
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": where, "OPTIONS": {"timeout": 30}}

    import pymysql

    pymysql.install_as_MySQLdb()
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": url.path.strip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "127.0.0.1",
        "PORT": str(url.port or 3306),
        "OPTIONS": {"charset": "utf8mb4"},
    }


DATABASES = {"default": database(os.environ.get("SHOP_DATABASE") or str(CACHE / "shop.sqlite3"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_HOST = os.environ.get("SHOP_REDIS_HOST", "127.0.0.1")
REDIS_PORT = int(os.environ.get("SHOP_REDIS_PORT", "6379"))

# Database 0 has the carts and the cached home page; database 2, the sessions.
STORE = {"host": REDIS_HOST, "port": REDIS_PORT, "db": 0}

SESSION_ENGINE = "redis_sessions.session"
SESSION_REDIS_HOST = REDIS_HOST
SESSION_REDIS_PORT = REDIS_PORT
SESSION_REDIS_DB = 2
SESSION_REDIS_PREFIX = "session"
# Its own default is 0.1 s, and it takes a late answer for a visitor who is not logged in.
SESSION_REDIS_SOCKET_TIMEOUT = 5

# How long the home page may be out of date.
HOME_SECONDS = int(os.environ.get("SHOP_HOME_SECONDS", "60"))
# A cart that nobody touches goes when its visitor's session would.
CART_SECONDS = 14 * 24 * 3600

AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
