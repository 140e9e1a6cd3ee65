"use strict";

// The flame graph: chains of calls as bars, the outermost on top.

const ROW_HEIGHT = 20;
// Narrower bars, in pixels, cannot be seen.
const MIN_WIDTH = 1;
// Deeper chains are folded at first, as they are nearly always recursion.
const MANY_ROWS = 40;

/** Joins the chains of calls to a tree. `fold` leaves out calls of a function by itself. */
function callTree(stacks, fold) {
  const root = { name: "", time: 0, self: 0, calls: 0, children: new Map(), parent: null, depth: -1 };
  for (const stack of stacks) {
    let node = root;
    node.time += stack.self_ns;
    for (const name of stack.frames) {
      if (fold && name === node.name) continue;
      let child = node.children.get(name);
      if (!child) {
        child = { name, time: 0, self: 0, calls: 0, children: new Map(), parent: node, depth: node.depth + 1 };
        node.children.set(name, child);
      }
      child.time += stack.self_ns;
      node = child;
    }
    node.self += stack.self_ns;
    node.calls += stack.calls ?? 0;
  }
  return root;
}

/** A time in the unit that suits it. */
function formatTime(nanoseconds) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (nanoseconds >= size) return `${(nanoseconds / size).toFixed(2)} ${unit}`;
  }
  return `${nanoseconds} ns`;
}

function formatShare(share) {
  const percent = share * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

class FlameGraph {
  constructor(stacks) {
    this.stacks = stacks;
    this.view = document.getElementById("flame-graph");
    this.detail = document.getElementById("flame-detail");
    this.reset = document.getElementById("flame-reset");
    this.recursion = document.getElementById("flame-recursion");
    this.wanted = "";
    this.remark = "";
    this.recursion.checked = stacks.some((stack) => stack.frames.length > MANY_ROWS);
    this.recursion.addEventListener("change", () => this.build());
    this.reset.addEventListener("click", () => this.zoom(this.root));
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("mouseleave", () => this.describe(this.chosen));
    new ResizeObserver(() => this.draw()).observe(this.view);
    this.build();
  }

  build() {
    this.root = callTree(this.stacks, this.recursion.checked);
    this.chosen = null;
    this.zoom(this.root);
  }

  /** Shows a function as wide as the graph. */
  zoom(node) {
    this.top = node;
    this.reset.disabled = node === this.root;
    this.chosen = node === this.root ? null : node;
    this.draw();
    this.describe(this.chosen);
  }

  /** Highlights the functions whose name contains a text: the share of the time spent in them. */
  find(text) {
    this.wanted = text.toLowerCase();
    this.draw();
    if (!this.wanted) return 0;
    const timeIn = (node) =>
      this.isFound(node) ? node.time : [...node.children.values()].reduce((sum, child) => sum + timeIn(child), 0);
    return this.root.time ? timeIn(this.root) / this.root.time : 0;
  }

  isFound(node) {
    return this.wanted !== "" && node.name.toLowerCase().includes(this.wanted);
  }

  draw() {
    const width = this.view.clientWidth;
    this.view.replaceChildren();
    this.elements = new Map();
    let depth = 0;
    // Callers of what is zoomed in on span the whole width.
    for (let node = this.top.parent; node && node !== this.root; node = node.parent) {
      this.bar(node, 0, width, "around");
    }
    const rows = [[this.top, 0, width]];
    while (rows.length > 0) {
      const [node, left, room] = rows.pop();
      if (node !== this.root) this.bar(node, left, room, "");
      depth = Math.max(depth, node.depth + 1);
      const scale = node.time > 0 ? room / node.time : 0;
      let at = left;
      for (const child of [...node.children.values()].sort((a, b) => b.time - a.time)) {
        const childWidth = child.time * scale;
        if (childWidth < MIN_WIDTH) break;
        rows.push([child, at, childWidth]);
        at += childWidth;
      }
    }
    this.view.style.height = `${depth * ROW_HEIGHT + 4}px`;
    this.view.classList.toggle("filtering", this.wanted !== "");
    this.mark();
  }

  bar(node, left, width, kind) {
    const bar = document.createElement("div");
    bar.className = `frame ${kind}`;
    bar.classList.toggle("built-in", !/:\d+$/.test(node.name));
    bar.classList.toggle("found", this.isFound(node));
    bar.setAttribute("role", "treeitem");
    bar.style.left = `${left}px`;
    bar.style.width = `${Math.max(width - 1, 1)}px`;
    bar.style.top = `${node.depth * ROW_HEIGHT}px`;
    bar.style.setProperty("--turn", `${turn(node.name)}deg`);
    if (width > 24) bar.textContent = node.name;
    bar.setAttribute("aria-label", this.summary(node));
    bar.addEventListener("click", () => this.zoom(node));
    bar.addEventListener("mouseenter", () => this.describe(node));
    this.elements.set(node, bar);
    this.view.append(bar);
  }

  summary(node) {
    const share = this.root.time ? node.time / this.root.time : 0;
    const calls = node.calls ? `, ${node.calls.toLocaleString("en")} calls` : "";
    return `${node.name}: ${formatTime(node.time)}, ${formatShare(share)}; itself ${formatTime(node.self)}${calls}`;
  }

  describe(node) {
    this.detail.textContent = node ? this.summary(node) : this.remark;
  }

  /** Says something where the chosen function is described, as long as none is. */
  note(text) {
    this.remark = text;
    this.describe(this.chosen);
  }

  mark() {
    for (const [node, bar] of this.elements) bar.classList.toggle("chosen", node === this.chosen);
  }

  /** Moves among the bars: up to the caller, down to what takes longest, sideways to others with the same caller. */
  key(event) {
    const node = this.chosen;
    const visible = (of) => [...of.children.values()].filter((it) => this.elements.has(it)).sort((a, b) => b.time - a.time);
    let next = null;
    if (event.key === "Enter" && node) return this.zoom(node);
    if (event.key === "Backspace") return this.zoom(this.root);
    if (event.key === "ArrowDown") next = visible(node ?? this.root)[0];
    else if (event.key === "ArrowUp") next = node?.parent;
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const siblings = node?.parent ? visible(node.parent) : [];
      next = siblings[siblings.indexOf(node) + (event.key === "ArrowLeft" ? -1 : 1)];
    } else return;
    event.preventDefault();
    if (!next || next === this.root) return;
    this.chosen = next;
    this.mark();
    this.describe(next);
    this.elements.get(next)?.scrollIntoView({ block: "nearest" });
  }
}

/** A small turn of the colour, the same for each name, so that neighbours can be told apart. */
function turn(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 1009;
  return (hash % 29) - 12;
}
