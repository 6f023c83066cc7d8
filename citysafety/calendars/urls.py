from django.urls import path

from . import pages

urlpatterns = [
    path("duty/", pages.duty, name="duty"),
    path("duty/leave/", pages.leave, name="duty-leave"),
    path("duty/leave/<uuid:pk>/cancel/", pages.cancel_leave, name="duty-leave-cancel"),
    path("duty/posts/new/", pages.edit_post, name="duty-post-new"),
    path("duty/posts/<int:pk>/", pages.post, name="duty-post"),
    path("duty/posts/<int:pk>/edit/", pages.edit_post, name="duty-post-edit"),
    path("duty/posts/<int:pk>/shift/", pages.new_shift, name="duty-shift-new"),
    path("duty/posts/<int:pk>/pattern/", pages.pattern, name="duty-pattern"),
    path("duty/posts/<int:pk>/handover/", pages.new_handover, name="duty-handover-new"),
    path("duty/shifts/<uuid:pk>/", pages.shift, name="duty-shift"),
    path("duty/shifts/<uuid:pk>/cancel/", pages.cancel_shift, name="duty-shift-cancel"),
    path("duty/shifts/<uuid:pk>/swap/", pages.swap, name="duty-swap"),
    path("duty/swaps/<uuid:pk>/agree/", pages.answer_swap, {"verb": "agree"}, name="duty-swap-agree"),
    path("duty/swaps/<uuid:pk>/refuse/", pages.answer_swap, {"verb": "refuse"}, name="duty-swap-refuse"),
    path("duty/handovers/<uuid:pk>/", pages.handover, name="duty-handover"),
]
