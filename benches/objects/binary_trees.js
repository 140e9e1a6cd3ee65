// Binary trees: build and walk many short-lived complete trees up to depth n
// while one tree stays alive.
"use strict";

const n = Number(process.argv[2] ?? 15);

function makeTree(depth) {
  if (depth === 0) return { left: null, right: null };
  return { left: makeTree(depth - 1), right: makeTree(depth - 1) };
}

function countNodes(tree) {
  if (tree.left === null) return 1;
  return 1 + countNodes(tree.left) + countNodes(tree.right);
}

const longLived = makeTree(n);
for (let depth = 4; depth <= n; depth += 2) {
  const trees = 2 ** (n - depth + 4);
  let nodes = 0;
  for (let i = 0; i < trees; i++) {
    nodes += countNodes(makeTree(depth));
  }
  console.log(`${trees} trees of depth ${depth}: ${nodes}`);
}
console.log(countNodes(longLived));
