// Photos on the phone: shrunk upright to 1,920 px, hashed, kept as bytes until the server has them.
import { find, icon, make } from "./dom.js";
import { digest } from "./ids.js";
import * as store from "./store.js";
import { fill, gettext, kilobytes, moment } from "./words.js";

const LONG_SIDE = 1920;
const QUALITIES = [0.8, 0.7, 0.6]; // the next one only when the picture is still over the target
const TARGET_BYTES = 400_000;
const HARD_LIMIT_BYTES = 40_000_000; // what a phone can decode without dying; far above any camera's JPEG
const FRESH_MS = 10 * 60_000; // a picture older than this was not taken just now

export class UnreadablePhoto extends Error {}
class NoRoom extends Error {}

async function decode(file) {
  try { return await createImageBitmap(file, { imageOrientation: "from-image" }); } catch { /* older browsers know no options */ }
  try { return await createImageBitmap(file); } catch { throw new UnreadablePhoto(); }
}

const encode = (canvas, quality) => new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", quality); });

/** Return {bytes, type, sha256, width, height} of a picture, upright and without EXIF. Throws UnreadablePhoto. */
export async function shrink(file) {
  if (file.size > HARD_LIMIT_BYTES) throw new UnreadablePhoto();
  const picture = await decode(file);
  const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
  const canvas = make("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  let blob = null;
  for (const quality of QUALITIES) {
    blob = await encode(canvas, quality);
    if (blob && blob.size <= TARGET_BYTES) break;
  }
  if (!blob) throw new UnreadablePhoto();
  const bytes = await blob.arrayBuffer();
  return { bytes, type: "image/jpeg", sha256: await digest(bytes), width: canvas.width, height: canvas.height };
}

/** Show kept bytes in an img; the address is given back when the picture stands. */
export function picture(photo, alt = "") {
  const url = URL.createObjectURL(new Blob([photo.bytes], { type: photo.type }));
  const img = make("img", { alt, width: photo.width, height: photo.height, src: url });
  img.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  return img;
}

/**
 * The strip of photos of one role in a form.
 * @param box element with [data-strip=role]; holds the two file inputs
 * @param draft {id(): record id, begin(): promise, changed()}
 */
export class Strip {
  constructor(box, draft) {
    this.box = box;
    this.role = box.dataset.strip;
    this.draft = draft;
    this.photos = [];
    this.busy = 0;
    for (const input of box.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", async () => {
        const files = [...input.files];
        const library = input.dataset.from === "library";
        for (const file of files) await this.add(file, library);
        input.value = "";
      });
    }
  }

  async load() {
    this.photos = (await store.photosOf(this.draft.id())).filter(({ role }) => role === this.role);
    this.draw();
  }

  /** Take one picture in: a tile with a bar at once, the shrunk picture when it is ready. */
  async add(file, library) {
    const waiting = make("div", { class: "photo-item" },
      make("span", { class: "photo" }, make("progress", { "aria-label": gettext("Shrinking") })),
      make("span", { class: "photo-words" }, gettext("Shrinking")));
    find("[data-add]", this.box).before(waiting);
    this.busy += 1;
    try {
      const room = await store.room();
      if (room?.none) throw new NoRoom();
      const taken = file.lastModified || Date.now();
      const small = await shrink(file);
      await this.draft.begin();
      if (this.photos.some(({ sha256 }) => sha256 === small.sha256)) return;
      const order = Date.now() * 100 + this.photos.length;
      const photo = {
        ...small, key: `${this.draft.id()}/${order}`, record: this.draft.id(), order, role: this.role, sent: false, takenAt: taken,
        library: library || Date.now() - taken > FRESH_MS,
      };
      await store.keepPhoto(photo);
      this.photos.push(photo);
      await this.draft.changed();
      this.complain(room?.little ? fill(gettext("Little room left on the phone: %(n)s MB. Send what is waiting."), { n: Math.round(room.bytes / 1e6) }) : "");
    } catch (error) {
      this.complain(error instanceof UnreadablePhoto ? gettext("This picture cannot be opened. Please take it again.")
        : gettext("The phone has no room for this photo. Send what is waiting, then take it again."));
    } finally {
      this.busy -= 1;
      waiting.remove();
      this.draw();
    }
  }

  complain(words) {
    const place = find("[data-strip-words]", this.box.parentElement);
    if (!place) return;
    place.hidden = !words;
    place.replaceChildren(...(words ? [icon("warn"), words] : []));
  }

  async remove(photo) {
    await store.dropPhoto(photo.key);
    this.photos = this.photos.filter(({ key }) => key !== photo.key);
    this.draw();
    await this.draft.changed();
    this.offerUndo(photo);
  }

  offerUndo(photo) {
    const place = find("[data-strip-undo]", this.box.parentElement);
    if (!place) return;
    const undo = make("button", { class: "act", type: "button", onclick: async () => {
      await store.keepPhoto(photo);
      this.photos.push(photo);
      this.photos.sort((a, b) => a.order - b.order);
      place.hidden = true;
      this.draw();
      await this.draft.changed();
    } }, icon("return"), gettext("Undo"));
    place.hidden = false;
    place.replaceChildren(make("p", { class: "words" }, gettext("Photo deleted")), undo);
    undo.focus();
  }

  draw() {
    const add = find("[data-add]", this.box);
    for (const tile of this.box.querySelectorAll("[data-photo]")) tile.remove();
    this.photos.forEach((photo, i) => {
      const label = fill(gettext("Photo %(n)s, %(size)s. Open to retake or delete"), { n: i + 1, size: kilobytes(photo.bytes.byteLength) });
      const tile = make("div", { class: "photo-item", "data-photo": photo.key },
        make("button", { class: "photo", type: "button", "aria-label": label, onclick: () => this.open(photo, label) }, picture(photo)),
        make("span", { class: "photo-words" }, icon(photo.library ? "album" : "tick"), kilobytes(photo.bytes.byteLength)));
      add.before(tile);
    });
    const words = find("[data-add-words]", this.box);
    if (words) words.textContent = this.photos.length ? gettext("Another") : gettext("Camera");
  }

  open(photo) {
    const dialog = document.getElementById("photo-dialog");
    const said = photo.library
      ? fill(gettext("From the album, taken %(when)s"), { when: moment(photo.takenAt) })
      : fill(gettext("Taken %(when)s"), { when: moment(photo.takenAt) });
    find("[data-picture]", dialog).replaceChildren(picture(photo, said));
    find("[data-said]", dialog).textContent = `${said} · ${kilobytes(photo.bytes.byteLength)}`;
    find("[data-delete]", dialog).onclick = () => { dialog.close(); this.remove(photo); };
    const retake = find("[data-retake]", dialog);
    retake.onchange = async () => {
      const [file] = retake.files;
      dialog.close();
      if (file) { await this.remove(photo); await this.add(file, false); }
      const place = find("[data-strip-undo]", this.box.parentElement);
      if (place) place.hidden = true;
      retake.value = "";
    };
    dialog.showModal();
  }
}
