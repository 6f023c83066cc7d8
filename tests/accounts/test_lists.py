"""What people keep of lists: how many views, under which names, and what is refused in words."""

import pytest
from django.db import IntegrityError, transaction

from citysafety.accounts import lists
from citysafety.accounts.models import SavedView, User

from .people import person

pytestmark = pytest.mark.django_db


def keep(owner, name="Mine", query="open=true", *, page="hazards", shared=False):
    return lists.keep_view(owner=owner, page=page, name=name, query=query, shared=shared)


def test_thirty_views_of_a_list_are_kept_and_no_more():
    owner = person("dispatcher")
    for n in range(lists.MOST_VIEWS):
        keep(owner, f"View {n}")
    with pytest.raises(lists.ViewRefused, match="30"):
        keep(owner, "One more")
    keep(person("dispatcher"), "One more")
    assert SavedView.objects.filter(owner=owner).count() == lists.MOST_VIEWS


def test_a_name_is_used_once_by_each_owner():
    owner, other = person("dispatcher"), person("dispatcher")
    keep(owner)
    second = keep(owner, "Second")
    keep(other)
    with pytest.raises(lists.ViewRefused, match="Mine"):
        keep(owner)
    with pytest.raises(lists.ViewRefused, match="Mine"):
        lists.change_view(view=second, name="Mine", shared=False, is_default=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(owner=owner, page="hazards", name="Mine")


def test_a_list_begins_with_one_view_at_most():
    owner = person("dispatcher")
    first, second = keep(owner, "First"), keep(owner, "Second")
    for view in (first, second):
        lists.change_view(view=view, name=view.name, shared=False, is_default=True)
    assert list(SavedView.objects.filter(is_default=True)) == [second]
    lists.change_view(view=second, name="Second", shared=True, is_default=False)
    assert not SavedView.objects.filter(is_default=True).exists()


def test_too_long_an_address_is_refused_and_what_it_says_of_the_place_in_the_list_is_left_out():
    owner = person("dispatcher")
    with pytest.raises(lists.ViewRefused, match="2000"):
        keep(owner, query="search=" + "x" * 2001)
    assert keep(owner, query="before=1.2&view=all&search=%00&state=&state=reported").query == "state=reported"


def test_views_of_who_was_switched_off_are_shared_no_longer():
    owner, colleague = person("dispatcher"), person("dispatcher")
    keep(owner, shared=True)
    assert [view.name for view in lists.views_of(colleague, "hazards")] == ["Mine"]
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert lists.views_of(colleague, "hazards") == []


def test_columns_are_kept_for_each_list_apart_and_those_that_are_gone_are_left_out():
    user = person("dispatcher")
    user.columns = {"elsewhere": ["x"], "hazards": ["number", "gone"]}
    user.save()
    assert lists.kept_columns(user, "hazards") == ["number"]
    lists.keep_columns(user=user, page="hazards", columns=["state", "number", "state"])
    assert User.objects.get(pk=user.pk).columns == {"elsewhere": ["x"], "hazards": ["state", "number"]}
    with pytest.raises(lists.ViewRefused, match="colour"):
        lists.keep_columns(user=user, page="hazards", columns=["colour"])
    lists.keep_columns(user=user, page="hazards", columns=[])
    assert User.objects.get(pk=user.pk).columns == {"elsewhere": ["x"]}


def test_a_refused_view_leads_back_to_the_list_with_the_reason_in_words(client):
    client.force_login(person("dispatcher"))
    client.cookies["django_language"] = "en"
    for given, words in (
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 41}, "at most 40 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
    ):
        answer = client.post("/views/", {"page": "hazards", "query": "open=true", **given}, follow=True)
        assert answer.redirect_chain == [("/hazards/?open=true", 302)]
        assert words in answer.content.decode()
    assert not SavedView.objects.exists()


def test_deleting_a_view_leads_back_and_nothing_foreign_is_led_to(client):
    owner = person("dispatcher")
    view = keep(owner)
    client.force_login(owner)
    answer = client.post(f"/views/{view.pk}/delete/", {"query": "next=//evil.example"})
    assert answer["Location"] == "/hazards/?next=%2F%2Fevil.example"
    assert not SavedView.objects.exists()
