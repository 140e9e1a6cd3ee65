// The filter, sorting, and keys. The tables are complete without any of this.

const profile = JSON.parse(document.getElementById("profile").textContent);
const flame = document.getElementById("flame-graph") ? new FlameGraph(profile.stacks) : null;
const filter = document.getElementById("filter");
const statusLine = document.getElementById("status");

/** Shows only what contains the text; lines of the source stay, and are highlighted. */
function applyFilter() {
  const wanted = filter.value.trim().toLowerCase();
  const contains = (element) => element.textContent.toLowerCase().includes(wanted);
  let shown = 0;
  for (const row of document.querySelectorAll(".filterable")) {
    row.hidden = wanted !== "" && !contains(row);
    if (!row.hidden) shown += 1;
  }
  for (const line of document.querySelectorAll(".source tr")) {
    line.classList.toggle("found", wanted !== "" && contains(line.querySelector(".code")));
  }
  const share = flame?.find(wanted) ?? 0;
  const found = `${formatShare(share)} of the time is spent in functions whose name contains “${wanted}”`;
  flame?.note(wanted === "" ? "" : found);
  statusLine.textContent = wanted === "" ? "" : `${shown} rows; ${found}`;
}

/** Sorts a table by a column: numbers downwards first, texts upwards; a second time the other way round. */
function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentNode.children].indexOf(header);
  const key = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const isNumber = rows.every((row) => row.children[column].dataset.value !== undefined);
  const before = header.getAttribute("aria-sort");
  const isAscending = before ? before === "descending" : !isNumber;
  rows.sort((a, b) => (isNumber ? key(a) - key(b) : key(a).localeCompare(key(b), "en", { numeric: true })));
  if (!isAscending) rows.reverse();
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
  body.append(...rows);
}

/** Shows a line of the source, also if its file is closed. */
function reveal(line) {
  const file = line?.closest("details");
  if (file) file.open = true;
  line?.scrollIntoView({ block: "center" });
}

const hottest = [...document.querySelectorAll(".source tr[data-share]")].sort((a, b) => b.dataset.share - a.dataset.share);
let nextHot = 0;

function showNextHotLine() {
  if (hottest.length === 0) return;
  const line = hottest[nextHot % hottest.length];
  nextHot += 1;
  // As a link would, so that the line is marked, but without filling the history.
  location.replace(`#${line.id}`);
  reveal(line);
}

for (const header of document.querySelectorAll(".sortable thead th")) {
  header.tabIndex = 0;
  header.addEventListener("click", () => sortBy(header));
  header.addEventListener("keydown", (event) => {
    if (event.key === "Enter") sortBy(header);
  });
}

filter.addEventListener("input", applyFilter);
window.addEventListener("hashchange", () => reveal(document.querySelector(".source tr:target")));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    filter.value = "";
    filter.blur();
    applyFilter();
    flame?.zoom(flame.root);
  } else if (event.target !== filter) {
    const section = document.querySelectorAll(".top nav a")[event.key - 1];
    if (event.key === "/") {
      filter.focus();
    } else if (event.key === "n") {
      showNextHotLine();
    } else if (section) {
      section.click();
    } else {
      return;
    }
    event.preventDefault();
  }
});
