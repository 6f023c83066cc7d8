// Runs in the page. A radio, a check box or a file input counts as its label; an open dialog is all there is.
(wanted) => {
  const bad = new Set();
  const wide = document.documentElement.clientWidth;
  const root = document.querySelector("dialog[open]") ?? document.body;
  const shown = (e) => {
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.display !== "none";
  };
  const name = (e) => `${e.tagName}.${e.className.baseVal ?? e.className} ${(e.getAttribute("aria-label") || e.textContent || "").trim().slice(0, 24)}`;
  if (document.documentElement.scrollWidth > wide) bad.add(`page scrolls sideways ${document.documentElement.scrollWidth}>${wide}`);

  const controls = [...new Set([...root.querySelectorAll("a[href],button,input:not([type=hidden]),select,textarea,summary")]
    .map((e) => (e.matches("input[type=radio],input[type=checkbox],input[type=file]") ? e.closest("label") : e)).filter(shown))];
  const boxes = controls.map((e) => e.getBoundingClientRect());
  const apart = (e, f) => Boolean(e.closest(".thumb-bar,.app-bar")) !== Boolean(f.closest(".thumb-bar,.app-bar"));
  controls.forEach((e, i) => {
    const a = boxes[i];
    if (a.width < 43.9 || a.height < 43.9) bad.add(`small ${a.width.toFixed(0)}×${a.height.toFixed(0)} ${name(e)}`);
    if (a.left < -0.5 || a.right > wide + 0.5) bad.add(`outside ${name(e)}`);
    for (let j = i + 1; j < controls.length; j += 1) {
      const f = controls[j];
      if (e.contains(f) || f.contains(e) || apart(e, f)) continue;
      const b = boxes[j];
      const gap = Math.hypot(Math.max(b.left - a.right, a.left - b.right, 0), Math.max(b.top - a.bottom, a.top - b.bottom, 0));
      if (gap < 7.9) bad.add(`gap ${gap.toFixed(1)} ${name(e)} | ${name(f)}`);
    }
  });

  const rgb = (text) => { const m = text.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => { const x = v / 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => { const x = light(a); const y = light(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const ground = (e) => {
    for (let n = e; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255, 1];
  };
  const holders = ".act,.card,.row,.choice,.queue-item,.recent-matter,.photo-add,.chip,.due-soon,.task-kind,.bar-act,.who,.hint,.tab";
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const e = text.parentElement;
    if (!text.data.trim() || !shown(e) || e.closest(".only-spoken,svg,option,noscript")) continue;
    const style = getComputedStyle(e);
    if (parseFloat(style.fontSize) < 16) bad.add(`text ${style.fontSize} ${name(e)}`);
    const contrast = ratio(rgb(style.color), ground(e));
    if (contrast < wanted.need) bad.add(`contrast ${contrast.toFixed(2)} ${name(e)}`);
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const r of range.getClientRects()) {
      if (r.right > wide + 0.5 || r.left < -0.5) bad.add(`text off the page ${name(e)}`);
      for (let n = e; n && n !== root; n = n.parentElement) {
        const s = getComputedStyle(n);
        if (s.overflowX === "visible" && s.overflowY === "visible") continue;
        const b = n.getBoundingClientRect();
        const scrolls = s.overflowY === "auto" || s.overflowY === "scroll";
        if (r.right > b.right + 1 || r.left < b.left - 1 || (!scrolls && (r.bottom > b.bottom + 1 || r.top < b.top - 1))) bad.add(`clipped ${name(e)}`);
      }
      const holder = e.closest(holders);
      const b = holder?.getBoundingClientRect();
      if (b && (r.right > b.right + 1 || r.left < b.left - 1 || r.bottom > b.bottom + 1)) bad.add(`spills ${name(holder)}`);
    }
  }
  for (const e of root.querySelectorAll("textarea")) if (shown(e) && e.scrollHeight > e.clientHeight + 2) bad.add("textarea hides words");
  for (const e of document.querySelectorAll("[style]")) if (!e.closest(".maplibregl-map, .map")) bad.add(`inline style ${name(e)}`);
  const bar = document.querySelector(".thumb-bar:not([hidden])");
  const share = bar ? bar.getBoundingClientRect().height / innerHeight : 0;
  if (share > 0.5) bad.add(`thumb bar takes ${share.toFixed(2)}`);
  return [...bad];
}
