"""How static files are named in production: by content, modules included, so that they may be kept for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed names; ES modules import each other by their hashed names too."""

    support_js_module_import_aggregation = True
    manifest_strict = True
