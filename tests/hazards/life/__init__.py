"""The whole life of cases, played by chance: an oracle that knows the rules, actors who bring what steps ask, a machine that tries."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{name}" for name in ("cases", "checked", "contested", "limits", "listed", "machine", "oracle"))
)
