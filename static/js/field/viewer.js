// Photos of a case, large.
import { find, findAll, make } from "./dom.js";

/** Open a photo when its thumbnail is pressed. */
export function showPhotos() {
  const dialog = find("#view-dialog");
  for (const button of findAll("[data-view]")) {
    button.addEventListener("click", () => {
      const said = button.parentElement.querySelector("figcaption").textContent;
      find("#view-dialog-name").textContent = said;
      find("[data-picture]", dialog).replaceChildren(make("img", { src: button.dataset.view, alt: said }));
      dialog.showModal();
    });
  }
}
