// Sorting, filtering, unfolding and copying. The page is whole without it: what it needs on the page, it makes itself.
"use strict";
(() => {
  const FEW = 8;
  const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // What a cell says first, before notes in small print. Cells missing in front belong to a cell above.
  const told = (row, column, columns) => {
    const cell = row.cells[row.cells.length - columns + column];
    return (cell.firstChild || cell).textContent.trim();
  };

  // The number that begins a text, such as 8,080 or 1.2 × 10⁻⁷ or ∞; nan where none does.
  const numberOf = (text) => {
    const found = /^(−?)(?:(∞)|([\d.,]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?)/.exec(text);
    if (!found) return NaN;
    const power = [...(found[4] || "0")].map((c) => (c === "⁻" ? "-" : c === "0" ? c : POWERS.indexOf(c)));
    const size = found[2] ? Infinity : Number(`${found[3].replaceAll(",", "")}e${power.join("")}`);
    return found[1] ? -size : size;
  };

  const compare = (a, b, numeric, sign) => {
    if (!numeric) return sign * a.localeCompare(b, "en", { numeric: true });
    const [x, y] = [numberOf(a), numberOf(b)];
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  };

  // Repeat cells that span rows in each of them, so that a row can move or go alone.
  const part = (rows) =>
    rows.forEach((row, place) => {
      for (const cell of [...row.cells].filter((one) => one.rowSpan > 1)) {
        for (const other of rows.slice(place + 1, place + cell.rowSpan)) {
          const copy = cell.cloneNode(true);
          copy.rowSpan = 1;
          other.insertBefore(copy, other.cells[cell.cellIndex]);
        }
        cell.rowSpan = 1;
      }
    });

  const sortable = (table, heads, rows) =>
    heads.forEach((head, column) => {
      const numeric = head.classList.contains("number");
      const orders = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => {
        const order = orders[orders.indexOf(head.getAttribute("aria-sort")) + 1];
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        part(rows);
        const sorted = [...rows];
        if (order) {
          const sign = order === "ascending" ? 1 : -1;
          const key = (row) => told(row, column, heads.length);
          head.setAttribute("aria-sort", order);
          sorted.sort((one, two) => compare(key(one), key(two), numeric, sign));
        }
        table.tBodies[0].append(...sorted);
      });
      head.append(button);
    });

  const chooser = (heads, rows, head) => {
    const values = [...new Set(rows.map((row) => told(row, head.cellIndex, heads.length)))].sort();
    const options = ["", ...values].map((value) => make("option", { value }, value || "all"));
    return make("select", { value: "" }, ...options);
  };

  const filterable = (table, heads, rows) => {
    const search = make("input", { type: "search", size: 14, autocomplete: "off" });
    const choices = heads.filter((head) => "choose" in head.dataset);
    const selects = choices.map((head) => chooser(heads, rows, head));
    const count = make("output", {}, `${rows.length} rows`);
    const bar = make("div", { className: "bar" }, make("label", {}, "Filter ", search));
    bar.append(...choices.map((head, k) => make("label", {}, `${head.textContent} `, selects[k])), count);
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", `Show only some rows: ${table.getAttribute("aria-label")}`);
    const chosen = (row) =>
      selects.every((select, k) => {
        return !select.value || select.value === told(row, choices[k].cellIndex, heads.length);
      });
    bar.addEventListener("input", () => {
      part(rows);
      const wanted = search.value.toLowerCase().split(/\s+/);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !(chosen(row) && wanted.every((word) => text.includes(word)));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      count.value = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    });
    (table.closest(".scroll") || table).before(bar);
  };

  for (const table of document.querySelectorAll("table[aria-label]")) {
    const [heads, rows] = [table.tHead.rows[0].cells, table.tBodies[0].rows].map((cells) => [...cells]);
    if (rows.length >= FEW) filterable(table, heads, rows);
    if (rows.length > 1) sortable(table, heads, rows);
    table.classList.add("live");
  }

  const folded = document.querySelectorAll(".claim details");
  if (folded.length) {
    const button = make("button", { type: "button" }, "Unfold every derivation and measurement");
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", open);
      folded.forEach((one) => (one.open = open));
    });
    document.querySelector(".claim").before(make("div", { className: "bar" }, button));
  }

  // What scrolls sideways can be reached with the keyboard, in browsers too that do not see to it.
  const reach = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen) {
        if (isIntersecting && target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      }
    },
    { rootMargin: "1000000px" },
  );
  document.querySelectorAll(".scroll, .formula, .drawing, pre").forEach((box) => reach.observe(box));

  const copied = async (block) => {
    try {
      await navigator.clipboard.writeText(block.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(block);
      return document.execCommand("copy");
    }
  };

  for (const block of document.querySelectorAll("pre.code")) {
    const button = make("button", { type: "button", className: "copy", ariaLive: "polite" }, "Copy");
    button.addEventListener("click", async () => {
      button.textContent = (await copied(block)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    block.before(button);
  }
})();
