"""The wall's first picture and its first news, beside a bare MapLibre page that draws the same cells and nothing else."""

import time
from typing import Any

from . import browser, city, servers
from .figures import Report, Side, Turn, Verdict, at_most, in_turns

SLOWER = 4  # times, by Chromium's own brake: what a wall computer of some years ago is
LIVE_MS = 1000
# The same tiles and the same state of the cells, drawn in one colour ramp: no names, no lists, no figures, no news.
BARE = """<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="{css}">
<style>html, body, #map {{ margin: 0; height: 100% }}</style></head><body><div id="map"></div>
<script type="module">
const library = await import('{library}');
library.setWorkerUrl(new URL('{worker}', location.href).href);
const state = fetch('/api/v1/cells/state/').then(answer => answer.json());
const map = new library.Map({{ container: 'map', bounds: {bounds}, fadeDuration: 0, attributionControl: false, style: {{
  version: 8, sources: {{ cells: {{ type: 'vector', tiles: [`${{location.origin}}/tiles/{version}/cells/{{z}}/{{x}}/{{y}}.mvt`],
    promoteId: {{ cells: 'code' }}, minzoom: 7, maxzoom: 14 }} }},
  layers: [{{ id: 'cells', type: 'fill', source: 'cells', 'source-layer': 'cells', paint: {{
    'fill-color': ['interpolate', ['linear'], ['coalesce', ['feature-state', 'n'], 0], 0, '#123', 20, '#f80'],
    'fill-outline-color': '#345' }} }}] }} }});
await new Promise(resolve => map.once('load', resolve));
for (const [code, [n]] of Object.entries((await state).cells))
  map.setFeatureState({{ source: 'cells', sourceLayer: 'cells', id: code }}, {{ n }});
map.once('idle', () => {{ document.getElementById('map').dataset.map = 'ready'; }});
</script></body></html>"""
# In the page, before anything of it runs: when the map stood, and when the line to the news did.
WATCH = """
window.stood = {};
new MutationObserver(() => {
  const now = performance.now();
  if (document.querySelector('#map[data-map]')) window.stood.map ??= now; // all cells, with their burden
  if (document.querySelector('#map[data-map=ready]')) window.stood.all ??= now; // names, signs and layers too
  if (document.documentElement.dataset.truth === 'live') window.stood.live ??= now;
}).observe(document, { attributes: true, childList: true, subtree: true });
"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def run() -> Report:
    """Open each page in a browser that has seen nothing yet, again and again."""
    city.start_django()
    with city.copy_of("bench_wall") as database:
        city.use(database)
        cells = city.ask(database, "SELECT count(*) FROM grid_cell WHERE active")[0][0]
        env, signed_in = {"DATABASE_URL": city.address(database)}, browser.cookie("operator")
        with browser.chromium() as chromium, servers.web(1, env=env) as [port], servers.relay(env):
            base = f"http://127.0.0.1:{port}"

            def opened(address: str, bare: str | None = None) -> dict[str, float]:
                with browser.page(chromium, base, signed_in) as page:
                    page.add_init_script(WATCH)
                    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
                    if bare:
                        page.route(f"{base}{address}", lambda route: route.fulfill(content_type="text/html", body=bare))
                    page.goto(f"{base}{address}", wait_until="commit")
                    page.wait_for_selector("#map[data-map=ready]", state="attached")
                    if not bare:
                        page.wait_for_selector("html[data-truth=live]", state="attached")
                    return {**page.evaluate("window.stood"), "paint": page.evaluate(PAINT)}

            bare = bare_page(chromium, base, signed_in)

            def ours() -> Turn:
                stood = opened("/wall/")
                beside = {
                    "first words ms": stood["paint"],
                    "live ms": stood["live"],
                    "names and signs too ms": stood["all"],
                }
                return Turn(stood["map"], 0, {**beside, "live after ms": max(0.0, stood["live"] - stood["paint"])})

            def theirs() -> Turn:
                stood = opened("/bare/", bare)
                return Turn(stood["map"], 0, {"first words ms": stood["paint"]})

            for measure in (ours, theirs):
                measure()  # what the server builds at the first request is built before
                time.sleep(1)
            sides = in_turns({"ours": ("ms", ours), "bare page": ("ms", theirs)}, rounds=5)
        city.use(city.PREPARED)
    mine, other = sides["ours"], sides["bare page"]
    words = of_beside(mine, "first words ms", "ours, first words")
    live = of_beside(mine, "live after ms", "ours, live after the first words")
    return Report(
        f"Opening /wall/ with {cells:,} cells until all of them are drawn, in a Chromium that has seen nothing yet and is"
        f" braked {SLOWER} times; 5 turns",
        [mine, other],
        [
            Verdict(mine, other, at_most(2), at_most(1.3)),
            Verdict(words, other, at_most(2), at_most(1.3)),
            Verdict(live, None, None, at_most(LIVE_MS, "ms")),
        ],
        ["the bare page draws the same tiles and state in one layer: no names, base layers, lists, figures or news"],
    )


def of_beside(side: Side, name: str, called: str) -> Side:
    """Return what was measured beside a value as a side of its own."""
    return Side(called, "ms", tuple(Turn(turn.beside[name], turn.errors) for turn in side.turns))


def bare_page(chromium: Any, base: str, signed_in: dict[str, str]) -> str:
    """Return the bare page, with the addresses of the library and the data that the wall uses."""
    with browser.page(chromium, base, signed_in) as page:
        page.goto(f"{base}/wall/", wait_until="domcontentloaded")
        head = page.evaluate("({ ...document.getElementById('map-assets').dataset })")
        config = page.evaluate("JSON.parse(document.getElementById('config').textContent)")
        css = page.evaluate(
            "[...document.styleSheets].map(sheet => sheet.href).find(href => href?.includes('maplibre'))"
        )
    return BARE.format(
        css=css,
        library=head["library"],
        worker=head["worker"],
        bounds=config["map"]["bounds"],
        version=config["map"]["version"],
    )
