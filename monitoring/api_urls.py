from django.urls import include, path

urlpatterns = [path("", include("monitoring.register.api_urls"))]
