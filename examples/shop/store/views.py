from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.http import HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from .cart import Cart
from .models import Good, euros
from .redis_client import store

HOME = "page:home"


class CartForm(forms.Form):
    good = forms.ModelChoiceField(Good.objects)
    count = forms.IntegerField(min_value=0, max_value=99, required=False)


def home(request):
    """The goods, which are the same for everybody and come from Spinel for HOME_SECONDS.

    Nothing of one visitor is in what is kept: the buttons belong to a form outside of it, with the visitor's token.
    """
    goods = store.get(HOME)
    found = "hit" if goods is not None else "miss"
    if goods is None:
        goods = render_to_string("store/goods.html", {"goods": Good.objects.all()})
        store.set(HOME, goods, ex=settings.HOME_SECONDS)
    response = render(request, "store/home.html", {"goods": mark_safe(goods)})
    response["X-Cache"] = found
    return response


def show_cart(request):
    counts = Cart(request).counts()
    goods = Good.objects.filter(pk__in=counts)
    lines = [{"good": good, "count": counts[good.pk], "price": euros(counts[good.pk] * good.cents)} for good in goods]
    total = euros(sum(counts[good.pk] * good.cents for good in goods))
    return render(request, "store/cart.html", {"lines": lines, "total": total})


def cart_view(act):
    """A view that takes a CartForm, does something with the cart, and shows it."""

    @require_POST
    def view(request):
        form = CartForm(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
        act(Cart(request), form.cleaned_data["good"], form.cleaned_data["count"])
        return redirect("cart")

    return view


add_to_cart = cart_view(lambda cart, good, count: cart.add(good))
change_cart = cart_view(lambda cart, good, count: cart.change(good, count or 0))
remove_from_cart = cart_view(lambda cart, good, count: cart.remove(good))


def sign_up(request):
    form = UserCreationForm(request.POST or None)
    if form.is_valid():
        login(request, form.save())
        return redirect("home")
    return render(request, "store/signup.html", {"form": form})
