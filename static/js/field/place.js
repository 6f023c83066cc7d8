// Where it is: the phone's own position with its honest accuracy, or a pin set by hand.
import { ask } from "./api.js";
import { announce, find, told } from "./dom.js";
import { fill, gettext, metres } from "./words.js";

const TARGET_M = 20;
const LOW_M = 100;
const GIVE_UP_MS = 30_000;
const PIN_ACCURACY_M = 30; // a pin set by hand on a map of cells is not better than this

/** The place block of a form. `changed(place)` hears each settled place: {lon, lat, accuracy_m, source, at, cell}. */
export class Place {
  constructor(block, { changed, cells = true }) {
    this.block = block;
    this.changed = changed;
    this.cells = cells;
    this.value = null;
    this.best = null;
    this.watching = null;
    this.near = []; // codes of the cells that the circle touches: the map draws their borders
    find("[data-place-now]", block).addEventListener("click", () => this.take());
    find("[data-place-again]", block).addEventListener("click", () => this.begin());
    find("[data-place-map]", block)?.addEventListener("click", () => this.openMap());
  }

  /** Show a place that a draft had kept. */
  restore(value) {
    this.value = value;
    this.best = value;
    this.draw();
    if (value) this.locate();
    else this.begin();
  }

  begin() {
    this.stop();
    this.best = null;
    this.state = "looking";
    this.draw();
    if (!navigator.geolocation) { this.fail(gettext("This browser tells no position. Set the pin on the map.")); return; }
    this.timer = setTimeout(() => this.timeOut(), GIVE_UP_MS);
    this.watching = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => this.hear(coords, timestamp),
      (error) => { if (error.code === 1) this.fail(gettext("The position is not allowed for this site. Allow it in the browser, or set the pin on the map.")); },
      { enableHighAccuracy: true, maximumAge: 0, timeout: GIVE_UP_MS },
    );
  }

  hear(coords, timestamp) {
    if (!this.best || coords.accuracy <= this.best.accuracy_m) {
      this.best = {
        lon: Number(coords.longitude.toFixed(6)), lat: Number(coords.latitude.toFixed(6)),
        accuracy_m: Math.max(1, Math.round(coords.accuracy)), source: "gps", at: timestamp, cell: null,
      };
    }
    if (this.best.accuracy_m <= TARGET_M) this.take();
    else this.draw();
  }

  stop() {
    clearTimeout(this.timer);
    if (this.watching !== null) navigator.geolocation.clearWatch(this.watching);
    this.watching = null;
  }

  /** Take the best position so far, good or not. Return it. */
  take() {
    this.stop();
    if (this.best) this.settle(this.best);
    return this.value;
  }

  timeOut() {
    if (this.best) this.take();
    else this.fail(gettext("No position after 30 seconds. Set the pin on the map, or try again outdoors."));
  }

  fail(words) {
    this.stop();
    this.state = "failed";
    this.words = words;
    this.draw();
  }

  settle(value) {
    this.value = value;
    this.state = "settled";
    this.draw();
    this.changed(value);
    this.locate();
  }

  draw() {
    const now = this.best ?? this.value;
    const accuracy = find("[data-accuracy]", this.block);
    accuracy.textContent = now ? fill(gettext("± %(n)s"), { n: metres(now.accuracy_m) }) : "";
    const said = find("[data-place-words]", this.block);
    const looking = this.state === "looking";
    find("[data-place-bar]", this.block).hidden = !looking;
    find("[data-place-now]", this.block).hidden = !(looking && this.best);
    find("[data-place-again]", this.block).hidden = looking;
    let words = "";
    if (looking) words = now ? gettext("Getting closer. It can be taken as it is.") : gettext("Looking for the position …");
    else if (this.state === "failed") words = this.words;
    else if (this.value?.source === "pin") words = gettext("Pin set by hand");
    else if (this.value?.accuracy_m > LOW_M) words = gettext("Low accuracy: marked so in the record. A pin on the map is better.");
    else if (this.value) words = gettext("Position taken");
    if (said.textContent !== words) said.textContent = words;
    find("[data-low]", this.block).hidden = !(this.value && this.value.accuracy_m > LOW_M);
  }

  /** Ask which cells the circle touches and who is responsible. Without a net the server decides later. */
  async locate() {
    const chooser = find("[data-cells]", this.block);
    if (!this.cells || !chooser || !this.value) return;
    const { lon, lat, accuracy_m: accuracy } = this.value;
    const asked = this.value;
    const { status, body } = await ask("GET", `/api/v1/cells/locate/?lon=${lon}&lat=${lat}&accuracy_m=${accuracy}`);
    if (this.value !== asked) return;
    chooser.replaceChildren();
    if (status !== 200) return;
    this.near = (body.candidates ?? []).map((cell) => cell.code);
    const { drawCells } = await import("./cells.js");
    drawCells(chooser, body, this.value.cell, (cell) => {
      this.value = { ...this.value, cell };
      this.changed(this.value);
    });
  }

  async openMap() {
    const dialog = document.getElementById("map-dialog");
    dialog.showModal();
    const { pinMap } = await import("../pin.js");
    const assets = told("assets");
    const pin = await pinMap(dialog, {
      start: this.value ?? this.best, middle: assets.mapStart, styles: [assets.maplibreCss],
      marked: [...new Set([...(assets.ownCells ?? []), ...this.near])],
    });
    if (!pin) return;
    this.stop();
    this.best = { lon: pin.lon, lat: pin.lat, accuracy_m: PIN_ACCURACY_M, source: "pin", at: Date.now(), cell: null };
    this.settle(this.best);
    announce(gettext("Pin set by hand"));
  }
}
