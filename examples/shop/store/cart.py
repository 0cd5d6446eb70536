"""A visitor's cart is a hash in Spinel, from a good's number to how many of it.

    cart:user:7          {"1": "2", "5": "1"}      of somebody who has logged in: found again at the next log-in
    cart:guest:TOKEN     {"3": "1"}                of somebody who has not: the session knows the token

Every change puts off the cart's expiry. Logging in moves a guest's goods into the user's cart.
"""

import secrets

import redis
from django.conf import settings

from .redis_client import store


class Cart:
    def __init__(self, request):
        self.session = request.session
        self.key = None
        if request.user.is_authenticated:
            self.key = user_key(request.user)
        elif "cart" in self.session:
            self.key = guest_key(self.session["cart"])

    def counts(self):
        """How many of each good, by its number."""
        if self.key is None:
            return {}
        return {int(good): int(count) for good, count in store.hgetall(self.key).items()}

    def add(self, good):
        self._edit(lambda pipe: pipe.hincrby(self.key, good.pk, 1))

    def change(self, good, count):
        if count == 0:
            self.remove(good)
        else:
            self._edit(lambda pipe: pipe.hset(self.key, good.pk, count))

    def remove(self, good):
        self._edit(lambda pipe: pipe.hdel(self.key, good.pk))

    def _edit(self, edit):
        if self.key is None:
            self.session["cart"] = secrets.token_urlsafe(12)
            self.key = guest_key(self.session["cart"])
        with store.pipeline() as pipe:
            edit(pipe)
            pipe.expire(self.key, settings.CART_SECONDS)
            pipe.execute()


def size(request):
    """For every template: how many goods are in the cart."""
    return {"cart_size": sum(Cart(request).counts().values())}


def greet(sender, request, user, **kwargs):
    """When somebody has logged in: keep the name in the session, and bring the guest's cart along."""
    request.session["name"] = user.get_username()
    token = request.session.pop("cart", None)
    if token is not None:
        move(guest_key(token), user_key(user))


def move(source, target):
    """Adds one cart to another in one transaction, so that no good is there twice or never."""
    with store.pipeline() as pipe:
        while True:
            try:
                pipe.watch(source)
                counts = pipe.hgetall(source)
                pipe.multi()
                for good, count in counts.items():
                    pipe.hincrby(target, good, int(count))
                pipe.delete(source)
                pipe.expire(target, settings.CART_SECONDS)
                pipe.execute()
                return
            except redis.WatchError:
                continue  # the guest put something in meanwhile: read it again


def user_key(user):
    return "cart:user:%d" % user.pk


def guest_key(token):
    return "cart:guest:%s" % token
