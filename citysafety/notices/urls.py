"""Pages of the notices."""

from django.urls import path

from . import pages

urlpatterns = [
    path("notices/", pages.inbox, name="notices"),
    path("notices/unread/", pages.unread, name="notices_unread"),
    path("notices/read-all/", pages.read_all, name="notices_read_all"),
    path("notices/channels/", pages.channels, name="notice_channels"),
    path("notices/channels/retry/", pages.retry_parked, name="notice_retry"),
    path("notices/channels/<int:pk>/switch/", pages.switch_channel, name="notice_channel_switch"),
    path("notices/channels/<int:pk>/remove/", pages.remove_device, name="notice_device_remove"),
    path("notices/devices/", pages.add_device, name="notice_devices"),
    path("push-worker.js", pages.push_worker, name="push_worker"),
    path("notices/<int:pk>/sign/", pages.sign_for, name="notice_sign"),
    path("notices/<int:pk>/open/", pages.open_notice, name="notice_open"),
]
