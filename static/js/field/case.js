// A case on the phone: its clock runs on, its arithmetic on demand, photos large, how far it is from here.
import "./shell.js";
import { ask } from "./api.js";
import { find } from "./dom.js";
import { distance } from "../distance.js";
import { showPhotos } from "./viewer.js";
import { fill, gettext, metres, timeLeft } from "./words.js";

function clock() {
  const left = find("[data-due]");
  if (!left) return;
  const draw = () => { left.textContent = timeLeft(left.dataset.due); };
  draw();
  setInterval(() => { if (!document.hidden) draw(); }, 30_000);
}

/** Show how the due time was counted, as the server lists it. */
async function sums() {
  const box = find("[data-sums]");
  const { status, body } = await ask("GET", find("[data-clock]").dataset.clockUrl);
  if (status !== 200) return;
  const { drawSums } = await import("./sums.js");
  if (drawSums(find("[data-sums-list]"), body)) box.hidden = false;
}

function far() {
  const button = find("[data-distance-ask]");
  const place = find("[data-distance]");
  const show = ({ coords }) => {
    const m = distance({ lon: coords.longitude, lat: coords.latitude }, { lon: Number(place.dataset.lon), lat: Number(place.dataset.lat) });
    place.textContent = ` · ${fill(gettext("%(distance)s from you"), { distance: metres(m) })}`;
    button.parentElement.remove();
  };
  const fail = () => { place.textContent = ` · ${gettext("your position is not known")}`; };
  button.addEventListener("click", () => {
    if (!navigator.geolocation) { fail(); return; }
    place.textContent = ` · ${gettext("Looking for the position …")}`;
    navigator.geolocation.getCurrentPosition(show, fail, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  });
  // Where the position is allowed already, nobody has to ask.
  navigator.permissions?.query({ name: "geolocation" }).then(({ state }) => { if (state === "granted") button.click(); }, () => {});
}

clock();
sums();
showPhotos();
far();
