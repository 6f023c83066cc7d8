"""A repeated request is answered, not done again."""

import threading
import time
import uuid

import pytest
from django.db import connection, transaction

from citysafety.outbox.models import OutboxEntry, Receipt
from citysafety.outbox.receipts import RepeatDiffers, answer_once, fingerprint, stored_answer
from citysafety.outbox.services import announce

from .test_announce import fact

BODY = {"words": "已清理", "version": 3}


def do(id, *, account=1, body=BODY, act=lambda: (201, {"number": 7})):
    return answer_once(id=id, account_id=account, body=body, act=act)


def test_the_first_request_acts_and_every_repeat_gets_its_answer(db, django_assert_num_queries):
    id, acts = uuid.uuid4(), []
    first = do(id, act=lambda: (acts.append(1), (201, {"number": 7}))[1])
    repeat = do(id, body={"version": 3, "words": "已清理"}, act=lambda: acts.append(1))

    assert (first.status, first.body, first.repeated) == (201, {"number": 7}, False)
    assert (repeat.status, repeat.body, repeat.repeated) == (201, {"number": 7}, True)
    assert acts == [1]
    with django_assert_num_queries(1):
        assert stored_answer(id=id, account_id=1, body=BODY) == repeat


@pytest.mark.parametrize("other", [{"account": 2}, {"body": {**BODY, "words": "x"}}])
def test_another_body_or_account_under_a_known_id_is_refused(db, other):
    id = uuid.uuid4()
    do(id)
    with pytest.raises(RepeatDiffers):
        do(id, **other)


def test_a_request_that_was_refused_leaves_no_receipt(db):
    id = uuid.uuid4()
    with pytest.raises(ZeroDivisionError):
        do(id, act=lambda: 1 / 0)
    assert stored_answer(id=id, account_id=1, body=BODY) is None
    assert do(id).repeated is False


def test_the_fingerprint_does_not_see_the_order_of_keys():
    assert (
        fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1}) != fingerprint({"a": 1, "b": [2, 1]})
    )


@pytest.mark.django_db(transaction=True)
def test_eight_repeats_at_the_same_moment_act_once():
    id, answers, together = uuid.uuid4(), [], threading.Barrier(8)

    def slow():
        announce(fact())
        time.sleep(0.1)
        return 201, {"number": 7}

    def ask():
        together.wait()
        answers.append(do(id, act=slow))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]

    assert sorted(a.repeated for a in answers) == [False] + [True] * 7
    assert {str(a.body) for a in answers} == {"{'number': 7}"}
    assert OutboxEntry.objects.count() == Receipt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_repeat_acts_itself_when_the_first_fails_at_the_end():
    id, answers, begun = uuid.uuid4(), [], threading.Event()

    def fails():
        begun.set()
        time.sleep(0.1)
        raise ZeroDivisionError

    def ask():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            do(id, act=fails)
        connection.close()

    first = threading.Thread(target=ask)
    first.start()
    begun.wait()
    answers.append(do(id))
    first.join()

    assert [a.repeated for a in answers] == [False]
