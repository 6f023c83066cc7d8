"""Pages of signing in and of the own account."""

from django.urls import path

from . import pages, why

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", pages.SignIn.as_view(), name="login"),
    path("logout/", pages.SignOut.as_view(), name="logout"),
    path("language/", pages.language, name="language"),
    path("theme/", pages.theme, name="theme"),
    path("account/", pages.account, name="account"),
    path("account/password/", pages.ChangePassword.as_view(), name="password"),
    path("account/tokens/<int:pk>/revoke/", pages.revoke_token, name="revoke_token"),
    path("admin/login/", pages.admin_login, name="admin_login"),
    path("admin/accounts/why/", why.page, name="why"),
]
