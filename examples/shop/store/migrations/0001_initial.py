from django.db import migrations, models

GOODS = [
    ("Red spinel", "What was taken for a ruby for a thousand years.", 48000),
    ("Blue spinel", "Coloured by cobalt, and rarer than a sapphire.", 62000),
    ("Ruby", "Corundum with a little chromium.", 95000),
    ("Garnet", "Dark red, and in every grandmother's brooch.", 3950),
    ("Loupe", "Ten times, three lenses, no colour at the edges.", 2499),
]


def put_goods(apps, schema_editor):
    Good = apps.get_model("store", "Good")
    for name, about, cents in GOODS:
        Good.objects.create(name=name, about=about, cents=cents)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Good",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("about", models.CharField(max_length=200)),
                ("cents", models.PositiveIntegerField()),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.RunPython(put_goods, migrations.RunPython.noop),
    ]
