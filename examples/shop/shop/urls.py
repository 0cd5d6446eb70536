from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from store import views

urlpatterns = [
    path("", views.home, name="home"),
    path("cart/", views.show_cart, name="cart"),
    path("cart/add/", views.add_to_cart, name="cart-add"),
    path("cart/change/", views.change_cart, name="cart-change"),
    path("cart/remove/", views.remove_from_cart, name="cart-remove"),
    path("signup/", views.sign_up, name="signup"),
    path("login/", LoginView.as_view(template_name="store/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
