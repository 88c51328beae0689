"use strict";
// Sorting, filters and the Escape key: the page is complete without them.

function number(text) {
  const found = text.replace(/^[<>]=/, "").match(/^[-+]?\d+(\.\d+)?/);
  return found && !/^\d+-\d/.test(text) ? Number(found[0]) : NaN;
}

function compare(a, b) {
  const [x, y] = [number(a), number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a.localeCompare(b, "en", { numeric: true });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const rising = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent.trim();
      const rows = [...body.rows].sort((a, b) => compare(text(a), text(b)) * (rising ? 1 : -1));
      body.append(...rows);
    });
  });
}

for (const label of document.querySelectorAll("label.controls")) {
  label.hidden = false;
  const rows = label.nextElementSibling.querySelector("tbody").rows;
  label.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

const filter = document.getElementById("claim-filter");
if (filter) {
  filter.hidden = false;
  filter.addEventListener("submit", (event) => event.preventDefault());
  const show = () => {
    const wanted = [...new FormData(filter)].filter(([, value]) => value);
    let shown = 0;
    for (const claim of document.querySelectorAll("[data-verdict]")) {
      claim.hidden = !wanted.every(([key, value]) => claim.dataset[key].split("|").includes(value));
      if (!claim.hidden && claim.matches("tr")) shown += 1;
    }
    filter.querySelector("output").textContent = `${shown} claims`;
  };
  filter.addEventListener("change", show);
  show();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of document.querySelectorAll("figure input:checked")) box.checked = false;
});
