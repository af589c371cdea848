for (const button of document.querySelectorAll("th button")) button.onclick = () => {
  const head = button.parentElement, body = head.closest("table").tBodies[0], at = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending", key = row => row.cells[at].dataset.key ?? row.cells[at].textContent;
  const order = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
  const rows = [...body.rows].sort((a, b) => order(key(a), key(b)) * (up ? 1 : -1));
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending"); body.append(...rows);
};
const unfold = place => { for (; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true; };
const arrive = () => { const place = document.getElementById(location.hash.slice(1)); if (place) { unfold(place); place.scrollIntoView(); } };
for (const option of document.querySelectorAll(".guess input")) option.onchange = () => option.closest(".guess").querySelector("details").open = true;
addEventListener("hashchange", arrive);
addEventListener("beforeprint", () => { for (const folded of document.querySelectorAll("details:not(.long)")) folded.open = true; });
arrive();
