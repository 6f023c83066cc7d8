// The pin set by hand: the shared map of the cells, fetched only when somebody asks for it.
import { find, findAll, make } from "./dom.js";
import { gettext } from "./words.js";

const NEAR = 15;
const FAR = 9;
const STEP_PX = 60;
const MOVES = { west: [-STEP_PX, 0], east: [STEP_PX, 0], north: [0, -STEP_PX], south: [0, STEP_PX] };
const assets = JSON.parse(document.getElementById("assets").textContent);

let drawn = null;

/** Draw the map once; a browser that cannot is told so and keeps the measured position. */
async function draw(dialog, start) {
  document.head.append(make("link", { rel: "stylesheet", href: assets.maplibreCss }));
  const { createMap } = await import(assets.map);
  const middle = start ?? assets.mapStart;
  const map = await createMap(find("[data-map]", dialog), {
    ...(middle ? { center: [middle.lon, middle.lat], zoom: start ? NEAR : NEAR - 1 } : { zoom: FAR }), title: gettext("Set the pin"),
  });
  await map.ready;
  map.library.on("click", ({ lngLat }) => map.centreOn(lngLat.lng, lngLat.lat));
  return map;
}

function listen(dialog, map) {
  for (const button of findAll("[data-move]", dialog)) {
    button.onclick = () => {
      const { move } = button.dataset;
      if (move === "in") map.library.zoomIn({ animate: false });
      else if (move === "out") map.library.zoomOut({ animate: false });
      else map.library.panBy(MOVES[move], { animate: false });
    };
  }
}

/** Let the worker set the pin, with the borders of the own cells and of those `near` drawn. Return {lon, lat}, or null when the map was closed or could not be drawn. */
export async function pinMap(dialog, start, near = []) {
  const closed = new Promise((resolve) => { dialog.addEventListener("close", () => resolve(null), { once: true }); });
  const words = find("[data-map-words]", dialog);
  const take = find("[data-take]", dialog);
  take.hidden = true;
  try {
    if (drawn && start) drawn.centreOn(start.lon, start.lat);
    drawn ??= await draw(dialog, start);
  } catch {
    words.textContent = gettext("The map needs a connection and a browser that can draw it.");
    return closed;
  }
  drawn.markCells([...new Set([...(assets.ownCells ?? []), ...near])]);
  if (start) drawn.setPoint(start.lon, start.lat, start.accuracy_m ?? 0);
  listen(dialog, drawn);
  take.hidden = false;
  const taken = new Promise((resolve) => {
    take.onclick = () => {
      const { lng, lat } = drawn.library.getCenter();
      resolve({ lon: Number(lng.toFixed(6)), lat: Number(lat.toFixed(6)) });
      dialog.close();
    };
  });
  return Promise.race([taken, closed]);
}
