"""Numbered documents: drafts, numbers that are never used twice, and the bytes that were signed."""

import uuid
from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named


class DocumentKind(Named):
    """A kind of document with the mark of its numbers (发文字号), such as 东安办督〔2026〕37 号."""

    code = models.SlugField(_("code"), max_length=24, primary_key=True)
    mark = models.CharField(_("mark of its numbers"), max_length=24)
    issuer_zh = models.CharField(_("issuing office"), max_length=60)
    issuer_en = models.CharField(_("issuing office in English"), max_length=120, blank=True, default="")

    class Meta:
        ordering = ["code"]
        verbose_name = _("kind of document")
        verbose_name_plural = _("kinds of documents")


class Template(models.Model):
    """The wording of a kind of document, by version; places to fill are names in braces."""

    kind = models.ForeignKey(DocumentKind, models.PROTECT, related_name="templates", verbose_name=_("kind"))
    version = models.PositiveIntegerField(_("version"))
    title = models.TextField(_("title"), max_length=200, help_text=_("It may have two lines."))
    body = models.TextField(
        _("body"), help_text=_("One paragraph a line; words before the first full stop may stand in **stars**.")
    )
    since = models.DateTimeField(_("since"))

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(name="template_once_a_version", fields=["kind", "version"])]
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")

    def __str__(self) -> str:
        return f"{self.kind_id} {self.version}"


class Series(models.Model):
    """The last number given in a kind and year; its row is the lock that puts signers in order."""

    kind = models.ForeignKey(DocumentKind, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="series_once", fields=["kind", "year"])]

    def __str__(self) -> str:
        return f"{self.kind_id} {self.year}: {self.last}"


class Sealed(models.Model):
    """Bytes as they were signed, named by their SHA-256; never changed, never deleted."""

    sha256 = models.CharField("SHA-256", max_length=64, primary_key=True)
    data = models.BinaryField()
    size = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.sha256[:12]


class DocumentQuerySet(models.QuerySet):
    def about(self, kind: str, subject_id: str) -> Self:
        return self.filter(subject_kind=kind, subject_id=subject_id)


class Document(models.Model):
    """One document from draft to issue. A draft has no number; what is issued has one for ever, withdrawn or not."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PREPARED = "prepared", _("Before its signer")
        ISSUED = "issued", _("Issued")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DISCARDED = "discarded", _("Discarded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.ForeignKey(DocumentKind, models.PROTECT, related_name="documents", verbose_name=_("kind"))
    template = models.ForeignKey(Template, models.PROTECT, related_name="documents", verbose_name=_("wording"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.DRAFT)
    subject_kind = models.CharField(max_length=24)
    subject_id = models.CharField(max_length=64)
    area_code = models.CharField(_("area"), max_length=15)
    title = models.TextField(_("title"), max_length=200)
    addressee = models.CharField(_("addressee"), max_length=120)
    body = models.TextField(_("body"), max_length=4000)
    copies = models.CharField(_("copies to"), max_length=200, blank=True, default="")
    drafted_at = models.DateTimeField(_("drafted at"))
    changed_at = models.DateTimeField(_("changed at"))
    year = models.PositiveSmallIntegerField(_("year"), null=True)
    number = models.PositiveIntegerField(_("number"), null=True)
    code = models.CharField(_("verification code"), max_length=16, blank=True, default="")
    sealed = models.ForeignKey(Sealed, models.PROTECT, null=True, related_name="+")
    prepared_at = models.DateTimeField(_("put before its signer at"), null=True)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(_("issued at"), null=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    withdrawn_why = models.CharField(_("why withdrawn"), max_length=200, blank=True, default="")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"], name="document_subject"),
            models.Index("prepared_at", name="document_prepared", condition=Q(state="prepared")),
        ]
        constraints = [
            models.UniqueConstraint(name="document_number_once", fields=["kind", "year", "number"]),
            models.UniqueConstraint(name="document_code_once", fields=["code"], condition=~Q(code="")),
            models.CheckConstraint(
                name="document_issued_is_whole",
                condition=~Q(state__in=["issued", "withdrawn"])
                | Q(number__isnull=False, sealed__isnull=False, issued_at__isnull=False, signed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="document_draft_has_no_number", condition=~Q(state="draft") | Q(number__isnull=True, code="")
            ),
        ]

    def __str__(self) -> str:
        return self.full_number or self.title

    @property
    def full_number(self) -> str:
        """Return the number as it is written, empty before it has one."""
        return f"{self.kind.mark}〔{self.year}〕{self.number} 号" if self.number else ""


class Number(models.Model):
    """A number that was given, and what became of it: the register has no gap without a reason."""

    class State(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        USED = "used", _("used")
        VOID = "void", _("void")

    kind = models.ForeignKey(DocumentKind, models.PROTECT, related_name="numbers", verbose_name=_("kind"))
    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RESERVED)
    document = models.ForeignKey(Document, models.PROTECT, related_name="numbers", verbose_name=_("document"))
    reason = models.CharField(_("why void"), max_length=200, blank=True, default="")
    given_at = models.DateTimeField(_("given at"))
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        ordering = ["kind", "-year", "-number"]
        verbose_name = _("number given")
        verbose_name_plural = _("register of numbers")
        constraints = [
            models.UniqueConstraint(name="number_once", fields=["kind", "year", "number"]),
            models.CheckConstraint(name="number_void_says_why", condition=~Q(state="void") | ~Q(reason="")),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind.mark}〔{self.year}〕{self.number} 号"
