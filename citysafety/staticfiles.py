"""How static files are found and named: npm packages file by file, everything by content, so that it may be kept for ever."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.utils import matches_patterns
from django_node_assets.finders import NodeModulesFinder
from whitenoise.storage import CompressedManifestStaticFilesStorage

# What pages load of the npm packages; the rest of them (sources, type declarations, maps) stays where it is.
SERVED = [
    "@fontsource-variable/noto-sans-sc/index.css",
    "@fontsource-variable/noto-sans-sc/files/*.woff2",
    "dexie/dist/modern/dexie.min.mjs",
    "htmx.org/dist/htmx.min.js",
    "maplibre-gl/dist/maplibre-gl.css",
    "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-shared.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs",
]


class ServedNodeFiles(NodeModulesFinder):
    """Collects only the files of npm packages that pages load."""

    def list(self, ignore_patterns: Iterable[str]) -> Iterator[tuple[str, Any]]:
        folders = {pattern.rpartition("/")[0] for pattern in SERVED}
        for folder in sorted(folders):
            if not self.storage.exists(folder):
                continue  # before bin/setup has fetched the packages
            for name in self.storage.listdir(folder)[1]:
                if matches_patterns(f"{folder}/{name}", SERVED):
                    yield f"{folder}/{name}", self.storage


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed names; ES modules import each other by their hashed names too."""

    support_js_module_import_aggregation = True
    manifest_strict = True
    # Without the rewriting of source maps, which are not served.
    patterns = tuple(
        (files, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for files, rules in CompressedManifestStaticFilesStorage.patterns
    )
