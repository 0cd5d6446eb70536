from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "store"

    def ready(self):
        from django.contrib.auth.signals import user_logged_in

        from . import cart

        user_logged_in.connect(cart.greet)
