"""The people who take part in a case, as the tests of the phone know them."""

from tests.field.conftest import cast

__all__ = ["cast"]
