"""Pages of signing in and of the own account."""

from django.urls import path

from . import list_pages, pages, why

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", pages.SignIn.as_view(), name="login"),
    path("logout/", pages.SignOut.as_view(), name="logout"),
    path("language/", pages.language, name="language"),
    path("theme/", pages.theme, name="theme"),
    path("account/", pages.account, name="account"),
    path("account/password/", pages.ChangePassword.as_view(), name="password"),
    path("account/tokens/<int:pk>/revoke/", pages.revoke_token, name="revoke_token"),
    path("views/", list_pages.keep, name="keep-view"),
    path("views/columns/", list_pages.columns, name="keep-columns"),
    path("views/<int:pk>/", list_pages.view, name="saved-view"),
    path("views/<int:pk>/delete/", list_pages.delete, name="delete-view"),
    path("admin/login/", pages.admin_login, name="admin_login"),
    path("admin/accounts/why/", why.page, name="why"),
]
