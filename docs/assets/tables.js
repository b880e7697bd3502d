/* Sorts and filters the tables that ask for it; without scripts they are plain tables. */
(function () {
  "use strict";

  function sortBy(table, column, button) {
    const up = button.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach((head) => head.removeAttribute("aria-sort"));
    button.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort((a, b) => a.cells[column].textContent.localeCompare(b.cells[column].textContent));
    if (!up) rows.reverse();
    table.tBodies[0].append(...rows);
  }

  function prepare() {
    document.querySelectorAll("table[data-run-sortable] th").forEach((head) => {
      const table = head.closest("table");
      const column = head.cellIndex;
      head.tabIndex = 0;
      head.addEventListener("click", () => sortBy(table, column, head));
      head.addEventListener("keydown", (event) => {
        if (event.key === "Enter") sortBy(table, column, head);
      });
    });
    document.querySelectorAll("input[data-run-filter]").forEach((input) => {
      const table = document.getElementById(input.dataset.runFilter);
      input.addEventListener("input", () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const row of table.tBodies[0].rows) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
        }
      });
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepare);
  else prepare();
})();
