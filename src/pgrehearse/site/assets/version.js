/* The reader's PostgreSQL: chosen once, remembered, and each page shows that major's blocks, outputs and facts.
   Without scripts, and until something is chosen, a page shows all majors. */
(function () {
  "use strict";

  /* What pgrehearse.majors knows; a test holds this to it. */
  const MAJORS = { "15": "15", "16": "16", "17": "17", "18": "18", "19": "19rc1" };
  const KEY = "pgrehearse.postgresql";
  const LATER = /^PostgreSQL (\d+) and later$/;

  /* A page opened from a disk may have no memory; the choice then lasts for the page. */
  function recall() {
    try {
      const major = localStorage.getItem(KEY);
      return major in MAJORS ? major : "";
    } catch {
      return "";
    }
  }

  function remember(major) {
    try {
      if (major) localStorage.setItem(KEY, major);
      else localStorage.removeItem(KEY);
    } catch { /* no memory */ }
  }

  const blocks = () => document.querySelectorAll("article .run-block");
  const facts = () => document.querySelectorAll("article .run-facts");

  /* The fences below a block, which hold what it prints. */
  function outputs(block) {
    const found = [];
    for (let one = block.nextElementSibling; one?.matches(".highlight"); one = one.nextElementSibling) found.push(one);
    return found;
  }

  function since(fence) {
    const later = LATER.exec(fence.querySelector(":scope > .filename")?.textContent.trim() || "");
    return later ? Number(later[1]) : 0;
  }

  function showBlock(block, major) {
    const cell = block.querySelector("[data-run-needs], [data-run-until]");
    const other = Boolean(major && cell) &&
      (Number(cell.dataset.runNeeds || 0) > major || Number(cell.dataset.runUntil || 99) < major);
    block.toggleAttribute("data-run-other", other);
    const below = outputs(block);
    const best = Math.max(0, ...below.map(since).filter((first) => first <= major));
    below.forEach((fence) => { fence.hidden = other || Boolean(major) && since(fence) !== best; });
  }

  function showFacts(list, major) {
    const lines = Array.from(list.querySelectorAll("li[data-run-majors]"));
    const fits = (line) => !major || line.dataset.runMajors.split(" ").includes(String(major));
    lines.forEach((line) => { line.hidden = !fits(line); });
    list.querySelector(".run-unmeasured")?.remove();
    if (!lines.length || lines.some(fits)) return;
    const none = document.createElement("li");
    none.className = "run-unmeasured";
    none.textContent = "not on PostgreSQL " + MAJORS[major];
    list.querySelector("ul").append(none);
  }

  function show(choice) {
    const major = Number(choice);
    blocks().forEach((block) => showBlock(block, major));
    facts().forEach((list) => showFacts(list, major));
  }

  function chooser(choice) {
    const label = document.createElement("label");
    label.className = "run-version";
    label.dataset.searchExclude = "";
    label.append("PostgreSQL ");
    const select = document.createElement("select");
    select.append(new Option("all versions", ""));
    Object.entries(MAJORS).forEach(([major, text]) => select.append(new Option(text, major)));
    select.value = choice;
    select.addEventListener("change", () => { remember(select.value); show(select.value); });
    label.append(select);
    return label;
  }

  /* Only where a page says something of versions. A theme that loads pages itself says when one is there. */
  function start() {
    const article = document.querySelector("article");
    if (!article || article.querySelector(".run-version")) return;
    const varies = article.querySelector("[data-run-needs], [data-run-until], li[data-run-majors]") ||
      Array.from(article.querySelectorAll(".highlight")).some(since);
    if (!varies) return;
    const choice = recall();
    article.prepend(chooser(choice));
    if (choice) show(choice);
  }

  if (window.document$) window.document$.subscribe(start);
  else start();
  /* Another page of the site that is open follows. */
  addEventListener("storage", (event) => {
    const select = document.querySelector(".run-version select");
    if (event.key !== KEY || !select) return;
    select.value = recall();
    show(select.value);
  });
})();
