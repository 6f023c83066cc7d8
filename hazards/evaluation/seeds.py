"""The first indicators and detectors; people change them in the administration."""

from .models import Detector, EvaluationRule, Indicator
from .words import THRESHOLDS

OWN_RULE = "本市规则（示例）"
PRACTICE = "参照数字城管综合评价通行做法（GB/T 30428.4），分值为本市规则（示例）"
INDICATORS = (  # code, numerator, denominator, weight, all points at, none at, names
    ("on_time", ["closed_on_time"], ["should_close", "-deferred"], 50, 0.95, 0.60, "按期结案率", "On-time rate"),
    ("closing", ["closed"], ["should_close", "-deferred"], 20, 0.98, 0.70, "结案率", "Closing rate"),
    ("rework", ["reworked"], ["dispatched"], 15, 0.01, 0.15, "返工率", "Rework rate"),
    ("returned", ["returned"], ["dispatched"], 10, 0.01, 0.15, "退回率", "Return rate"),
    ("reopened", ["reopened"], ["closed"], 5, 0.0, 0.05, "重新打开率", "Reopening rate"),
)
DETECTORS = (
    ("on_the_spot", "同一人上报并当场办结", "Reported and closed by one person within minutes"),
    ("silent_cell", "网格长期零上报", "A cell without any report"),
    ("last_hour", "临近时限集中办结", "Closed in the last hour"),
    ("more_time", "延期和暂停明显偏多", "Extensions and pauses far above others"),
    ("far_verified", "异地复查", "Verified at a distance"),
    ("photos", "照片重复或地点不符", "Photos used again or taken elsewhere"),
    ("batch", "短时间批量上报", "Many cases at one go"),
    ("merged", "并案的隐患不像同一个", "Merged though unlike"),
)


def seed_evaluation() -> None:
    """Make the rule, the indicators and the detectors where they are missing. Queries: 2 a row."""
    EvaluationRule.objects.get_or_create(pk=1)
    for position, (code, above, below, weight, full_at, none_at, zh, en) in enumerate(INDICATORS):
        values = {"numerator": above, "denominator": below, "weight": weight, "full_at": full_at, "none_at": none_at}
        more = {"name_zh": zh, "name_en": en, "basis": PRACTICE, "position": position}
        Indicator.objects.get_or_create(code=code, defaults={**values, **more})
    for position, (code, zh, en) in enumerate(DETECTORS):
        more = {"name_zh": zh, "name_en": en, "basis": OWN_RULE, "position": position}
        Detector.objects.get_or_create(code=code, defaults={"thresholds": THRESHOLDS[code], **more})
