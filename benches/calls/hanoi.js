// Towers of Hanoi: move n discs between three pegs, each peg a list used as a
// stack.
"use strict";

const n = Number(process.argv[2] ?? 22);

const pegs = [[], [], []];
for (let disc = n; disc >= 1; disc--) pegs[0].push(disc);
let moves = 0;
let checksum = 0;

function move(count, source, target, spare) {
  if (count === 0) return;
  move(count - 1, source, spare, target);
  const disc = pegs[source].pop();
  pegs[target].push(disc);
  moves++;
  checksum = (checksum * 3 + disc * (target + 1)) % 1000003;
  move(count - 1, spare, target, source);
}

move(n, 0, 2, 1);
console.log(moves);
console.log(checksum);
console.log(pegs[2].length);
