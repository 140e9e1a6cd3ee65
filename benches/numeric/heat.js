// Heat equation: n sweeps of a five-point stencil over a 100 x 100 plate whose
// upper edge is kept hot (Jacobi iteration with two grids).
"use strict";

const n = Number(process.argv[2] ?? 1500);

const size = 100;

function makePlate() {
  const plate = [];
  for (let y = 0; y < size; y++) {
    plate.push(new Array(size).fill(0));
  }
  plate[0] = new Array(size).fill(100);
  return plate;
}

function sweep(source, target) {
  for (let y = 1; y < size - 1; y++) {
    const above = source[y - 1];
    const row = source[y];
    const below = source[y + 1];
    const result = target[y];
    for (let x = 1; x < size - 1; x++) {
      result[x] = row[x] + 0.2 * (above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x]);
    }
  }
}

let current = makePlate();
let following = makePlate();
for (let step = 0; step < n; step++) {
  sweep(current, following);
  [current, following] = [following, current];
}

let total = 0;
for (const row of current) {
  for (const temperature of row) {
    total += temperature;
  }
}
console.log(Math.floor(total * 1000000));
console.log(Math.floor(current[5][50] * 1000000));
