from django.apps import AppConfig


class CitySafetyConfig(AppConfig):
    name = "citysafety"
