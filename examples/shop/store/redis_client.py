"""The connection to Spinel that the carts and the cached page use. The sessions have their own."""

import redis
from django.conf import settings

store = redis.StrictRedis(decode_responses=True, **settings.STORE)
