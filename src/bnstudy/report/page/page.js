const all = (what, within = document) => [...within.querySelectorAll(what)], root = document.documentElement;
const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });

// Tables: a click on a heading sorts, a choice above filters.
for (const button of all("th button")) button.onclick = () => {
  const head = button.parentElement, body = head.closest("table").tBodies[0], at = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending", key = row => row.cells[at].dataset.key ?? row.cells[at].textContent;
  const order = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
  const rows = [...body.rows].sort((a, b) => order(key(a), key(b)) * (up ? 1 : -1));
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending"); body.append(...rows);
};
for (const table of all("table[data-filter]")) {
  const rows = [...table.tBodies[0].rows], row = make("p", "", { className: "choices" }), said = make("output", "");
  const picks = table.dataset.filter.split(" ").map(column => {
    const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === column), words = cell => (cell.dataset.kinds ?? cell.textContent).split(", ");
    const pick = make("select", "", { id: "filter-" + column });
    pick.append(make("option", "all", { value: "" }), ...[...new Set(rows.flatMap(row => words(row.cells[at])))].sort().map(text => make("option", text)));
    row.append(make("label", column + " ", { htmlFor: pick.id }), pick);
    return [pick, row => !pick.value || words(row.cells[at]).includes(pick.value)];
  });
  const filter = () => { for (const one of rows) one.hidden = !picks.every(([, fits]) => fits(one)); said.textContent = `${rows.filter(one => !one.hidden).length} of ${rows.length} claims`; };
  for (const [pick] of picks) pick.onchange = filter;
  row.append(said); filter(); table.parentElement.before(row);
}

// Guesses: answered where scripts are off, folded here until one guesses.
for (const folded of all(".guess details")) folded.open = false;
for (const option of all(".guess input")) option.onchange = () => option.closest(".guess").querySelector("details").open = true;

// Toys: every frame stands on the page; the controls choose the one that is seen, and it is the page's address.
const shown = new Map();
for (const toy of all(".toy:not([data-batch])")) {
  const frames = all(".frame", toy), slides = toy.dataset.slides.split("|"), at = frame => frame.dataset.at.split("|");
  const box = make("div", "", { className: "controls" }), settings = toy.dataset.axes.split("|").map((name, axis) => {
    let values = [...new Set(frames.map(frame => at(frame)[axis]))], set;
    const chosen = index => { const wish = at(toy.now); wish[axis] = values[index]; show(nearest(wish, axis)); history.replaceState(null, "", "#" + toy.now.id); };
    if (slides[axis] === "1") {
      values.sort((a, b) => parseFloat(a.replace(/[^\d.]/g, "")) - parseFloat(b.replace(/[^\d.]/g, "")));
      const slider = make("input", "", { type: "range", min: 0, max: values.length - 1, step: 1, oninput: () => chosen(+slider.value) }), said = make("output", ""), label = make("label", name + " ");
      label.append(slider, said); if (values.length > 1) box.append(label);
      set = value => { slider.value = values.indexOf(value); said.textContent = value; slider.setAttribute("aria-valuetext", value); };
    } else if (values.length > 4) {
      const pick = make("select", "", { onchange: () => chosen(pick.selectedIndex) }), label = make("label", name + " ");
      pick.append(...values.map(value => make("option", value))); label.append(pick); box.append(label);
      set = value => { pick.value = value; };
    } else {
      const group = make("fieldset", ""), row = make("div", ""); group.append(make("legend", name), row);
      const radios = values.map((value, index) => { const radio = make("input", "", { type: "radio", name: toy.id + axis, onchange: () => chosen(index) }), label = make("label", ""); label.append(radio, " " + value); row.append(label); return radio; });
      if (values.length > 1) box.append(group);
      set = value => { radios[values.indexOf(value)].checked = true; };
    }
    return set;
  });
  const nearest = (wish, axis) => frames.reduce((best, frame) => {
    const score = one => at(one).reduce((sum, value, i) => sum + (value === wish[i]) * (i === axis ? 9 : 1), 0);
    return score(frame) > score(best) ? frame : best;
  });
  const show = frame => {
    toy.now = frame; for (const one of frames) one.hidden = one !== frame;
    at(frame).forEach((value, axis) => settings[axis](value));
    for (const link of all(".map a", toy)) link.toggleAttribute("aria-current", link.hash === "#" + frame.id);
  };
  for (const frame of frames) shown.set(frame, show);
  toy.querySelector(".frames").before(box); toy.classList.add("live"); show(frames[0]);
}
for (const toy of all(".toy[data-batch]")) {
  const batch = toy.dataset.batch.split(" ").map(Number), frames = all(".frame", toy), [frame] = frames, box = make("div", "", { className: "controls" });
  const mean = row => row.reduce((sum, x) => sum + x, 0) / row.length, spread = row => Math.sqrt(mean(row.map(x => (x - mean(row)) ** 2)));
  const told = row => `mean ${((Math.round(10 * mean(row)) || 0) / 10).toFixed(1)}, spread ${spread(row).toFixed(1)}`.replace("-", "−");
  const knobs = [["a", "the layers below stretch", .2, 3], ["b", "the layers below shift", -3, 3], ["gamma", "gamma", .2, 3], ["beta", "beta", -3, 3]].map(([name, text, min, max]) => {
    const slider = make("input", "", { type: "range", min, max, step: .1, oninput: () => draw() }), label = make("label", text + " "), said = make("output", "");
    label.append(slider, said); box.append(label); return [slider, said];
  });
  const draw = () => {
    const [a, b, gamma, beta] = knobs.map(([slider, said]) => { said.textContent = slider.value; return +slider.value; });
    const plain = batch.map(x => a * x + b), normal = plain.map(x => (x - mean(plain)) / spread(plain)), after = normal.map(x => gamma * x + beta), rows = [plain, normal, after];
    all(".dots", frame).forEach((dots, i) => dots.setAttribute("d", rows[i].map(x => `M${(180 + 15 * x).toFixed(1)} 12a4 4 0 1 0 .1 0z`).join("")));
    frame.querySelector(".said").textContent = `Handed on: ${told(plain)}. Normalized: ${told(normal)}. After gamma and beta: ${told(after)}.`;
    frame.querySelector("svg").setAttribute("aria-label", frame.querySelector(".said").textContent);
  };
  const show = chosen => { for (const one of frames) one.hidden = one !== frame; chosen.dataset.at.split("|").forEach((value, i) => knobs[i][0].value = value); draw(); };
  for (const one of frames) shown.set(one, show);
  toy.querySelector(".frames").before(box); toy.classList.add("live"); show(frame);
}

// Figures: a picture to keep, and one that fills the screen; arrows go on from there.
const seen = figure => all("svg", figure).find(svg => svg.getBoundingClientRect().width), figures = all("figure[id^=fig-]");
const styles = new Map([...document.styleSheets[0].cssRules].map(rule => [rule.selectorText, rule.style?.cssText]));
const literal = svg => {
  const copy = svg.cloneNode(true); for (const one of all("[class]", copy)) one.setAttribute("style", styles.get("." + one.className.baseVal) ?? ""); copy.setAttribute("xmlns", "http://www.w3.org/2000/svg"); copy.setAttribute("xmlns:xlink", "http://www.w3.org/1999/xlink");
  return "data:image/svg+xml," + encodeURIComponent(copy.outerHTML.replace(/var\(--[\w-]+,\s*([^)]+)\)/g, "$1"));
};
const screen = make("dialog", "", { className: "screen", ariaLabel: "Figure on the full screen", onkeydown: event => {
  const step = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 }[event.key];
  if (step) { event.preventDefault(); present((screen.at + step + figures.length) % figures.length); }
} });
const present = at => {
  screen.at = at; const close = make("button", "close", { onclick: () => screen.close() }), picture = figures[at].querySelector(".narrow, svg").cloneNode(true);
  for (const one of [picture, ...all("[id]", picture)]) if (one.id) one.id = "screen-" + one.id;
  picture.innerHTML = picture.innerHTML.replace(/(href=.|url\()#/g, "$1#screen-");
  screen.replaceChildren(make("h2", figures[at].querySelector("h4").textContent), picture, make("p", `${at + 1} of ${figures.length}: arrows go on, Escape ends`), close);
  if (!screen.open) screen.showModal();
};
document.body.append(screen);
figures.forEach((figure, at) => {
  const save = make("a", "Picture (SVG)", { download: figure.id.slice(4) + ".svg", href: "#" + figure.id });
  save.onclick = () => { save.href = literal(seen(figure)); };
  figure.querySelector("figcaption div").append(" ", save, " ", make("button", "Full screen", { type: "button", onclick: () => present(at) }));
});
// Tables are packed in their links: a click saves them unpacked.
for (const link of all("a.csv")) link.onclick = async event => {
  if (link.href.startsWith("data:text/csv")) return;
  event.preventDefault(); const packed = Uint8Array.from(atob(link.href.split(",")[1]), letter => letter.charCodeAt(0));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  link.download = link.download.replace(/\.gz$/, ""); link.href = "data:text/csv;charset=utf-8," + encodeURIComponent(text); link.click();
};

// Light, dark, or as the machine has it.
const theme = make("button", "", { type: "button", className: "theme" }), dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const name = () => { theme.textContent = "◐"; theme.title = theme.ariaLabel = dark() ? "To the light page" : "To the dark page"; };
theme.onclick = () => { root.dataset.theme = dark() ? "light" : "dark"; name(); };
const item = make("li", ""); item.append(theme); document.querySelector("nav ul").append(item); name();

// Links unfold what they lead to; printing unfolds all.
const unfold = place => { for (; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true; };
const arrive = () => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1))); if (!place) return;
  shown.get(place)?.(place); unfold(place); (place.closest(".toy.live .frame") ? place.closest(".toy") : place).scrollIntoView();
};
addEventListener("hashchange", arrive);
addEventListener("beforeprint", () => { for (const folded of all("details:not(.long, .seeds)")) folded.open = true; });
arrive();
