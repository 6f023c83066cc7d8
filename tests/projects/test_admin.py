"""Rules of supervision in the administration: an administrator changes them, the auditor reads who did."""

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import SupervisionRule
from projects.seeds import seed_supervision
from tests.factories import NOON, make_city, person

LOG = reverse("admin:projects_supervisionrulehistory_changelist")


@pytest.fixture
def rule(db):
    make_city()
    seed_supervision(at=NOON)
    return SupervisionRule.objects.get(severity="general")


def signed_in(role):
    client, user = Client(), person(role, area="3705")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, user


def test_a_changed_rule_is_a_row_of_its_history_with_who_changed_it(rule):
    client, administrator = signed_in("administrator")
    fields = {field.name: getattr(rule, field.name) for field in rule._meta.fields if field.name != "id"}
    kept = {name: value for name, value in fields.items() if value is not False}
    form = {**kept, "over_amount": rule.over_amount + 2}
    answer = client.post(reverse("admin:projects_supervisionrule_change", args=[rule.pk]), form)
    assert answer.status_code == 302

    auditor, _user = signed_in("auditor")
    newest, *_older = auditor.get(LOG).context["cl"].result_list
    assert (newest.over_amount, newest.pgh_label) == (rule.over_amount + 2, "update")
    assert administrator.username in auditor.get(LOG).content.decode()


@pytest.mark.parametrize("role", ["administrator", "operator", "supervisor"])
def test_nobody_but_the_auditor_reads_the_history(rule, role):
    assert signed_in(role)[0].get(LOG).status_code in (302, 403)
