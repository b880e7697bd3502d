/* A reader's own values in what a runbook sent: fields beside the examples, the statements and commands follow.
   What a value means is said by names.js; names and texts are quoted as quote_ident and quote_literal do, commands
   as a shell reads them.
   What a value cannot be put into surely is not shown: `pgrehearse run --sql` asks the database. */
(function () {
  "use strict";

  const { Unsure, quoteIdent, parts, listOf, written: meant } = pgrehearseNames;
  /* What a page cannot show as it is; `run` refuses it too. */
  const UNSEEN = /[^\P{C}\n\t]|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\uffa0\ufe00-\ufe0f]/u;

  function quoteLiteral(text) {
    const quoted = "'" + text.replaceAll("'", "''").replaceAll("\\", "\\\\") + "'";
    return text.includes("\\") ? "E" + quoted : quoted;
  }

  function quoteShell(text) {
    return /^[\w@%+=:,.\/-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\"'\"'") + "'";
  }

  /* SQL is put in as it is, unless it might end the statement it stands in, or psql might read something into it.
     A backslash, and a dollar sign outside of quotes, can make PostgreSQL see a string end elsewhere. */
  function whole(text) {
    const bare = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")+"/g, "x");
    const ends = /\\/.test(text) || /['";$]|--|\/\*|(?:^|[^:]):[^:\s]/.test(bare);
    if (!text.trim() || ends) throw new Unsure("this may end its statement");
    let depth = 0;
    for (const sign of bare) {
      depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
      if (depth < 0) throw new Unsure("a parenthesis is closed that was not opened");
    }
    if (depth) throw new Unsure("a parenthesis is not closed");
    return text;
  }

  const LISTS = ["names", "names_or_sql"];

  /* One slot with the reader's values. */
  function written(slot, kinds, values) {
    const pieces = JSON.parse(slot.dataset.runPieces);
    const form = slot.dataset.runForm;
    const raw = (piece) => (typeof piece === "string" ? piece : meant(kinds.get(piece[0]), values.get(piece[0])));
    const list = (piece) => {
      const names = listOf(kinds.get(piece[0]), values.get(piece[0]));
      if (!names) throw new Unsure("only names of columns are put in here");
      return names;
    };
    const bare = (piece) => {
      const kind = typeof piece === "string" ? "" : kinds.get(piece[0]);
      if (kind === "relation") return parts(values.get(piece[0])).at(-1);
      if (!LISTS.includes(kind)) return raw(piece);
      const names = list(piece);
      if (names.length > 1) throw new Unsure("with more columns than one there are more statements");
      return names[0];
    };
    const made = {
      relation: () => raw(pieces[0]),
      beside: () => [...schema(kinds, values), pieces.map(bare).join("")].map(quoteIdent).join("."),
      type: () => raw(pieces[0]),
      list: () => list(pieces[0]).map(quoteIdent).join(", "),
      name: () => quoteIdent(pieces.map(bare).join("")),
      literal: () => quoteLiteral(pieces.map(raw).join("")),
      sql: () => whole(raw(pieces[0])),
    }[form]();
    if ("runDollar" in slot.dataset && made.includes("$")) throw new Unsure("a dollar sign may end the body it is in");
    return made;
  }

  /* The schema that the reader gave the table, if any. */
  function schema(kinds, values) {
    const table = [...kinds].find(([, kind]) => kind === "relation");
    return table ? parts(values.get(table[0])).slice(0, -1) : [];
  }

  class Runbook {
    constructor(place) {
      Object.assign(this, JSON.parse(place.dataset.runParameters));
      this.place = place;
      this.kinds = new Map(this.parameters.map((one) => [one.name, one.kind]));
      this.example = new Map(this.parameters.map((one) => [one.name, one.example]));
      this.fields = new Map();
      this.blocks = Array.from(document.querySelectorAll("[data-run-sent]"), (block) => {
        const code = block.querySelector("code");
        const slots = Array.from(code.querySelectorAll(".run-slot"), (one) => [one, one.textContent]);
        return { block: block, code: code, nodes: Array.from(code.childNodes), slots: slots };
      });
      this.commands = Array.from(document.querySelectorAll(".language-console code"))
        .map((code) => ({ code: code, nodes: Array.from(code.childNodes), text: code.textContent }))
        .filter((one) => /^(pgrehearse run|psql -X)\s/.test(one.text));
      this.table = place.parentElement.querySelector(".run-parameters ~ .md-typeset__scrollwrap table, .run-parameters ~ table");
      this.makeFields();
      this.read();
      addEventListener("hashchange", () => this.read());
    }

    makeFields() {
      const rows = Array.from(this.table.tBodies[0].rows);
      this.parameters.forEach((one, at) => {
        const field = document.createElement("textarea"); // a field of one line drops line feeds without a word
        field.rows = one.example.length > 60 ? 3 : 1;
        field.value = one.example;
        field.autocomplete = "off";
        field.spellcheck = false;
        field.setAttribute("aria-label", one.name);
        field.addEventListener("input", () => this.changed());
        const said = document.createElement("small");
        said.setAttribute("role", "status");
        rows[at].cells[2].replaceChildren(field, said);
        this.fields.set(one.name, { field: field, said: said });
      });
      this.table.tHead.rows[0].cells[2].textContent = "value";
      this.table.classList.add("run-fields");
      this.note = document.createElement("p");
      this.note.className = "run-note";
      this.note.setAttribute("role", "status");
      this.place.append(this.note);
    }

    get values() {
      return new Map(Array.from(this.fields, ([name, { field }]) => [name, field.value]));
    }

    /* The fragment: an anchor, and the values that differ from the example. */
    read() {
      const said = location.hash.slice(1).split("&");
      const anchor = said[0] && !said[0].includes("=") ? said.shift() : "";
      const given = new URLSearchParams(said.join("&"));
      for (const [name, { field }] of this.fields) if (given.has(name)) field.value = given.get(name);
      this.show();
      if (anchor && [...given].length) document.getElementById(anchor)?.scrollIntoView();
      else if (anchor) this.remember(anchor);
    }

    remember(anchor) {
      const given = new URLSearchParams(this.different().map((name) => [name, this.values.get(name)])).toString();
      const hash = [anchor, given].filter(Boolean).join("&");
      history.replaceState(history.state, "", hash ? "#" + hash : location.pathname + location.search);
    }

    different() {
      return Array.from(this.values).filter(([name, value]) => value !== this.example.get(name)).map(([name]) => name);
    }

    changed() {
      const first = location.hash.slice(1).split("&")[0];
      this.remember(first.includes("=") ? "" : first);
      this.show();
    }

    show() {
      const values = this.values;
      const different = new Set(this.different());
      let refused = false;
      for (const [name, { field, said }] of this.fields) {
        const wrong = different.has(name) ? this.wrong(name, values.get(name)) : "";
        field.setAttribute("aria-invalid", String(Boolean(wrong)));
        said.textContent = wrong;
        refused = refused || UNSEEN.test(values.get(name));
      }
      let left = 0;
      for (const one of this.blocks) left += this.showBlock(one, values, different, refused) ? 0 : 1;
      for (const one of this.commands) {
        if (refused) one.code.textContent = "# a value holds a character that cannot be seen";
        else if (different.size) one.code.textContent = this.command(one.text, values);
        else one.code.replaceChildren(...one.nodes);
      }
      this.note.textContent = !different.size ? "Write your own values here: the steps and the commands follow."
        : "The statements below have your values. A table of yours may need more of them, or fewer: run with --sql prints what it needs." +
          (left ? " So it does for " + left + (left > 1 ? " blocks" : " block") + " that cannot be written without looking at your database." : "");
    }

    wrong(name, value) {
      try {
        if (UNSEEN.test(value)) throw new Unsure("this holds a character that cannot be seen");
        meant(this.kinds.get(name), value);
      } catch (error) {
        if (!(error instanceof Unsure)) throw error;
        return error.message;
      }
      return "";
    }

    /* Whether the block shows what the values make. */
    showBlock(one, values, different, refused) {
      const { block, code, nodes, slots } = one;
      code.replaceChildren(...nodes);
      for (const [slot, text] of slots) slot.textContent = text;
      block.classList.remove("run-left");
      if (!different.size) return true;
      try {
        if (refused || "runUnsure" in block.dataset) throw new Unsure();
        const asked = (block.dataset.runDecides || "").split(" ").concat(slots.map(([slot]) => JSON.parse(slot.dataset.runPieces)
          .filter(Array.isArray).map(([name]) => name)).flat());
        for (const name of different) {
          const decides = (block.dataset.runDecides || "").split(" ").includes(name);
          const emptied = asked.includes(name) && Boolean(values.get(name)) !== Boolean(this.example.get(name));
          if (decides || emptied) throw new Unsure();
        }
        if ("runIndexed" in block.dataset && schema(this.kinds, values).length) throw new Unsure();
        const made = slots.map(([slot]) => written(slot, this.kinds, values));
        slots.forEach(([slot], at) => { slot.textContent = made[at]; });
        return true;
      } catch (error) {
        if (!(error instanceof Unsure)) throw error;
        block.classList.add("run-left");
        code.textContent = "-- What is sent here depends on your database.\n-- Print it: the run command under Parameters, with --sql behind it.";
        return false;
      }
    }

    command(text, values) {
      const psql = text.startsWith("psql");
      const given = this.parameters.filter((one) => psql || one.default === null || values.get(one.name) !== one.default);
      const set = given.map((one) => (psql ? "-v " : "--set ") + one.name + "=" + quoteShell(values.get(one.name)));
      const words = psql ? ["psql -X", ...set, "-f " + quoteShell(this.script)] : ["pgrehearse run " + quoteShell(this.runbook), ...set];
      return words.join(" \\\n  ") + "\n";
    }
  }

  function prepare() {
    document.querySelectorAll("[data-run-parameters]").forEach((place) => new Runbook(place));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepare);
  else prepare();
})();
