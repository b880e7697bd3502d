/* Sorts and filters the tables that ask for it; without scripts they are plain tables. */
(function () {
  "use strict";

  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.runOrder || cell.textContent;
  }

  function sortBy(table, column, head) {
    const up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort((a, b) => key(a, column).localeCompare(key(b, column), "en", { numeric: true }));
    if (!up) rows.reverse();
    table.tBodies[0].append(...rows);
  }

  function makeSortable(table) {
    table.querySelectorAll("thead th").forEach((head) => {
      const sort = () => sortBy(table, head.cellIndex, head);
      head.tabIndex = 0;
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort();
      });
    });
  }

  /* What a row can be found by: not the pages it links to, nor the names of the example's tables. */
  function text(row) {
    const cells = Array.from(row.cells, (cell) => cell.textContent).slice(0, -1);
    return cells.join(" ").replace(/\w*_\w*/g, " ").toLowerCase();
  }

  /* A row is shown when it has all the words, and is not one the box leaves out. */
  function makeFilter(input) {
    const name = input.dataset.runFilter;
    const table = document.getElementById(name);
    const box = document.querySelector('[data-run-hide="' + name + '"]');
    const shown = document.querySelector('[data-run-shown="' + name + '"]');
    const texts = new Map(Array.from(table.tBodies[0].rows, (row) => [row, text(row)]));

    function apply() {
      const words = input.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
      let count = 0;
      texts.forEach((known, row) => {
        const left = box && box.checked && row.classList.contains("run-failed");
        row.hidden = left || !words.every((word) => known.includes(word));
        if (!row.hidden) count += 1;
      });
      if (shown) shown.textContent = count + " of " + texts.size + " rows";
    }

    input.addEventListener("input", apply);
    if (box) box.addEventListener("change", apply);
    apply();
  }

  function prepare() {
    document.querySelectorAll("table[data-run-sortable]").forEach(makeSortable);
    document.querySelectorAll("input[data-run-filter]").forEach(makeFilter);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepare);
  else prepare();
})();
