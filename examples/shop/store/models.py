from django.db import models


class Good(models.Model):
    name = models.CharField(max_length=80, unique=True)
    about = models.CharField(max_length=200)
    cents = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return self.name

    @property
    def price(self):
        return euros(self.cents)


def euros(cents):
    return "€ %d.%02d" % divmod(cents, 100)
